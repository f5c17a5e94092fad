import {
  BackupClient,
  DeleteRecoveryPointCommand,
  DescribeBackupJobCommand,
  DescribeCopyJobCommand,
  DescribeRecoveryPointCommand,
  DescribeRestoreJobCommand,
  type DescribeRestoreJobCommandOutput,
  GetRecoveryPointRestoreMetadataCommand,
  ListBackupJobsCommand,
  ListRecoveryPointsByBackupVaultCommand,
  ListTagsCommand,
  type RecoveryPointByBackupVault,
  StartBackupJobCommand,
  StartCopyJobCommand,
  StartRestoreJobCommand,
  TagResourceCommand,
} from '@aws-sdk/client-backup';
import { calls, type ServiceRole } from '../../aws/call.ts';
import { instant, millis } from '../../aws/clock.ts';
import { when } from '../../aws/errors.ts';
import { stamp, TAG } from '../../aws/tags.ts';
import type { Door, Scene } from '../../aws/verb.ts';
import { type Artifact, type Item, pointId } from '../../domain.ts';
import { BACKUP_VAULT, backupVaultArn, roleArn, sha256 } from '../../vault/layout.ts';
import { asJson, failing, handleOf, inParallel, why } from '../items.ts';
import type { CaptureWork, CopyWork, Expired, Expiry, RestoreWork, Started, Stray } from '../kind.ts';
import { done, failed, started, waiting } from '../kind.ts';

/**
 * Jobs of AWS Backup, for kinds that it captures. All of its starting calls take a token, so they may be asked again: a job that was begun
 * with the token is answered, and nothing happens (AWS Backup API, StartBackupJob, StartCopyJob, StartRestoreJob).
 */
const { read, again } = calls('backup', BackupClient);

/** The role that AWS Backup works under. What it needs for a service stands in its managed policies (AWS Backup guide, "Managed policies for AWS Backup"). */
const role = (...does: string[]): ServiceRole => ({
  name: 'backup',
  service: 'backup.amazonaws.com',
  does: [...does, 'kms:CreateGrant', 'kms:DescribeKey'],
});

export const backingUp = {
  startBackup: again(StartBackupJobCommand, {
    also: ['backup:TagResource'],
    passes: role(
      'elasticfilesystem:Backup',
      'elasticfilesystem:DescribeTags',
      'backup:DescribeBackupVault',
      'backup:TagResource',
    ),
  }),
  backupJobs: read(ListBackupJobsCommand),
};
export const lookingAtBackups = { backupJob: read(DescribeBackupJobCommand) };

/** The source pushes: a copy job is one of the region that the recovery point is in, so these go home (AWS Backup API, StartCopyJob). */
export const copying = {
  startCopy: again(StartCopyJobCommand, {
    at: 'home',
    passes: role('backup:DescribeBackupVault', 'backup:CopyIntoBackupVault'),
  }),
};
export const lookingAtCopies = {
  copyJob: read(DescribeCopyJobCommand, { at: 'home' }),
  recoveryPoint: read(DescribeRecoveryPointCommand),
  tagRecoveryPoint: again(TagResourceCommand),
};

export const lookingAtPoints = { recoveryPoint: read(DescribeRecoveryPointCommand) };
export const restoring = {
  restoreMetadata: read(GetRecoveryPointRestoreMetadataCommand),
  startRestore: again(StartRestoreJobCommand, {
    passes: role(
      'elasticfilesystem:Restore',
      'elasticfilesystem:CreateFileSystem',
      'elasticfilesystem:DescribeFileSystems',
      'elasticfilesystem:DeleteFileSystem',
      'elasticfilesystem:TagResource',
    ),
  }),
};
export const lookingAtRestores = { restoreJob: read(DescribeRestoreJobCommand) };

