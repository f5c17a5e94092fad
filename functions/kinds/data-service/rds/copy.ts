import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp } from '../../../aws/tags.ts';
import { composed } from '../../../aws/verb.ts';
import { type Artifact, type Item, otherAccount, pointId } from '../../../domain.ts';
import { asJson, failing, inParallel } from '../../items.ts';
import { type CopyWork, failed, type Passage, type Started, started, waiting } from '../../kind.ts';
import { type Databases, SNAPSHOT_ALREADY_THERE } from './databases.ts';
import { pullFiles } from './exports.ts';
import { type ArtifactFacts, artifactFacts, databaseFacts } from './facts.ts';
import { nameFor, nameIn, rdsArn } from './names.ts';
import { troubleWith } from './snapshots.ts';

const QUOTA_MILLIS = 120_000;
const WIDTH = 5;

/** A snapshot is copied, under the vault's key; what becomes of a promise of the log, each kind says. */
export function copying(of: Databases): Passage<CopyWork, Artifact> {
  const copyName = ({ point, artifact }: CopyWork): string => nameFor(of.prefix, point.application, pointId(point), artifact.id);

  const uses = { keepLog: of.keepLog, shareSnapshot: of.shareSnapshot, copySnapshot: of.copySnapshot };
  const start = composed(uses, (aws, works: readonly CopyWork[], { clock, here, home }) => {
    async function begin(work: CopyWork): Promise<Item<Artifact>> {
      const { resource, point, artifact, cut } = work;
      if (artifactFacts(artifact).by === 'log') return aws.keepLog(work);
      const begun = started(resource.id, {}, 'Its snapshot is being copied.');
      const tags = stamp({ application: point.application, restorePoint: pointId(point), cut: cut.id, resource: resource.id });
      const encrypted = databaseFacts(resource).key !== null;
      if (otherAccount(here, home)) await aws.shareSnapshot({ name: nameIn(artifact.id), account: here.account });
      return aws
        .copySnapshot({ source: artifact.id, name: copyName(work), encrypted, tags })
        .then(() => begun)
        .catch(when(SNAPSHOT_ALREADY_THERE, () => begun))
        .catch(
          when('SnapshotQuotaExceededFault', ({ message }) =>
            waiting(resource.id, instant(clock.now() + QUOTA_MILLIS), `There is no room for its snapshot yet: ${message}.`),
          ),
        );
    }
    return inParallel(works, WIDTH, (work) => begin(work).catch(failing(work.resource.id, 'It could not be copied')));
  });

  const settle = composed({ findSnapshot: of.findSnapshot, pullFiles }, (aws, works: readonly Started<CopyWork>[]) => {
    async function goOn(work: Started<CopyWork>): Promise<Item<Artifact>> {
      const { resource, artifact, vault } = work;
      const name = copyName(work);
      const snapshot = await aws.findSnapshot(name);
      const trouble = troubleWith(snapshot, name, resource.id);
      if (trouble) return failed(resource.id, trouble);
      if (snapshot?.status !== 'available')
        return started(resource.id, work.handle, `The copy of its snapshot is ${snapshot?.status}, ${snapshot?.percent} %.`);
      const id = rdsArn(vault.place, of.snapshotType, name);
      const facts = { ...artifactFacts(artifact), snapshot: id, files: null } as ArtifactFacts;
      const copy: Artifact = { ...artifact, id, place: vault.place, endurance: 'durable', facts: asJson(facts) };
      return aws.pullFiles({ work, copy });
    }
    return inParallel(works, WIDTH, (work) => goOn(work).catch(failing(work.resource.id, 'Its snapshot could not be copied')));
  });
  return { start, settle, waits: true };
}
