import { instant, millis } from '../../aws/clock.ts';
import type { Resource } from '../../domain.ts';
import { driveItems, driven } from './drive.ts';
import { onlySurvive } from './expire.ts';
import { captured, captureWorks, idsOf, newCut, seeded } from './motions.ts';
import { A_MINUTE, A_MOMENT, at, type Law, must, sameSet, travelled } from './stage.ts';

/** A capture ends, and its artifact says what every artifact must say. */
export const captureSettles: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  must(
    sameSet(
      artifacts.map(({ resource }) => resource),
      idsOf(subject.resources),
    ),
    'There is one artifact for each resource.',
  );
  for (const artifact of artifacts) {
    const { from, to } = artifact.interval;
    must(artifact.kind === kind.name, `The artifact is of kind ${artifact.kind}.`);
    must(
      from <= to && from >= instant(millis(cut.begun) - 5000),
      `The interval ${from} to ${to} is not one of the cut of ${cut.begun}.`,
    );
    const within = kind.cut !== 'exact' || (from <= cut.instant! && cut.instant! <= to);
    must(within, `An exact kind's interval holds the instant ${cut.instant}; this is ${from} to ${to}.`);
    must(artifact.place.region === stage.home.place.region, 'What is captured at home is at home.');
    must(JSON.stringify(travelled(artifact)) === JSON.stringify(artifact), 'An artifact is plain JSON.');
  }
};

/** Started twice for one cut, a capture makes one artifact; whatever else it made is found by strays and can be deleted. */
export const captureTwiceIsOne: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const cut = newCut(stage);
  const first = await captured(subject, { cut });
  await stage.clock.sleep(A_MINUTE);
  const again = await driven(kind.capture, captureWorks(subject, first.cut), stage, stage.home.place);
  for (const artifact of again) {
    const made = first.artifacts.find(({ resource }) => resource === artifact.resource);
    const one = made?.id === artifact.id && JSON.stringify(made.facts) === JSON.stringify(artifact.facts);
    must(one, `The same cut made ${JSON.stringify(made)} and then ${JSON.stringify(artifact)}.`);
  }
  await onlySurvive(subject, stage.home.place, first.artifacts);
};

/** What vanished between the plan and the capture fails with a sentence, and only it. */
export const vanishedFails: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const [gone] = subject.resources as [Resource, ...Resource[]];
  await at(proof.destroy, stage, stage.home.place)(gone.id);
  await stage.clock.sleep(A_MINUTE);
  const cut = { ...newCut(stage), instant: instant(Math.floor(stage.clock.now() / 1000) * 1000) };
  await stage.clock.sleep(A_MOMENT);
  const works = captureWorks(subject, cut);
  const items = await driveItems(kind.capture, works, stage, stage.home.place, stage.transport);
  for (const item of items) {
    const expected = item.resource === gone.id ? 'failed' : 'done';
    must(item.state === expected, `${item.resource} should be ${expected}, and is: ${JSON.stringify(item)}.`);
    must(item.state !== 'failed' || /\.$/.test(item.why), `Why it failed is no sentence: ${JSON.stringify(item)}.`);
  }
};
