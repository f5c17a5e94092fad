import type { Artifact, Place } from '../../domain.ts';
import { captured, copied, expired, idsOf, originals, type Subject, seeded, straysAt, withArtifacts } from './motions.ts';
import { A_MINUTE, at, type Law, must, sameSet } from './stage.ts';

/** Strays finds everything that was made, with its point and resource; what it does not find, expire says why it is left. */
export const straysFind: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  const copies = await copied(subject, cut, artifacts);
  await stage.clock.sleep(A_MINUTE);
  for (const [place, made] of [
    [stage.home.place, artifacts],
    [stage.vault.place, copies],
  ] as const) {
    const found = await straysAt(subject, place);
    for (const artifact of made) {
      const stray = found.find(({ id }) => id === artifact.id);
      if (stray) {
        must(stray.restorePoint === '20261122T040000Z-law/1', `${stray.id} is said to be of ${stray.restorePoint}.`);
        must(stray.resource === artifact.resource, `${stray.id} is said to be of ${stray.resource}.`);
        must(!Number.isNaN(Date.parse(stray.createdAt)), `${stray.id} has no time.`);
        continue;
      }
      const [answer] = await expired(subject, place, [{ id: artifact.id }]);
      must(answer?.gone === false && !!answer.why, `Strays do not find ${artifact.id}, and expire does not say why it is left.`);
    }
    const others = await at(kind.strays, stage, place)({ application: stage.name() });
    must(others.length === 0, `Another application's strays are ${idsOf(others).join(', ')}.`);
  }
};

/** Expired twice, it is gone once; what can still not be deleted says why, each time. */
export const expireTwiceIsOne: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  const copies = await copied(subject, cut, artifacts);
  await stage.clock.sleep(A_MINUTE);
  for (const [place, made] of [
    [stage.vault.place, copies],
    [stage.home.place, artifacts],
  ] as const) {
    const works = withArtifacts(made);
    const first = await expired(subject, place, works);
    const again = await expired(subject, place, works);
    must(sameSet(idsOf(first), idsOf(works)), 'Expire answers once for each id.');
    must(
      JSON.stringify(first.map(({ gone }) => gone)) === JSON.stringify(again.map(({ gone }) => gone)),
      'What was gone is there again, or the other way.',
    );
    must(
      first.every(({ gone, why }) => gone || !!why),
      'What is left must say why.',
    );
    await stage.clock.sleep(A_MINUTE);
    const left = await straysAt(subject, place);
    must(
      left.every(({ id }) => first.some((one) => one.id === id && !one.gone)),
      `After its expiry these are left: ${idsOf(left).join(', ')}.`,
    );
  }
};

/** What we did not make is left alone, and the answer says so. */
export const leavesOthersAlone: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const before = await originals(subject);
  const theirs = await at(proof.foreign, stage, stage.home.place)(subject.resources[0]!.id);
  await stage.clock.sleep(A_MINUTE);
  for (let i = 0; i < 2; i++) {
    const [answer] = await expired(subject, stage.home.place, [{ id: theirs }]);
    must(answer?.gone === false && !!answer.why, `${theirs} was not made by us, and expire says: ${JSON.stringify(answer)}.`);
  }
  await expired(
    subject,
    stage.home.place,
    subject.resources.map(({ id }) => ({ id })),
  );
  const after = await originals(subject);
  for (const [id, print] of before) must(after.get(id) === print, `Expiring the id of the original ${id} changed it.`);
};

/** Of everything that bears our tags, nothing but these artifacts is there, or can be told from them and deleted. */
export async function onlySurvive(subject: Subject, place: Place, artifacts: readonly Artifact[]): Promise<void> {
  await subject.stage.clock.sleep(A_MINUTE);
  const needed = new Set(idsOf(artifacts));
  const others = (await straysAt(subject, place)).filter(({ id }) => !needed.has(id));
  const answers = await expired(
    subject,
    place,
    idsOf(others).map((id) => ({ id })),
  );
  const left = answers.filter(({ gone }) => !gone);
  must(left.length === 0, `What no artifact refers to cannot be deleted: ${left.map(({ why }) => why).join(' ')}`);
  const survivors = await straysAt(subject, place);
  must(
    survivors.every(({ id }) => needed.has(id)),
    `These survive besides: ${idsOf(survivors).join(', ')}.`,
  );
}