export const listingPoints = { listPoints: read(ListRecoveryPointsByBackupVaultCommand), pointTags: read(ListTagsCommand) };
export const deletingPoints = {
  ...lookingAtPoints,
  pointTags: read(ListTagsCommand),
  deletePoint: again(DeleteRecoveryPointCommand),
};

/** The least that AWS Backup takes, and what a plan's deadline leaves for the rest (AWS Backup API, StartBackupJob). */
const START_MINUTES = 60;
const COMPLETE_MINUTES = 270;
const ASK_AGAIN_MILLIS = 5 * 60_000;
const WIDTH = 5;
const DAY_MILLIS = 86_400_000;
/** What holds the one job that a resource may have (AWS Backup quotas: one backup or copy job per resource at a time). */
const UNDER_WAY = ['CREATED', 'PENDING', 'RUNNING'] as const;

type JobHandle = { readonly job: string };
const NOT_FOUND = 'ResourceNotFoundException';

/**
 * Begins a backup of a resource. Where a job of another time is under way this one waits: begun now it would stay in its queue, and its
 * start window would run.
 */
export async function beginBackup(aws: Door<typeof backingUp>, work: CaptureWork, { clock }: Scene): Promise<Item<Artifact>> {
  const { resource, cut, point, vault } = work;
  const other = await jobUnderWay(aws, resource.id, cut.begun);
  if (other) {
    const until = instant(clock.now() + ASK_AGAIN_MILLIS);
    return waiting(resource.id, until, `Another AWS Backup job, ${other}, is under way for it, and it has one at a time.`);
  }
  return aws
    .startBackup({
      BackupVaultName: BACKUP_VAULT,
      ResourceArn: resource.id,
      IamRoleArn: roleArn('backup', vault.place),
      IdempotencyToken: sha256(`${cut.id}\n${resource.id}`),
      StartWindowMinutes: START_MINUTES,
      CompleteWindowMinutes: COMPLETE_MINUTES,
      RecoveryPointTags: tagRecord({
        application: point.application,
        restorePoint: pointId(point),
        cut: cut.id,
        resource: resource.id,
      }),
    })
    .then(({ BackupJobId }) => started(resource.id, { job: BackupJobId! }))
    .catch(when(NOT_FOUND, ({ message }) => failed(resource.id, `${noVault(vault.place.region)} (${message})`)))
    .catch(failing(resource.id, 'AWS Backup refused its job'));
}

/** Of another time: begun before this cut, or into another vault. Our own of this cut is found again by its token. */
async function jobUnderWay(aws: Door<typeof backingUp>, resource: string, begun: string): Promise<string | undefined> {
  for (const ByState of UNDER_WAY) {
    let NextToken: string | undefined;
    do {
      const page = await aws.backupJobs({ ByResourceArn: resource, ByState, ...(NextToken ? { NextToken } : {}) });
      const other = page.BackupJobs?.find(
        ({ BackupVaultName, CreationDate }) => BackupVaultName !== BACKUP_VAULT || CreationDate!.getTime() < millis(begun),
      );
      if (other) return other.BackupJobId;
      NextToken = page.NextToken || undefined;
    } while (NextToken);
  }
  return undefined;
}

const noVault = (region: string): string =>
  `There is no backup vault "${BACKUP_VAULT}" in ${region}; it comes with Stillpoint's deployment, so deploy again.`;

/**
 * How a backup stands. The walk lies between the job's creation and its completion: AWS names no instant, and reads each file when it
 * comes to it (AWS Backup guide, "Amazon EFS backups"). What is known of the artifact besides, `describe` says.
 */
