import { CopyDBSnapshotCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Item, pointId } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { asJson, failing, inParallel } from '../../items.ts';
import { type CopyWork, done, failed, type Passage, type Started, started, waiting } from '../../kind.ts';
import { findLog, findSnapshot, looksAtBackups, looksAtSnapshots, reaches } from './describe.ts';
import { pullFiles, pulling } from './exports.ts';
import { type ArtifactFacts, artifactFacts, daysAfter, factsOf, nameFor, snapshotArn } from './instance.ts';
import { troubleWith } from './snapshots.ts';

const { again } = calls('rds', RDSClient);

const copying = {
  ...looksAtBackups,
  ...looksAtSnapshots,
  /** Repeatable by its name; called here, it pulls. Home's key is used on RDS's behalf (RDS guide, "Copying a DB snapshot"). */
  copySnapshot: again(CopyDBSnapshotCommand, { also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'] }),
};
const finishing = { ...looksAtSnapshots, ...pulling };

const LEAST_WAIT_MILLIS = 30_000;
const NOTHING_YET_MILLIS = 120_000;
const QUOTA_MILLIS = 120_000;
const WIDTH = 5;

/**
 * What is a promise of the log at home is one of the replicated automated backups here: done when their window contains T, of which the replica
 * alone can tell. A snapshot is copied, under the vault's key.
 */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    copying,
    (aws, works: readonly CopyWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => begin(aws, work, scene).catch(failing(work.resource.id, 'It could not be copied'))),
  ),
  settle: verb(
    finishing,
    (aws, works: readonly Started<CopyWork>[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) =>
        goOn(aws, work, scene).catch(failing(work.resource.id, 'Its snapshot could not be copied')),
      ),
  ),
};

const begin = (aws: Door<typeof copying>, work: CopyWork, scene: Scene): Promise<Item<Artifact>> =>
  artifactFacts(work.artifact).by === 'log' ? awaitReplica(aws, work, scene) : copySnapshot(aws, work, scene);

async function awaitReplica(
  aws: Door<typeof copying>,
  { resource, artifact, vault }: CopyWork,
  { clock, here }: Scene,
): Promise<Item<Artifact>> {
  const { at } = artifactFacts(artifact) as ArtifactFacts & { by: 'log' };
  const log = await findLog(aws, factsOf(resource).resourceId);
  if (!log) {
    return failed(
      resource.id,
      `Its automated backups are not replicated to ${here.region}: start that (aws rds start-db-instance-automated-backups-replication --region ${here.region} --source-db-instance-arn ${resource.id}${factsOf(resource).key ? ` --kms-key-id ${DATA_KEY}` : ''}), or have the policy materialise or snapshot it.`,
    );
  }
  const reached = reaches(log, at);
  if (typeof reached === 'object')
    return failed(
      resource.id,
      `Its log in ${here.region} ${reached.never}; the replication began, or its retention is, too short for this point.`,
    );
  if (reached === 'later') {
    const wait = log.window ? Math.max(LEAST_WAIT_MILLIS, millis(at) - log.window.latest) : NOTHING_YET_MILLIS;
    return waiting(resource.id, instant(clock.now() + wait), `Its log in ${here.region} has not reached ${at} yet.`);
  }
  return done(resource.id, {
    ...artifact,
    id: `${log.arn}@${at}`,
    place: vault.place,
    endurance: 'log-backed',
    restorableUntil: daysAfter(at, log.retentionDays),
    facts: asJson({ by: 'log', at, backup: log.arn } satisfies ArtifactFacts),
  });
}

/** What a restore point of this vault calls its copy of a snapshot. */
const copyName = ({ point, artifact }: CopyWork): string => nameFor(point.application, pointId(point), artifact.id);

async function copySnapshot(aws: Door<typeof copying>, work: CopyWork, { clock }: Scene): Promise<Item<Artifact>> {
  const { resource, point, artifact } = work;
  const begun = started(resource.id, {}, 'Its snapshot is being copied.');
  return aws
    .copySnapshot({
      SourceDBSnapshotIdentifier: artifact.id,
      TargetDBSnapshotIdentifier: copyName(work),
      KmsKeyId: DATA_KEY,
      CopyTags: false,
      Tags: stamp({ application: point.application, restorePoint: pointId(point), cut: work.cut.id, resource: resource.id }),
    })
    .then(() => begun)
    .catch(when('DBSnapshotAlreadyExistsFault', () => begun))
    .catch(
      when('SnapshotQuotaExceededFault', ({ message }) =>
        waiting(resource.id, instant(clock.now() + QUOTA_MILLIS), `There is no room for its snapshot yet: ${message}.`),
      ),
    );
}

async function goOn(aws: Door<typeof finishing>, work: Started<CopyWork>, scene: Scene): Promise<Item<Artifact>> {
  const { resource, artifact, vault } = work;
  const name = copyName(work);
  const snapshot = await findSnapshot(aws, name);
  const trouble = troubleWith(snapshot, name, resource.id);
  if (trouble) return failed(resource.id, trouble);
  if (snapshot?.Status !== 'available')
    return started(
      resource.id,
      work.handle,
      `The copy of its snapshot is ${snapshot?.Status}, ${snapshot?.PercentProgress ?? 0} %.`,
    );
  const id = snapshotArn(vault.place, name);
  const facts = { ...artifactFacts(artifact), snapshot: id, files: null } as ArtifactFacts;
  return pullFiles(aws, work, { ...artifact, id, place: vault.place, endurance: 'durable', facts: asJson(facts) }, scene);
}
