import type { GrantOperation } from '@aws-sdk/client-kms';
import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../../world/service.ts';
import type { KmsState } from '../../kms/state.ts';
import type { S3State } from '../../s3/state.ts';
import { keyAt } from '../encryption.ts';
import { identifier, paged, passes } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { carryOut, type Export } from './task.ts';

/** Exports of an account at a time, in all its regions (RDS guide, "Exporting DB snapshot data", "Limitations"). */
const MOST_EXPORTS = 5;
const RUNNING = ['STARTING', 'IN_PROGRESS', 'CANCELING'];

function refuseBusy(source: string, { world, account }: Context<RdsState>): void {
  const running = world
    .places('rds')
    .filter((place) => place.account === account)
    .flatMap((place) => [...world.state<RdsState>('rds', place).exports.values()])
    .filter(({ Status = '' }) => RUNNING.includes(Status));
  if (running.some(({ SourceArn }) => SourceArn === source))
    refuse('InvalidExportSourceStateFault', `An export of ${source} is running already.`);
  if (running.length >= MOST_EXPORTS)
    refuse('LimitExceededException', `You have reached the maximum number of concurrent export tasks (${MOST_EXPORTS}).`);
}

/** A bucket of the same region as the snapshot, which the account owns or may write to. */
function bucketIn(name: string | undefined, { peer, region }: Context<RdsState>): string {
  const bucket = peer<S3State>('s3').peek(name ?? '');
  if (!bucket) return refuse('InvalidS3BucketFault', `The S3 bucket ${name} doesn't exist.`);
  if (bucket.region !== region) refuse('InvalidS3BucketFault', `The S3 bucket ${name} is in ${bucket.region}, not in ${region}.`);
  return bucket.name;
}

/** What RDS encrypts with the key, it does by a grant that it makes in the caller's name (RDS guide, "Exporting DB snapshot data": KMS key). */
function grantTo({ IamRoleArn, KmsKeyId, ExportTaskIdentifier: Name }: Export, { peer, world, now }: Context<RdsState>): void {
  const { arn, grants } = peer<KmsState>('kms').find(KmsKeyId);
  const [GrantId, GrantToken] = [world.random.hex(64), world.random.hex(64)];
  const Operations = ['Encrypt', 'Decrypt', 'GenerateDataKey', 'DescribeKey'] satisfies GrantOperation[];
  grants.set(GrantId, { KeyId: arn, GrantId, GrantToken, GranteePrincipal: IamRoleArn, Operations, Name, CreationDate: now() });
}

/** One that is written as a role of this account is taken to exist; whether it trusts export.rds.amazonaws.com shows when it is assumed. */
function roleIn(arn: string | undefined, { account }: Context<RdsState>): string {
  return new RegExp(`^arn:aws:iam::${account}:role/.+$`).test(arn ?? '')
    ? (arn as string)
    : refuse('IamRoleNotFoundFault', `The IAM role ${arn} can't be found.`, { status: 404 });
}

export const exportTasks = operations<typeof SDK, RdsState>()({
  StartExportTask(input, context) {
    const { state } = context;
    const id = identifier(input.ExportTaskIdentifier, 'ExportTaskIdentifier', 60);
    if (state.exports.has(id)) refuse('ExportTaskAlreadyExistsFault', `Export task ${id} already exists.`);
    if (input.ExportOnly?.length) refuse('InvalidExportOnlyFault', 'The local AWS exports whole databases only.');
    const source = input.SourceArn ?? '';
    const [ofInstance, ofCluster] = [state.arn('snapshot', ''), state.arn('cluster-snapshot', '')];
    if (![ofInstance, ofCluster].some((prefix) => source.startsWith(prefix)))
      refuse('InvalidParameterValue', `${source} is not the ARN of a DB snapshot of this account and region.`);
    const snapshot = source.startsWith(ofCluster) ? state.clusterSnapshot(source) : state.snapshot(source);
    if (snapshot.status !== 'available')
      refuse('InvalidExportSourceStateFault', `The export source ${source} is ${snapshot.status}.`);
    refuseBusy(source, context);
    const task: Export = {
      ExportTaskIdentifier: id,
      SourceArn: source,
      SourceType: 'SNAPSHOT',
      SnapshotTime: new Date(snapshot.originallyAt),
      S3Bucket: bucketIn(input.S3BucketName, context),
      ...(input.S3Prefix ? { S3Prefix: input.S3Prefix } : {}),
      IamRoleArn: roleIn(input.IamRoleArn, context),
      KmsKeyId: keyAt(input.KmsKeyId ?? '', context, context),
      Status: 'STARTING',
      PercentProgress: 0,
    };
    grantTo(task, context);
    state.exports.set(id, task);
    carryOut(task, snapshot, context);
    return task;
  },

  DescribeExportTasks({ ExportTaskIdentifier, SourceArn, SourceType, Filters, ...paging }, { state }) {
    const all = [...state.exports.values()].filter(
      (task) =>
        (!ExportTaskIdentifier || task.ExportTaskIdentifier === ExportTaskIdentifier) &&
        (!SourceArn || task.SourceArn === SourceArn) &&
        (!SourceType || task.SourceType === SourceType) &&
        passes(Filters, {
          'export-task-identifier': [task.ExportTaskIdentifier],
          's3-bucket': [task.S3Bucket],
          'source-arn': [task.SourceArn],
          status: [task.Status?.toLowerCase()],
        }),
    );
    if (ExportTaskIdentifier && all.length === 0)
      refuse('ExportTaskNotFoundFault', `Export task ${ExportTaskIdentifier} not found.`, { status: 404 });
    const { page, ...next } = paged(all, paging);
    return { ExportTasks: page, ...next };
  },

  CancelExportTask({ ExportTaskIdentifier }, { state }) {
    const task = state.exports.get(ExportTaskIdentifier ?? '');
    if (!task) return refuse('ExportTaskNotFoundFault', `Export task ${ExportTaskIdentifier} not found.`, { status: 404 });
    if (!RUNNING.includes(task.Status ?? ''))
      refuse('InvalidExportTaskStateFault', `Export task ${ExportTaskIdentifier} is ${task.Status}.`);
    task.Status = 'CANCELING';
    return task;
  },
});