export async function settleBackup(
  aws: Door<typeof lookingAtBackups>,
  work: Started<CaptureWork>,
  describe: Pick<Artifact, 'kind' | 'bytes' | 'facts'>,
): Promise<Item<Artifact>> {
  const { resource } = work;
  const { job: BackupJobId } = handleOf<JobHandle>(work);
  const job = await aws.backupJob({ BackupJobId });
  const { State, StatusMessage, CreationDate, CompletionDate, InitiationDate, StartBy, RecoveryPointArn } = job;
  switch (State) {
    case 'COMPLETED':
      return done(resource.id, {
        ...describe,
        resource: resource.id,
        id: RecoveryPointArn!,
        place: resource.place,
        interval: { from: CreationDate!.toISOString(), to: CompletionDate!.toISOString() },
        endurance: 'durable',
      });
    case 'CREATED':
    case 'PENDING':
    case 'RUNNING':
    case 'ABORTING':
      return started(resource.id, work.handle, `Its job ${BackupJobId} is ${State}${reason(StatusMessage)}.`);
    case 'EXPIRED':
      return failed(
        resource.id,
        InitiationDate
          ? `Its AWS Backup job ${BackupJobId} was not complete within its window of ${COMPLETE_MINUTES} minutes${reason(StatusMessage)}.`
          : `Its AWS Backup job ${BackupJobId} never started within its window of ${START_MINUTES} minutes, by ${StartBy?.toISOString()}${reason(StatusMessage)}. See whether other jobs of it run at that time, or give it a cadence of its own.`,
      );
    default:
      return failed(resource.id, `Its AWS Backup job ${BackupJobId} ended as ${State}${reason(StatusMessage)}.`);
  }
}

const reason = (message: string | undefined): string => (message ? `: ${message.replace(/\.$/, '')}` : '');

/** Begins the push of a recovery point from home into this vault's backup vault; the one copy that is not pulled. */
export function beginCopy(aws: Door<typeof copying>, work: CopyWork, { clock }: Scene): Promise<Item<Artifact>> {
  const { resource, artifact, point, vault } = work;
  const days = retentionDays(work, clock.now());
  return aws
    .startCopy({
      RecoveryPointArn: artifact.id,
      SourceBackupVaultName: BACKUP_VAULT,
      DestinationBackupVaultArn: backupVaultArn(vault.place),
      IamRoleArn: roleArn('backup', artifact.place),
      IdempotencyToken: sha256([vault.place.region, point.application, pointId(point), resource.id, artifact.id].join('\n')),
      ...(days === undefined ? {} : { Lifecycle: { DeleteAfterDays: days } }),
    })
    .then(({ CopyJobId }) => started(resource.id, { job: CopyJobId! }))
    .catch(
      when(NOT_FOUND, () =>
        failed(resource.id, `Its recovery point ${artifact.id} is not in ${artifact.place.region} any more.`),
      ),
    )
    .catch(failing(resource.id, `Copying ${artifact.id} from ${artifact.place.region} was refused`));
}

/**
 * A lock of AWS Backup lasts as long as the retention that a recovery point was given, and without one for ever; and when the retention ends
 * AWS deletes (AWS Backup guide, "Vault Lock"). So in a locked vault a copy is given the longest that its policy may keep it.
 */
function retentionDays({ vault, keepUntil, keepDays = 0 }: CopyWork, now: number): number | undefined {
  if (!vault.lock) return undefined;
  const locked = keepUntil === undefined ? 0 : (millis(keepUntil) - now) / DAY_MILLIS;
  return Math.ceil(Math.max(vault.lock.days, locked, keepDays));
}

