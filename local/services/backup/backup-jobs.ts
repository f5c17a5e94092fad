import type * as SDK from '@aws-sdk/client-backup';
import { operations, refuse } from '../../world/service.ts';
import { pageOf } from '../pages.ts';
import { isFileSystem, readable, type SavedFileSystem, save, sizeOf, walkSeconds } from './file-systems.ts';
import { roleTrouble } from './role.ts';
import { type BackupJob, type BackupState, daysIn, expireInTime, lockTrouble, type RecoveryPoint } from './state.ts';

/** AWS Backup API, StartBackupJob. */
const START_MINUTES = 480;
const LEAST_START_MINUTES = 60;
const COMPLETE_MINUTES = 10_080;
/** A job that cannot begin is tried again so often until its start window ends (AWS Backup guide, "Backup job statuses"). */
const AGAIN_SECONDS = 600;
const PENDING = [1, 15] as const;

const describe = (job: BackupJob, { account }: BackupState) => ({
  AccountId: account,
  BackupJobId: job.id,
  BackupVaultName: job.vault.name,
  BackupVaultArn: job.vault.arn,
  RecoveryPointArn: job.point,
  ResourceArn: job.resource,
  ResourceType: 'EFS',
  ResourceName: job.resource.split('/').at(-1) as string,
  IamRoleArn: job.role,
  State: job.state,
  PercentDone: job.state === 'COMPLETED' ? '100.0' : '0.0',
  CreationDate: job.createdAt,
  StartBy: job.startBy,
  EncryptionKeyArn: job.vault.key,
  IsEncrypted: true,
  IsParent: false,
  MessageCategory: job.state === 'COMPLETED' ? 'SUCCESS' : '',
  ...(job.message === undefined ? {} : { StatusMessage: job.message }),
  ...(job.initiatedAt ? { InitiationDate: job.initiatedAt } : {}),
  ...(job.completedAt ? { CompletionDate: job.completedAt } : {}),
  ...(job.bytes === undefined ? {} : { BackupSizeInBytes: job.bytes, BytesTransferred: job.bytes }),
  ...(job.deleteAfterDays === undefined ? {} : { RecoveryPointLifecycle: { DeleteAfterDays: job.deleteAfterDays } }),
});

export const backupJobs = operations<typeof SDK, BackupState>()({
  /** With a token that was used, nothing happens and the job is the one of that time. */
  StartBackupJob(input, { state }) {
    const { BackupVaultName, ResourceArn = '', IamRoleArn = '', IdempotencyToken: token } = input;
    if (!IamRoleArn) refuse('MissingParameterValueException', 'IamRoleArn is missing.');
    const vault = state.vault(BackupVaultName);
    if (!isFileSystem(ResourceArn)) refuse('InvalidParameterValueException', `Unsupported resource type: ${ResourceArn}`);
    const { StartWindowMinutes = START_MINUTES, CompleteWindowMinutes = COMPLETE_MINUTES } = input;
    if (StartWindowMinutes < LEAST_START_MINUTES)
      refuse('InvalidParameterValueException', `StartWindowMinutes must be at least ${LEAST_START_MINUTES}.`);
    if (!state.optedIn['EFS']) refuse('InvalidRequestException', 'This account has not opted in to back up EFS in this Region.');
    const known = [...state.backupJobs.values()].find(
      (job) => token !== undefined && job.token === token && job.resource === ResourceArn,
    );
    if (known) return begun(known);
    const createdAt = state.now();
    const inMinutes = (minutes: number) => new Date(createdAt.getTime() + minutes * 60_000);
    const job: BackupJob = {
      id: state.newJobId(),
      token,
      vault,
      resource: ResourceArn,
      role: IamRoleArn,
      point: state.newPointArn(),
      createdAt,
      startBy: inMinutes(StartWindowMinutes),
      completeBy: inMinutes(CompleteWindowMinutes),
      deleteAfterDays: daysIn(input.Lifecycle),
      tags: { ...input.RecoveryPointTags },
      state: 'CREATED',
      message: undefined,
    };
    state.backupJobs.set(job.id, job);
    state.world.clock.at(job.startBy.getTime(), () => {
      if (job.state === 'CREATED')
        end(job, 'EXPIRED', job.message ?? 'Backup job could not start within its start window.', state);
    });
    state.after(state.startSeconds, () => attempt(job, state));
    return begun(job);
  },

  DescribeBackupJob: ({ BackupJobId }, { state }) => describe(find(BackupJobId, state), state),

  ListBackupJobs({ MaxResults, NextToken, ...by }, { state }) {
    const found = [...state.backupJobs.values()].filter(
      (job) =>
        (by.ByResourceArn === undefined || job.resource === by.ByResourceArn) &&
        (by.ByState === undefined || job.state === by.ByState) &&
        (by.ByBackupVaultName === undefined || job.vault.name === by.ByBackupVaultName) &&
        (by.ByResourceType === undefined || by.ByResourceType === 'EFS') &&
        (by.ByAccountId === undefined || by.ByAccountId === '*' || by.ByAccountId === state.account) &&
        (by.ByCreatedAfter === undefined || job.createdAt > by.ByCreatedAfter) &&
        (by.ByCreatedBefore === undefined || job.createdAt < by.ByCreatedBefore),
    );
    const { page, next } =
      pageOf(found, MaxResults, NextToken) ?? refuse('InvalidParameterValueException', 'NextToken is invalid.');
    return { BackupJobs: page.map((job) => describe(job, state)), ...(next ? { NextToken: next } : {}) };
  },

  StopBackupJob({ BackupJobId }, { state }) {
    const job = find(BackupJobId, state);
    if (job.completedAt) refuse('InvalidRequestException', `Backup job ${job.id} is ${job.state}.`);
    end(job, 'ABORTED', 'Backup job was stopped by user.', state);
    return {};
  },
});

