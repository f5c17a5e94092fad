import {
  type CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  RDSClient,
  type RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { type Call, calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import type { Door, Scene } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { asJson } from '../../items.ts';
import { type CaptureWork, done, failed, type Started, started, waiting } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { findInstance, findSnapshot, type looksAtInstances } from './describe.ts';
import { factsOf } from './instance.ts';
import { ofSnapshot, snapshotName, type snapshotting, stampOf, troubleWith } from './snapshots.ts';

/** How a snapshot comes to be: by way of a temporary instance of `at`, or of the moment of the call. */
export type Handle =
  | { readonly by: 'materialise'; readonly at: Instant }
  | { readonly by: 'snapshot'; readonly artifact: Artifact };

/** The temporary instance bears our tags; an instance without them is never deleted. */
export const materialising = {
  removeTemporary: calls('rds', RDSClient).again(DeleteDBInstanceCommand),
};
type Looking = Door<typeof looksAtInstances & typeof snapshotting>;
type Restoring = Looking & Door<{ restoreToTime: Call<typeof RestoreDBInstanceToPointInTimeCommand> }>;
type Finishing = Looking & Door<typeof materialising & { createSnapshot: Call<typeof CreateDBSnapshotCommand> }>;

const QUOTA_MILLIS = 300_000;
const GRAIN_MILLIS = 1000;
/** Statuses out of which a restore does not come. */
const LOST = [
  'failed',
  'incompatible-restore',
  'incompatible-parameters',
  'incompatible-network',
  'incompatible-option-group',
  'restore-error',
  'storage-full',
];

/** Begins to restore T into an instance that nobody else uses: not backed up, with none of the application's tags, named as its snapshot will be. */
export async function restoreTemporary(
  aws: Restoring,
  work: CaptureWork,
  at: Instant,
  { clock }: Scene,
): Promise<Item<Artifact>> {
  const { resource } = work;
  const name = snapshotName(work);
  const begun = started(
    resource.id,
    asJson({ by: 'materialise', at } satisfies Handle),
    'It is being restored to be snapshotted.',
  );
  if (await findSnapshot(aws, name)) return begun;
  const { resourceId, subnetGroup, parameterGroup, optionGroup } = factsOf(resource);
  return aws
    .restoreToTime({
      SourceDbiResourceId: resourceId,
      RestoreTime: new Date(at),
      TargetDBInstanceIdentifier: name,
      MultiAZ: false,
      PubliclyAccessible: false,
      DeletionProtection: false,
      BackupRetentionPeriod: 0,
      ...(subnetGroup ? { DBSubnetGroupName: subnetGroup } : {}),
      ...(parameterGroup ? { DBParameterGroupName: parameterGroup } : {}),
      ...(optionGroup ? { OptionGroupName: optionGroup } : {}),
      Tags: stampOf(work),
    })
    .then(() => begun)
    .catch(when('DBInstanceAlreadyExistsFault', () => begun))
    .catch(
      when(['InstanceQuotaExceededFault', 'StorageQuotaExceededFault', 'InsufficientDBInstanceCapacityFault'], ({ message }) =>
        waiting(resource.id, instant(clock.now() + QUOTA_MILLIS), `There is no room for the temporary instance: ${message}.`),
      ),
    );
}

/** Goes on: restored, then snapshotted, then removed; done when the snapshot is there and the temporary instance is not any more. */
export async function snapshotTemporary(aws: Finishing, work: Started<CaptureWork>, at: Instant): Promise<Item<Artifact>> {
  const { resource } = work;
  const name = snapshotName(work);
  const onTheWay = (why: string) => started(resource.id, work.handle, why);
  const [snapshot, temporary] = [await findSnapshot(aws, name), await findInstance(aws, name)];
  if (temporary && tagMap(temporary.TagList).get(TAG.resource) !== resource.id)
    return failed(resource.id, `A DB instance ${name} exists and was not made for it; it is left alone.`);
  if (!snapshot) {
    const status = temporary?.DBInstanceStatus;
    if (!status || status === 'deleting')
      return failed(resource.id, `Its temporary instance ${name} is gone: someone deleted it.`);
    if (LOST.includes(status)) return failed(resource.id, `Its temporary instance ${name} ended as ${status}.`);
    if (status !== 'available') return onTheWay(`Its temporary instance is ${status}.`);
    await aws
      .createSnapshot({ DBInstanceIdentifier: name, DBSnapshotIdentifier: name, Tags: stampOf(work) })
      .catch(when(['DBSnapshotAlreadyExistsFault', 'InvalidDBInstanceStateFault'], () => undefined));
    return onTheWay('Its temporary instance is being snapshotted.');
  }
  const trouble = troubleWith(snapshot, name, resource.id);
  if (trouble) return failed(resource.id, trouble);
  if (snapshot.Status !== 'available') return onTheWay(`The snapshot of its temporary instance is ${snapshot.Status}.`);
  if (temporary && temporary.DBInstanceStatus !== 'deleting') {
    await aws.removeTemporary({ DBInstanceIdentifier: name, SkipFinalSnapshot: true, DeleteAutomatedBackups: true });
    return onTheWay('Its temporary instance is being removed.');
  }
  const interval = { from: instant(millis(at) - GRAIN_MILLIS), to: instant(millis(at) + GRAIN_MILLIS) };
  return done(resource.id, ofSnapshot(work, interval, at));
}