/** How a copy stands. It bears the tags of its source, so it is given this point's own. */
export async function settleCopy(aws: Door<typeof lookingAtCopies>, work: Started<CopyWork>): Promise<Item<Artifact>> {
  const { resource, artifact, vault, point, cut } = work;
  const { job: CopyJobId } = handleOf<JobHandle>(work);
  const { State, StatusMessage, DestinationRecoveryPointArn: id } = (await aws.copyJob({ CopyJobId })).CopyJob ?? {};
  if (State === 'CREATED' || State === 'RUNNING') {
    return started(resource.id, work.handle, `Its copy job ${CopyJobId} is ${State}${reason(StatusMessage)}.`);
  }
  if (State !== 'COMPLETED') return failed(resource.id, `Its copy job ${CopyJobId} ended as ${State}${reason(StatusMessage)}.`);
  const { application } = point;
  await aws.tagRecoveryPoint({
    ResourceArn: id!,
    Tags: tagRecord({ application, restorePoint: pointId(point), cut: cut.id, resource: resource.id }),
  });
  const { CalculatedLifecycle } = await aws.recoveryPoint({ BackupVaultName: BACKUP_VAULT, RecoveryPointArn: id! });
  const until = CalculatedLifecycle?.DeleteAt?.toISOString();
  return done(resource.id, {
    ...artifact,
    id: id!,
    place: vault.place,
    endurance: 'durable',
    ...(until ? { restorableUntil: until } : {}),
    facts: { ...artifact.facts, copyOf: artifact.id, ...(until ? { lockedUntil: until } : {}) },
  });
}

/** Why a recovery point cannot be restored from, one sentence; empty where it can. */
export async function troubleWithPoint(
  aws: Door<typeof lookingAtPoints>,
  { artifact, resource }: RestoreWork,
): Promise<string[]> {
  const status = await aws.recoveryPoint({ BackupVaultName: BACKUP_VAULT, RecoveryPointArn: artifact.id }).then(
    ({ Status }) => Status,
    when(NOT_FOUND, () => undefined),
  );
  if (status === 'COMPLETED' || status === 'AVAILABLE') return [];
  const state = status === undefined ? 'not' : status;
  return [
    `Recovery point ${artifact.id} of ${resource.name} is ${state} in backup vault "${BACKUP_VAULT}" of ${artifact.place.region}; choose another restore point.`,
  ];
}

/** Begins a restore job with what AWS Backup knows of the resource, overridden by `metadata`. */
export async function beginRestore(
  aws: Door<typeof restoring>,
  { resource, artifact, target, point, restore }: RestoreWork,
  ResourceType: string,
  metadata: Readonly<Record<string, string>>,
): Promise<ReturnType<typeof started> | ReturnType<typeof failed>> {
  const gone = () => failed(resource.id, `Recovery point ${artifact.id} is not in ${artifact.place.region} any more.`);
  const known = await aws
    .restoreMetadata({ BackupVaultName: BACKUP_VAULT, RecoveryPointArn: artifact.id })
    .catch(when(NOT_FOUND, () => undefined));
  if (!known) return gone();
  return aws
    .startRestore({
      RecoveryPointArn: artifact.id,
      Metadata: { ...known.RestoreMetadata, ...metadata },
      IamRoleArn: roleArn('backup', target.place),
      IdempotencyToken: restoreToken({ point, restore, resource, artifact }),
      ResourceType,
    })
    .then(({ RestoreJobId }) => started(resource.id, asJson({ job: RestoreJobId! })))
    .catch(when(NOT_FOUND, gone))
    .catch(failing(resource.id, `AWS Backup refused to restore ${artifact.id}`));
}

/** Names one resource of one restore: up to 64 ASCII characters, as creation tokens may have. */
export const restoreToken = ({
  point,
  restore,
  resource,
  artifact,
}: Pick<RestoreWork, 'point' | 'restore' | 'resource' | 'artifact'>): string =>
  sha256([point.application, restore, resource.id, artifact.id].join('\n'));

/** The ARN of what a restore job made once all of it is there; until then, or where it failed, the item that says so. */
export async function restoredBy(
  aws: Door<typeof lookingAtRestores>,
  { resource, handle }: Started<RestoreWork>,
): Promise<{ readonly made: string } | { readonly item: ReturnType<typeof started> | ReturnType<typeof failed> }> {
  const { job: RestoreJobId } = handleOf<JobHandle>({ handle });
  const { Status, StatusMessage, CreatedResourceArn }: Partial<DescribeRestoreJobCommandOutput> = await aws.restoreJob({
    RestoreJobId,
  });
  if (Status === 'COMPLETED') return { made: CreatedResourceArn! };
  if (Status === 'PENDING' || Status === 'RUNNING') {
    return { item: started(resource.id, handle, `Its restore job ${RestoreJobId} is ${Status}.`) };
  }
  return { item: failed(resource.id, `Its restore job ${RestoreJobId} ended as ${Status}${reason(StatusMessage)}.`) };
}