const find = (id: string | undefined, { backupJobs: jobs }: BackupState): BackupJob =>
  jobs.get(id ?? '') ?? refuse('ResourceNotFoundException', `Backup job ${id} does not exist.`);

const begun = ({ id, point, createdAt }: BackupJob) => ({
  BackupJobId: id,
  RecoveryPointArn: point,
  CreationDate: createdAt,
  IsParent: false,
});

/** One backup or copy of a resource at a time; the others stay CREATED and are tried again until their start window ends. */
function attempt(job: BackupJob, state: BackupState): void {
  if (job.state !== 'CREATED') return;
  const other = state.busy.get(job.resource);
  if (other !== undefined) {
    job.message = `Another job, ${other}, is running for ${job.resource}.`;
    state.after(AGAIN_SECONDS, () => attempt(job, state));
    return;
  }
  const trouble = lockTrouble(job.vault, job.deleteAfterDays) ?? trustTrouble(job, state);
  if (trouble) {
    end(job, 'FAILED', trouble, state);
    return;
  }
  state.busy.set(job.resource, job.id);
  job.state = 'PENDING';
  job.message = undefined;
  state.after(PENDING, () => walk(job, state));
}

function walk(job: BackupJob, state: BackupState): void {
  const { world } = state;
  if (job.state !== 'PENDING') return;
  const of = readable(world, state, job.resource);
  if (!of) {
    end(job, 'FAILED', `Resource ${job.resource} does not exist or is not available.`, state);
    return;
  }
  const from = state.now();
  Object.assign(job, { state: 'RUNNING', initiatedAt: from });
  const point = pointOf(job);
  job.vault.points.set(point.arn, point);
  const seconds = world.random.between(...state.workSeconds) + walkSeconds(of);
  const left = (job.completeBy.getTime() - from.getTime()) / 1000;
  state.after(Math.min(seconds, left), () => {
    if (job.state !== 'RUNNING') return;
    const late = seconds > left ? 'Backup job expired before completion: its completion window ended.' : undefined;
    const gone = readable(world, state, job.resource) ? undefined : `Resource ${job.resource} is gone.`;
    const trouble = gone ?? trustTrouble(job, state);
    if (late) end(job, 'EXPIRED', late, state, 'PARTIAL');
    else if (trouble) end(job, 'FAILED', trouble, state);
    else complete(job, point, save(of, from, state.now(), world), state);
  });
}

/** AWS Backup guide, "Managed policies": AWSBackupServiceRolePolicyForBackup, as far as it concerns EFS. */
const trustTrouble = ({ role, resource, vault, point, tags }: BackupJob, state: BackupState): string | undefined =>
  roleTrouble(
    role,
    'backup',
    [
      { action: 'backup:DescribeBackupVault', resource: vault.arn },
      { action: 'elasticfilesystem:Backup', resource },
      { action: 'elasticfilesystem:DescribeTags', resource },
      ...(Object.keys(tags).length > 0 ? [{ action: 'backup:TagResource', resource: point }] : []),
    ],
    vault.key,
    state,
  );

const pointOf = (job: BackupJob): RecoveryPoint => ({
  arn: job.point,
  vault: job.vault,
  resource: job.resource,
  role: job.role,
  createdAt: job.createdAt,
  source: undefined,
  status: 'CREATING',
  deleteAfterDays: job.deleteAfterDays,
  tags: { ...job.tags },
});

function complete(job: BackupJob, point: RecoveryPoint, saved: SavedFileSystem, state: BackupState): void {
  Object.assign(point, { completedAt: state.now(), saved });
  job.bytes = sizeOf(saved);
  end(job, 'COMPLETED', undefined, state, 'COMPLETED');
  expireInTime(point, state);
}

/** Ends a job and lets the next one begin; what it did not complete is gone, unless it is partly there. */
function end(
  job: BackupJob,
  outcome: SDK.BackupJobState,
  message: string | undefined,
  state: BackupState,
  left?: SDK.RecoveryPointStatus,
): void {
  Object.assign(job, { state: outcome, message, completedAt: state.now() });
  if (state.busy.get(job.resource) === job.id) state.busy.delete(job.resource);
  const point = job.vault.points.get(job.point);
  if (point && left) point.status = left;
  else if (point) job.vault.points.delete(point.arn);
}
