import { driven } from './drive.ts';
import { onlySurvive } from './expire.ts';
import {
  captured,
  copied,
  copyWorks,
  expired,
  idsOf,
  mutated,
  originals,
  restored,
  restoreWorks,
  type Subject,
  seeded,
  withArtifacts,
} from './motions.ts';
import { sameAs } from './restore.ts';
import { A_MINUTE, at, type Law, must, sameSet, travelled } from './stage.ts';

/** Copied twice for one point, it is one copy. */
export const copyTwiceIsOne: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  const first = await copied(subject, cut, artifacts);
  await stage.clock.sleep(A_MINUTE);
  const again = await copied(subject, cut, artifacts);
  must(
    sameSet(idsOf(first), idsOf(again)),
    `One point has the copies ${idsOf(first).join(', ')} and ${idsOf(again).join(', ')}.`,
  );
  await onlySurvive(subject, stage.vault.place, first);
};

/** A second point shares what it may with the first; expiring either leaves the other restorable. */
export const pointsStandAlone: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const one = await captured(subject);
  const firstCopies = await copied(subject, one.cut, one.artifacts);
  await mutated(subject);
  await stage.clock.sleep(A_MINUTE);
  const { resources } = await at(kind.discover, stage, stage.home.place)(subject.application);
  const later: Subject = { ...subject, resources: travelled(resources) };
  const before = await originals(later);
  const two = await captured(later);
  const copies = await driven(kind.copy, copyWorks(later, two.cut, two.artifacts, 2), stage, stage.vault.place);
  await expired(later, stage.vault.place, withArtifacts(firstCopies));
  const back = await restored(later, restoreWorks(later, copies, stage.vault), stage.vault);
  await sameAs(before, back, later, stage.vault.place);
};
