import type * as SDK from '@aws-sdk/client-backup';
import { documentOf } from '../../world/authorization/document.ts';
import { operations, refuse } from '../../world/service.ts';
import { pageOf } from '../pages.ts';
import { roleTrouble } from './role.ts';
import { type BackupState, type CopyJob, daysIn, expireInTime, lockTrouble, type RecoveryPoint, type Vault } from './state.ts';

/** How soon a copy that has to wait is tried again. */
const AGAIN_SECONDS = 60;

const describe = (job: CopyJob, { account }: BackupState) => ({
  AccountId: account,
  CopyJobId: job.id,
  SourceBackupVaultArn: job.source.vault.arn,
  SourceRecoveryPointArn: job.source.arn,
  DestinationBackupVaultArn: job.destination,
  ResourceArn: job.source.resource,
  ResourceType: 'EFS',
  IamRoleArn: job.role,
  CreationDate: job.createdAt,
  State: job.state,
  IsParent: false,
  ...(job.message === undefined ? {} : { StatusMessage: job.message }),
  ...(job.completedAt ? { CompletionDate: job.completedAt } : {}),
  ...(job.copy === undefined ? {} : { DestinationRecoveryPointArn: job.copy }),
});

export const copyJobs = operations<typeof SDK, BackupState>()({
  /** Called where the source is, which pushes (AWS Backup API, StartCopyJob). */
  StartCopyJob(input, { state }) {
    const {
      RecoveryPointArn,
      SourceBackupVaultName = '',
      DestinationBackupVaultArn = '',
      IamRoleArn = '',
      IdempotencyToken: token,
    } = input;
    if (!IamRoleArn) refuse('MissingParameterValueException', 'IamRoleArn is missing.');
    const source = state.point(RecoveryPointArn, SourceBackupVaultName);
    if (!/^arn:aws:backup:[^:]+:\d{12}:backup-vault:.+$/.test(DestinationBackupVaultArn))
      refuse('InvalidParameterValueException', `"${DestinationBackupVaultArn}" is not the ARN of a backup vault.`);
    if (DestinationBackupVaultArn === source.vault.arn)
      refuse('InvalidParameterValueException', 'The source and the destination are the same backup vault.');
    const known = [...state.copyJobs.values()].find((job) => token !== undefined && job.token === token && job.source === source);
    if (known) return { CopyJobId: known.id, CreationDate: known.createdAt, IsParent: false };
    if (source.status !== 'COMPLETED') refuse('InvalidRequestException', `Recovery point ${source.arn} is ${source.status}.`);
    const job: CopyJob = {
      id: state.newJobId(),
      token,
      role: IamRoleArn,
      source,
      destination: DestinationBackupVaultArn,
      deleteAfterDays: daysIn(input.Lifecycle),
      createdAt: state.now(),
      state: 'CREATED',
      message: undefined,
    };
    state.copyJobs.set(job.id, job);
    state.after(state.startSeconds, () => attempt(job, state));
    return { CopyJobId: job.id, CreationDate: job.createdAt, IsParent: false };
  },

  DescribeCopyJob({ CopyJobId }, { state }) {
    const job =
      state.copyJobs.get(CopyJobId ?? '') ?? refuse('ResourceNotFoundException', `Copy job ${CopyJobId} does not exist.`);
    return { CopyJob: describe(job, state) };
  },

  ListCopyJobs({ MaxResults, NextToken, ...by }, { state }) {
    const found = [...state.copyJobs.values()].filter(
      (job) =>
        (by.ByResourceArn === undefined || job.source.resource === by.ByResourceArn) &&
        (by.ByState === undefined || job.state === by.ByState) &&
        (by.BySourceRecoveryPointArn === undefined || job.source.arn === by.BySourceRecoveryPointArn) &&
        (by.ByDestinationVaultArn === undefined || job.destination === by.ByDestinationVaultArn) &&
        (by.ByCreatedAfter === undefined || job.createdAt > by.ByCreatedAfter) &&
        (by.ByCreatedBefore === undefined || job.createdAt < by.ByCreatedBefore),
    );
    const { page, next } =
      pageOf(found, MaxResults, NextToken) ?? refuse('InvalidParameterValueException', 'NextToken is invalid.');
    return { CopyJobs: page.map((job) => describe(job, state)), ...(next ? { NextToken: next } : {}) };
  },
});

