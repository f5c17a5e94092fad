import type * as SDK from '@aws-sdk/client-backup';
import { operations, Refusal, refuse } from '../../world/service.ts';
import type { FileSystem } from '../elasticfilesystem/state.ts';
import { pageOf } from '../pages.ts';
import { metadataTrouble, sizeOf, target, writeBack } from './file-systems.ts';
import { roleTrouble } from './role.ts';
import type { BackupState, RestoreJob } from './state.ts';

const describe = (job: RestoreJob, { account }: BackupState) => ({
  AccountId: account,
  RestoreJobId: job.id,
  RecoveryPointArn: job.point.arn,
  SourceResourceArn: job.point.resource,
  BackupVaultArn: job.point.vault.arn,
  ResourceType: 'EFS',
  IamRoleArn: job.role,
  CreationDate: job.createdAt,
  Status: job.state,
  PercentDone: job.state === 'COMPLETED' ? '100.00%' : '0.00%',
  BackupSizeInBytes: sizeOf(job.point.saved),
  ...(job.message === undefined ? {} : { StatusMessage: job.message }),
  ...(job.completedAt ? { CompletionDate: job.completedAt } : {}),
  ...(job.created === undefined ? {} : { CreatedResourceArn: job.created }),
});

export const restoreJobs = operations<typeof SDK, BackupState>()({
  StartRestoreJob(input, { state }) {
    const { RecoveryPointArn, Metadata = {}, IamRoleArn = '', IdempotencyToken: token } = input;
    const point = state.point(RecoveryPointArn);
    if (!IamRoleArn) refuse('MissingParameterValueException', 'IamRoleArn is missing.');
    const known = [...state.restoreJobs.values()].find(
      (job) => token !== undefined && job.token === token && job.point === point,
    );
    if (known) return { RestoreJobId: known.id };
    const trouble = metadataTrouble(Metadata);
    if (trouble) refuse('InvalidParameterValueException', trouble);
    if (point.status !== 'COMPLETED') refuse('InvalidRequestException', `Recovery point ${point.arn} is ${point.status}.`);
    const job: RestoreJob = {
      id: state.newJobId(),
      token,
      role: IamRoleArn,
      point,
      metadata: { ...Metadata },
      withTags: input.CopySourceTagsToRestoredResource === true,
      createdAt: state.now(),
      state: 'PENDING',
      message: undefined,
    };
    state.restoreJobs.set(job.id, job);
    state.after(state.startSeconds, () => run(job, state));
    return { RestoreJobId: job.id };
  },

  DescribeRestoreJob({ RestoreJobId }, { state }) {
    const job =
      state.restoreJobs.get(RestoreJobId ?? '') ??
      refuse('ResourceNotFoundException', `Restore job ${RestoreJobId} does not exist.`);
    return describe(job, state);
  },

  GetRestoreJobMetadata({ RestoreJobId }, { state }) {
    const job =
      state.restoreJobs.get(RestoreJobId ?? '') ??
      refuse('ResourceNotFoundException', `Restore job ${RestoreJobId} does not exist.`);
    return { RestoreJobId: job.id, Metadata: { ...job.metadata } };
  },

  ListRestoreJobs({ MaxResults, NextToken, ByStatus, ByAccountId }, { state }) {
    const found = [...state.restoreJobs.values()].filter(
      (job) => (ByStatus === undefined || job.state === ByStatus) && (ByAccountId === undefined || ByAccountId === state.account),
    );
    const { page, next } =
      pageOf(found, MaxResults, NextToken) ?? refuse('InvalidParameterValueException', 'NextToken is invalid.');
    return { RestoreJobs: page.map((job) => describe(job, state)), ...(next ? { NextToken: next } : {}) };
  },
});

/** A new file system stands before its files do; what fails in between leaves it there. */
function run(job: RestoreJob, state: BackupState): void {
  try {
    const trouble = trustTrouble(job, state);
    if (trouble) refuse('InvalidRequestException', trouble);
    const into = target(job.metadata, job.withTags ? (job.point.saved?.tags ?? {}) : {}, state.world, state);
    Object.assign(job, { state: 'RUNNING', created: into.arn });
    state.after(state.workSeconds, () => fill(job, into, state));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    end(job, 'FAILED', error.message, state);
  }
}

/** AWS Backup guide, "Managed policies": AWSBackupServiceRolePolicyForRestores, as far as it concerns EFS. */
function trustTrouble({ role, metadata, point, withTags }: RestoreJob, state: BackupState): string | undefined {
  const files = `arn:aws:elasticfilesystem:${state.region}:${state.account}:file-system/`;
  const isNew = metadata['newFileSystem']?.toLowerCase() === 'true';
  const resource = `${files}${isNew ? '*' : metadata['file-system-id']}`;
  const making = ['CreateFileSystem', 'DescribeFileSystems', ...(withTags ? ['TagResource'] : [])];
  const checks = ['Restore', ...(isNew ? making : [])].map((name) => ({
    action: `elasticfilesystem:${name}`,
    resource: name === 'CreateFileSystem' ? '*' : resource,
  }));
  return roleTrouble(role, 'restore', checks, point.vault.key, state);
}

function fill(job: RestoreJob, into: FileSystem, state: BackupState): void {
  const { saved } = job.point;
  if (saved && into.state !== 'deleting') {
    writeBack(saved, into, job.metadata, state.now());
    end(job, 'COMPLETED', undefined, state);
  } else end(job, 'FAILED', `${into.id} or the recovery point is gone.`, state);
}

const end = (job: RestoreJob, outcome: SDK.RestoreJobStatus, message: string | undefined, state: BackupState): void =>
  void Object.assign(job, { state: outcome, message, completedAt: state.now() });
