import { CreateVolumeCommand, DescribeVolumesCommand, EC2Client, type Volume, type VolumeType } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { stamp } from '../../../aws/tags.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { type Item, pointId, type Rename, type Restored, samePlace } from '../../../domain.ts';
import { DATA_KEY, sha256 } from '../../../vault/layout.ts';
import { chunksOf, failing, handleOf } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started, started } from '../../kind.ts';
import { ownTags } from '../../scope.ts';
import { ENCRYPTING } from './snapshots.ts';
import { factsOf, KIND, volumeArn } from './volume.ts';
import { zoneFor, zonesOf, zoning } from './zones.ts';

const { read, again } = calls('ec2', EC2Client);

const creating = { createVolume: again(CreateVolumeCommand, { also: ['ec2:CreateTags', ...ENCRYPTING] }), ...zoning };
const looking = { volumes: read(DescribeVolumesCommand) };

/** Tags that one EC2 resource can bear (EC2 guide, "Tag restrictions"). */
const MOST_TAGS = 50;

type Handle = { readonly volume: string; readonly zone: string; readonly notes: readonly string[] };

export const restore: Passage<RestoreWork, Restored> = {
  start: verb(creating, async (aws, works: readonly RestoreWork[]): Promise<Item<Restored>[]> => {
    const zones = new Map(
      await Promise.all(
        [...new Set(works.map(({ target }) => target))].map(async (target) => [target, await zonesOf(aws, target)] as const),
      ),
    );
    return Promise.all(works.map((work) => create(aws, work, zones.get(work.target)!)));
  }),

  settle: verb(looking, async (aws, works: readonly Started<RestoreWork>[]): Promise<Item<Restored>[]> => {
    const found = await findVolumes(
      aws,
      works.map((work) => handleOf<Handle>(work).volume),
    );
    return works.map((work) => {
      const { volume, zone, notes } = handleOf<Handle>(work);
      const state = found.get(volume)?.State;
      if (state === 'available' || state === 'in-use') return done(work.resource.id, restoredAs(work, volume, zone, notes));
      if (state === 'creating' || state === undefined) {
        return started(
          work.resource.id,
          work.handle,
          `${volume} ${state === undefined ? 'does not show up yet' : 'is being created'}.`,
        );
      }
      return failed(
        work.resource.id,
        `${volume}, made from ${work.artifact.id}, is in state ${state}; its key or its snapshot could not be used.`,
      );
    });
  }),
};

/** A new volume with the content of the snapshot and the settings of the original; asked again, the token answers the same volume. */
async function create(aws: Door<typeof creating>, work: RestoreWork, zones: readonly string[]): Promise<Item<Restored>> {
  const { resource, artifact } = work;
  const facts = factsOf(resource);
  const zone = zoneFor(facts.zone, zones);
  if (!zone) return failed(resource.id, `No zone of ${work.target.place.region} is available to make a volume in.`);
  const ours = stamp({
    application: work.point.application,
    restorePoint: pointId(work.point),
    resource: resource.id,
    restore: work.restore,
  });
  const tags = ownTags(new Map(Object.entries(facts.tags)));
  const kept = tags.slice(0, MOST_TAGS - ours.length);
  const dropped = tags.slice(kept.length).map(({ Key }) => Key);
  const notes = dropped.length > 0 ? [`A volume can bear ${MOST_TAGS} tags, so these were left out: ${dropped.join(', ')}.`] : [];
  return aws
    .createVolume({
      SnapshotId: artifact.id,
      AvailabilityZone: zone,
      Size: facts.size,
      VolumeType: facts.type as VolumeType,
      ...performanceOf(facts),
      ...encryptionOf(work),
      ...(facts.multiAttach ? { MultiAttachEnabled: true } : {}),
      TagSpecifications: [{ ResourceType: 'volume', Tags: [...kept, ...ours] }],
      ClientToken: tokenOf(work),
    })
    .then(({ VolumeId }) => started(resource.id, { volume: VolumeId!, zone, notes }))
    .catch(
      when('InvalidSnapshot.NotFound', () =>
        failed(
          resource.id,
          `Snapshot ${artifact.id} is not in ${artifact.place.region} any more, so the volume cannot be restored from this point.`,
        ),
      ),
    )
    .catch(failing(resource.id, `No volume could be made from ${artifact.id}`));
}

/** Only some types take these, and a gp2's come with its size (EC2 API, CreateVolume). */
const performanceOf = ({ type, iops, throughput }: ReturnType<typeof factsOf>) => ({
  ...(iops !== null && ['gp3', 'io1', 'io2'].includes(type) ? { Iops: iops } : {}),
  ...(throughput !== null && type === 'gp3' ? { Throughput: throughput } : {}),
});

/** Under the key of where it is restored: at home the original's own, elsewhere the vault's. */
export function keyOf({ resource, target }: RestoreWork): string | null {
  const { encrypted, kmsKeyId } = factsOf(resource);
  return samePlace(target.place, resource.place) ? (encrypted ? kmsKeyId : null) : DATA_KEY;
}

const encryptionOf = (work: RestoreWork) => {
  const KmsKeyId = keyOf(work);
  return KmsKeyId === null ? {} : { Encrypted: true, KmsKeyId };
};

/** Up to 64 ASCII characters (EC2 API, "Ensuring idempotency"). */
const tokenOf = ({ point, restore, resource, artifact }: RestoreWork): string =>
  sha256([point.application, restore, resource.id, artifact.id].join('\n'));

async function findVolumes(aws: Door<typeof looking>, ids: readonly string[]): Promise<Map<string, Volume>> {
  const pages = await Promise.all(
    chunksOf(ids, 200).map((Values) => aws.volumes({ Filters: [{ Name: 'volume-id', Values }], MaxResults: 500 })),
  );
  return new Map(pages.flatMap(({ Volumes = [] }) => Volumes).map((volume) => [volume.VolumeId!, volume]));
}

export function renamesOf({ resource, target }: RestoreWork, volume: string, zone: string): Rename[] {
  const was = factsOf(resource).zone;
  return [
    { was: resource.name, is: volume, what: 'volume' },
    { was: resource.id, is: volumeArn(target.place, volume), what: 'volume ARN' },
    ...(was === zone ? [] : [{ was, is: zone, what: 'zone' }]),
  ];
}

const restoredAs = (work: RestoreWork, volume: string, zone: string, notes: readonly string[]): Restored => ({
  kind: KIND,
  resource: work.resource.id,
  id: volumeArn(work.target.place, volume),
  place: work.target.place,
  renames: renamesOf(work, volume, zone),
  notes: [`${work.resource.name} is ${volume} in ${zone}, made from ${work.artifact.id}.`, ...notes],
});