/** Every recovery point here of one type that bears the application's stamp. Tags are not in listings, so each is asked. */
export async function strayPoints(
  aws: Door<typeof listingPoints>,
  kind: string,
  ByResourceType: string,
  application: string,
): Promise<Stray[]> {
  const points: RecoveryPointByBackupVault[] = [];
  let NextToken: string | undefined;
  do {
    const asked = { BackupVaultName: BACKUP_VAULT, ByResourceType, ...(NextToken ? { NextToken } : {}) };
    const page = await aws.listPoints(asked).catch(when(NOT_FOUND, () => undefined));
    points.push(...(page?.RecoveryPoints ?? []));
    NextToken = page?.NextToken || undefined;
  } while (NextToken);
  const found = await inParallel(points, WIDTH, async ({ RecoveryPointArn: id = '', Status, CreationDate }): Promise<Stray[]> => {
    if (Status === 'DELETING') return [];
    const tags = await tagsOf(aws, id);
    const restorePoint = tags?.get(TAG.restorePoint);
    if (restorePoint === undefined || tags?.get(TAG.application) !== application) return [];
    const cut = tags.get(TAG.cut);
    const resource = tags.get(TAG.resource) ?? '';
    return [{ kind, id, restorePoint, ...(cut === undefined ? {} : { cut }), resource, createdAt: CreationDate!.toISOString() }];
  });
  return found.flat();
}

/** The tags of a recovery point; undefined where there is none of that ARN. */
async function tagsOf(
  aws: Pick<Door<typeof listingPoints>, 'pointTags'>,
  ResourceArn: string,
): Promise<Map<string, string> | undefined> {
  const tags = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const asked = { ResourceArn, ...(NextToken ? { NextToken } : {}) };
    const page = await aws.pointTags(asked).catch(when(NOT_FOUND, () => undefined));
    if (!page) return undefined;
    for (const [key, value] of Object.entries(page.Tags ?? {})) tags.set(key, value);
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return tags;
}

/** Deletes recovery points that bear our tags; a lock of the vault is a reason why one is still there. */
export const expirePoints = (aws: Door<typeof deletingPoints>, works: readonly Expiry[]): Promise<Expired[]> =>
  inParallel(works, WIDTH, ({ id }) => expirePoint(aws, id));

async function expirePoint(aws: Door<typeof deletingPoints>, id: string): Promise<Expired> {
  if (!/^arn:[^:]+:backup:[^:]*:[^:]*:recovery-point:/.test(id)) {
    return { id, gone: false, why: `${id} is no recovery point of AWS Backup, so it was not made here and is left alone.` };
  }
  const point = { BackupVaultName: BACKUP_VAULT, RecoveryPointArn: id };
  const found = await aws.recoveryPoint(point).catch(when(NOT_FOUND, () => undefined));
  if (!found || found.Status === 'DELETING') return { id, gone: true };
  const tags = await tagsOf(aws, id);
  if (!tags?.has(TAG.restorePoint)) {
    return {
      id,
      gone: false,
      why: `${id} does not bear the tag ${TAG.restorePoint}, so it was not made here and is left alone.`,
    };
  }
  return aws
    .deletePoint(point)
    .then(() => ({ id, gone: true }))
    .catch(when(NOT_FOUND, () => ({ id, gone: true })))
    .catch((error) => ({ id, gone: false, why: why(`${id} could not be deleted`)(error) }));
}

const tagRecord = (of: Parameters<typeof stamp>[0]): Record<string, string> =>
  Object.fromEntries(stamp(of).map(({ Key, Value }) => [Key, Value]));
