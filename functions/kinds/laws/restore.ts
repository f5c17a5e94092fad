import type { Place, Preview, Restored } from '../../domain.ts';
import {
  captured,
  copied,
  expired,
  fingerprints,
  idsOf,
  mutated,
  originals,
  restored,
  restoreWorks,
  type Subject,
  seeded,
  withArtifacts,
} from './motions.ts';
import { A_MINUTE, at, type Law, must, sameSet } from './stage.ts';

/** What was captured comes back as it was at the cut, beside the original, which is not touched. */
export const restoresAtHome: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const before = await originals(subject);
  const { artifacts } = await captured(subject, { meanwhile: () => mutated(subject) });
  const now = await originals(subject);
  for (const [id, print] of before) must(now.get(id) !== print, `${id} was changed, and its fingerprint does not show it.`);
  await stage.clock.sleep(A_MINUTE);
  const back = await restored(subject, restoreWorks(subject, artifacts, stage.home), stage.home);
  await sameAs(before, back, subject, stage.home.place);
  const after = await originals(subject);
  for (const [id, print] of now) must(after.get(id) === print, `The restore touched the original ${id}.`);
};

/** What was copied comes back in the vault's region while home is dark. */
export const restoresWithHomeDark: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const before = await originals(subject);
  const { artifacts, cut } = await captured(subject, { meanwhile: () => mutated(subject) });
  const copies = await copied(subject, cut, artifacts);
  for (const copy of copies) {
    const ends = copy.restorableUntil !== undefined && subject.resources.every(({ logInVaults }) => logInVaults);
    must(
      copy.endurance === 'durable' || ends,
      'A copy in a vault is durable, or of a resource that says otherwise and has an end.',
    );
    must(copy.place.region === stage.vault.place.region, 'A copy is where the vault is.');
    const source = artifacts.find(({ resource }) => resource === copy.resource)!;
    must(JSON.stringify(copy.interval) === JSON.stringify(source.interval), 'A copy is of the instant of what it copies.');
  }
  stage.darken(stage.home.place.region, true);
  try {
    const works = restoreWorks(subject, copies, stage.vault);
    const previews = await at(kind.preview, stage, stage.vault.place)(works);
    must(
      previews.every(({ lacks }) => lacks.length === 0),
      `The vault lacks: ${previews.flatMap(({ lacks }) => lacks).join(' ')}`,
    );
    await sameAs(before, await restored(subject, works, stage.vault), subject, stage.vault.place);
  } finally {
    stage.darken(stage.home.place.region, false);
  }
};

export async function sameAs(
  before: ReadonlyMap<string, string>,
  back: readonly Restored[],
  subject: Subject,
  place: Place,
): Promise<void> {
  must(
    sameSet(
      back.map(({ resource }) => resource),
      [...before.keys()],
    ),
    'Every artifact brings back its resource.',
  );
  const prints = await fingerprints(subject, idsOf(back), place);
  for (const { resource, id, renames } of back) {
    must(id !== resource, `${resource} was restored over itself.`);
    must(
      prints.get(id) === before.get(resource),
      `${id} is not as ${resource} was at the cut:\n${prints.get(id)}\n${before.get(resource)}`,
    );
    must(
      renames.every(({ was, is, what }) => was !== '' && is !== '' && was !== is && what !== ''),
      `A rename of ${id} says nothing.`,
    );
  }
}

/** Restored twice under one name, it is one thing, and it is nobody else's. */
export const restoreTwiceIsOne: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts } = await captured(subject);
  await stage.clock.sleep(A_MINUTE);
  const works = restoreWorks(subject, artifacts, stage.home);
  await at(kind.restore.start, stage, stage.home.place)(works);
  const first = await restored(subject, works, stage.home);
  const again = await restored(subject, works, stage.home);
  must(sameSet(idsOf(first), idsOf(again)), `One restore made ${idsOf(first).join(', ')} and ${idsOf(again).join(', ')}.`);
};

/** A preview says what would be made, lacks nothing while nothing is lacking, and changes nothing. When the copy is gone, it says so. */
export const previewTells: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  const copies = await copied(subject, cut, artifacts);
  await stage.clock.sleep(A_MINUTE);
  const works = restoreWorks(subject, copies, stage.vault);
  const preview = at(kind.preview, stage, stage.vault.place);
  const first: readonly Preview[] = await preview(works);
  must(
    sameSet(
      first.map(({ resource }) => resource),
      idsOf(subject.resources),
    ),
    'There is one preview for each work.',
  );
  for (const one of first) {
    must(one.lacks.length === 0, `Nothing is lacking, and yet: ${one.lacks.join(' ')}`);
    must(one.creates.length > 0 && one.minutes >= 0, 'A preview says what would be made, and how long that takes.');
  }
  must(JSON.stringify(await preview(works)) === JSON.stringify(first), 'A preview changes nothing, so the next is the same.');
  const answers = await expired(subject, stage.vault.place, withArtifacts(copies));
  if (!answers.every(({ gone }) => gone)) return;
  await stage.clock.sleep(A_MINUTE);
  for (const { resource, lacks } of await preview(works))
    must(lacks.length > 0, `The copy of ${resource} is gone, and the preview does not say so.`);
};
