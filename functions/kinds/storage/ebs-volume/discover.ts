import { DescribeInstancesCommand, DescribeVolumesCommand, EC2Client, type Instance, type Volume } from '@aws-sdk/client-ec2';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { calls } from '../../../aws/call.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Place, Resource } from '../../../domain.ts';
import { chunksOf } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, tagMap } from '../../scope.ts';
import { type Attachment, isVolumeArn, KIND, type VolumeFacts, volumeArn, volumeIdOf } from './volume.ts';

const ec2 = calls('ec2', EC2Client);
const kms = calls('kms', KMSClient);

const looking = {
  volumes: ec2.read(DescribeVolumesCommand),
  instances: ec2.read(DescribeInstancesCommand),
  key: kms.read(DescribeKeyCommand),
};
type Looking = Door<typeof looking>;

/** A filter takes up to 200 values (EC2 API, "Using filtering"). */
const FILTER_VALUES = 200;

/** Volumes by the application's tags and ARNs. Only volumes that can be read from are protected; others are noted. */
export const discover = verb(looking, async (aws, application: Application, { here }): Promise<Discovery> => {
  const { arns, refusals } = namedArns(application, isVolumeArn);
  const named = new Set(arns.map(volumeIdOf));
  const found = new Map((await inScope(aws, application, [...named])).map((volume) => [volume.VolumeId!, volume]));
  const notes: string[] = [];
  const members = [...found.values()].filter((volume) => {
    const note = whyNot(volume, named);
    if (note) notes.push(note);
    return note === undefined;
  });
  const attachments = await attachmentsOf(aws, members);
  const homebound = await underDefaultKey(aws, members);
  const resources = members.map((volume) => ({
    ...resourceOf(volume, here, attachments.get(volume.VolumeId!)),
    ...(homebound.has(volume) ? { homebound: homebound.get(volume)! } : {}),
  }));
  return { resources, notes: [...notes, ...homebound.values()], refusals };
});

async function inScope(aws: Looking, { resources: { tags } }: Application, ids: readonly string[]): Promise<Volume[]> {
  const wanted = Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
  const byTag = wanted.length > 0 ? await describe(aws, wanted) : [];
  const byId = chunksOf(ids, FILTER_VALUES).map((Values) => describe(aws, [{ Name: 'volume-id', Values }]));
  return [...byTag, ...(await Promise.all(byId)).flat()];
}

async function describe(aws: Pick<Looking, 'volumes'>, Filters: { Name: string; Values: string[] }[]): Promise<Volume[]> {
  const volumes: Volume[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.volumes({ Filters, MaxResults: 500, ...(NextToken ? { NextToken } : {}) });
    volumes.push(...(page.Volumes ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return volumes;
}

function whyNot({ VolumeId = '', State, Tags }: Volume, named: ReadonlySet<string>): string | undefined {
  if (State !== 'available' && State !== 'in-use') {
    return `${VolumeId} is ${State}, so it is not protected; a volume can be captured when it is available or in use.`;
  }
  return named.has(VolumeId) ? undefined : madeByRestore(VolumeId, tagMap(Tags));
}

/** Where each volume is attached, and what else is attached there. */
async function attachmentsOf(aws: Looking, members: readonly Volume[]): Promise<Map<string, Attachment>> {
  const mine = new Set(members.map(({ VolumeId }) => VolumeId!));
  const ids = [...new Set(members.flatMap(({ Attachments = [] }) => Attachments.map(({ InstanceId }) => InstanceId!)))];
  const attachments = new Map<string, Attachment>();
  for (const Values of chunksOf(ids, FILTER_VALUES)) {
    for (const instance of await describeInstances(aws, Values)) {
      const { volumes, boot } = volumesOf(instance);
      const others = volumes.filter((id) => id !== boot && !mine.has(id));
      for (const id of volumes) {
        if (mine.has(id) && !attachments.has(id)) attachments.set(id, { id: instance.InstanceId!, boot: id === boot, others });
      }
    }
  }
  return attachments;
}

async function describeInstances(aws: Looking, Values: string[]): Promise<Instance[]> {
  const instances: Instance[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.instances({
      Filters: [{ Name: 'instance-id', Values }],
      MaxResults: 500,
      ...(NextToken ? { NextToken } : {}),
    });
    instances.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return instances;
}

function volumesOf({ BlockDeviceMappings = [], RootDeviceName }: Instance): { volumes: string[]; boot: string | undefined } {
  const volumes = BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.VolumeId ? [Ebs.VolumeId] : []));
  return { volumes, boot: BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs?.VolumeId };
}

/** A snapshot under the account's default key cannot be shared with another account (EBS guide, "Share a snapshot"). */
async function underDefaultKey(aws: Looking, members: readonly Volume[]): Promise<Map<Volume, string>> {
  const keys = [...new Set(members.flatMap(({ KmsKeyId }) => (KmsKeyId ? [KmsKeyId] : [])))];
  const byDefault = await Promise.all(
    keys.map(async (KeyId) => ((await aws.key({ KeyId })).KeyMetadata?.KeyManager === 'AWS' ? [KeyId] : [])),
  );
  const found = members.filter(({ KmsKeyId }) => KmsKeyId && byDefault.flat().includes(KmsKeyId));
  const sentence = ({ VolumeId }: Volume) =>
    `${VolumeId} is encrypted with the account's default key (alias/aws/ebs), so its snapshots cannot be shared with another account; encrypt it with a key of your own if copies must leave the account.`;
  return new Map(found.map((volume) => [volume, sentence(volume)]));
}

function resourceOf(volume: Volume, place: Place, instance: Attachment | undefined): Resource {
  const id = volume.VolumeId!;
  const facts: VolumeFacts = {
    size: volume.Size!,
    type: volume.VolumeType!,
    iops: volume.Iops ?? null,
    throughput: volume.Throughput ?? null,
    multiAttach: volume.MultiAttachEnabled ?? false,
    encrypted: volume.Encrypted ?? false,
    kmsKeyId: volume.KmsKeyId ?? null,
    zone: volume.AvailabilityZone!,
    instance: instance ?? null,
    tags: Object.fromEntries(tagMap(volume.Tags)),
  };
  return { kind: KIND, id: volumeArn(place, id), name: id, createdAt: volume.CreateTime!.toISOString(), place, facts };
}