const placeOf = (arn: string): { account: string; region: string; vault: string } => {
  const [, , , region = '', account = '', , vault = ''] = arn.split(':');
  return { account, region, vault };
};

/** While either region is dark nothing gets across, and it is tried again; so it is while another job works on the resource. */
function attempt(job: CopyJob, state: BackupState): void {
  const { resource } = job.source;
  const { region } = placeOf(job.destination);
  const other = state.busy.get(resource);
  if (other !== undefined || isDark(state, region)) {
    job.message = other === undefined ? `${region} cannot be reached.` : `Another job, ${other}, is running for ${resource}.`;
    state.after(AGAIN_SECONDS, () => attempt(job, state));
    return;
  }
  state.busy.set(resource, job.id);
  Object.assign(job, { state: 'RUNNING', message: undefined });
  state.after(state.workSeconds, () => arrive(job, state));
}

const isDark = ({ world, region: here }: BackupState, there: string): boolean => world.dark.has(here) || world.dark.has(there);

function arrive(job: CopyJob, state: BackupState): void {
  const { region, account, vault: name } = placeOf(job.destination);
  if (isDark(state, region)) {
    state.after(AGAIN_SECONDS, () => arrive(job, state));
    return;
  }
  const there = state.world.state<BackupState>('backup', { account, region });
  const vault = there.vaults.get(name);
  const trouble = whyNot(job, vault, account, state) ?? there.keyTrouble(vault!.key) ?? trustTrouble(job, vault!, account, state);
  state.busy.delete(job.source.resource);
  job.completedAt = state.now();
  if (trouble) Object.assign(job, { state: 'FAILED', message: trouble });
  else {
    const copy = copyOf(job, vault!, there);
    vault!.points.set(copy.arn, copy);
    expireInTime(copy, there);
    Object.assign(job, { state: 'COMPLETED', copy: copy.arn });
  }
}

/** AWS Backup guide, "Managed policies": AWSBackupServiceRolePolicyForBackup copies into any vault; the vault's policy may keep it out. */
function trustTrouble(
  { role, destination, source }: CopyJob,
  { policy }: Vault,
  owner: string,
  state: BackupState,
): string | undefined {
  const guard = policy === undefined ? {} : { guard: { policy: documentOf(policy, 'resource') } };
  const into = ['backup:DescribeBackupVault', 'backup:CopyIntoBackupVault'];
  const checks = into.map((action) => ({ action, resource: destination, owner, ...(action.includes('Copy') ? guard : {}) }));
  return roleTrouble(role, 'copy', owner === state.account ? checks : checks.slice(1), source.vault.key, state);
}

const copyOf = ({ source, role, deleteAfterDays }: CopyJob, vault: Vault, there: BackupState): RecoveryPoint => ({
  arn: there.newPointArn(),
  vault,
  resource: source.resource,
  role,
  createdAt: there.now(),
  completedAt: there.now(),
  source: source.vault.arn,
  status: 'COMPLETED',
  deleteAfterDays,
  tags: { ...source.tags }, // a copy bears the tags of its source (AWS Backup guide, "Copying tags")
  ...(source.saved ? { saved: source.saved } : {}),
});

function whyNot(job: CopyJob, vault: Vault | undefined, account: string, state: BackupState): string | undefined {
  if (!vault) return `Backup vault ${job.destination} does not exist.`;
  if (job.source.vault.points.get(job.source.arn) !== job.source) return `Recovery point ${job.source.arn} is gone.`;
  // Into another account only where the vault's policy lets it in (AWS Backup guide, "Cross-account backup").
  if (account !== state.account && !vault.policy?.includes('backup:CopyIntoBackupVault'))
    return `Access to ${job.destination} is denied.`;
  return lockTrouble(vault, job.deleteAfterDays);
}
