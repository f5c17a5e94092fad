import { DeleteSnapshotCommand, EC2Client, type Snapshot } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { stamped, TAG } from '../../../aws/tags.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { inParallel, why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { describing, findSnapshots, listSnapshots } from './snapshots.ts';
import { isVolumeArn, KIND, volumeArn } from './volume.ts';

const deleting = { deleteSnapshot: calls('ec2', EC2Client).again(DeleteSnapshotCommand), ...describing };

/** Every snapshot here that bears the application's stamp: captures, copies, and what CreateSnapshots took along besides. */
export const strays = verb(
  describing,
  async (aws, { application }: StraysScope, { here }): Promise<Stray[]> =>
    (await listSnapshots(aws, stamped({ application }))).flatMap((snapshot): Stray[] => {
      const tags = tagMap(snapshot.Tags);
      const restorePoint = tags.get(TAG.restorePoint);
      if (restorePoint === undefined) return [];
      const cut = tags.get(TAG.cut);
      const stamped = tags.get(TAG.resource) ?? '';
      return [
        {
          kind: KIND,
          id: snapshot.SnapshotId!,
          restorePoint,
          ...(cut === undefined ? {} : { cut }),
          // Snapshots that one call took of an instance share one stamp; whose each is says the volume.
          resource: isVolumeArn(stamped) ? stamped : volumeArn(here, snapshot.VolumeId!),
          createdAt: snapshot.StartTime!.toISOString(),
        },
      ];
    }),
);

export const expire = verb(deleting, async (aws, works: readonly Expiry[]): Promise<Expired[]> => {
  const found = await findSnapshots(
    aws,
    works.map(({ id }) => id),
  );
  return inParallel(works, 10, ({ id }) => remove(aws, id, found.get(id)));
});

async function remove(aws: Door<typeof deleting>, id: string, snapshot: Snapshot | undefined): Promise<Expired> {
  if (!snapshot) return { id, gone: true };
  if (!tagMap(snapshot.Tags).has(TAG.restorePoint)) {
    return {
      id,
      gone: false,
      why: `${id} does not bear the tag ${TAG.restorePoint}, so it was not made here and is left alone.`,
    };
  }
  return aws
    .deleteSnapshot({ SnapshotId: id })
    .then(() => ({ id, gone: true }))
    .catch(when('InvalidSnapshot.NotFound', () => ({ id, gone: true })))
    .catch((error) => ({ id, gone: false, why: why(`${id} could not be deleted`)(error) }));
}
