import { createHash } from 'node:crypto';
import type { Place } from '../../functions/domain.ts';
import type { Cluster } from './cluster.ts';
import { type ShopDoor, type Site, until } from './door.ts';
import { zoneOf } from './ledger-store.ts';
import { COMPONENTS, type Component, manifests, NAMESPACE, ordersUrl } from './manifests.ts';
import type { Ground } from './region.ts';
import type { Making } from './store.ts';
import { everyStore, everyStoreSoon, SORTS, STORES, type StoreName, type Word } from './stores.ts';
import { makeUploads, uploadsArn } from './uploads.ts';

const TAG_MAP = { app: 'shop' };

/** What the shop's parts are called in AWS, at home or where it was restored. */
export type Names = { readonly place: Place } & Readonly<Record<Word, string>> & {
    /** The file system of the uploads, where the shop has one. */
    readonly uploads?: string;
  };

/** Everything that bears a name, with the id under which restore points list it. */
export function idsOf(names: Names): { readonly word: keyof Names; readonly name: string; readonly arn: string }[] {
  const { place, uploads } = names;
  return [
    ...STORES.map((store) => {
      const { word, arn } = SORTS[store];
      return { word, name: names[word], arn: arn(place, names[word]) };
    }),
    ...(uploads ? [{ word: 'uploads' as const, name: uploads, arn: uploadsArn(place, uploads) }] : []),
  ];
}

/** The ids under which restore points list the shop's stores. */
export const storeIds = (names: Names): Record<StoreName, string> =>
  everyStore((_, { word, arn }) => arn(names.place, names[word]));

/** Makes the shop's stores and the file system of its uploads, and waits until they can be used. */
export async function makeAll(site: Site, making: Making, ground: Ground, withUploads: boolean): Promise<Names> {
  const [stores, uploads] = await Promise.all([
    everyStoreSoon((_, { word, make }) => make(site, making).then((name) => [word, name] as const)),
    withUploads ? makeUploads(site, ground) : undefined,
  ]);
  const named = Object.fromEntries(Object.values(stores)) as Record<Word, string>;
  return { place: site.place, ...named, ...(uploads ? { uploads } : {}) };
}

/** Makes a cluster and waits until it is active. */
export async function makeCluster({ aws, clock, place }: Site, { name }: Cluster): Promise<void> {
  await aws.createCluster({
    name,
    version: '1.33',
    roleArn: `arn:aws:iam::${place.account}:role/shop-cluster`,
    resourcesVpcConfig: { subnetIds: ['subnet-0a1b2c3d4e5f60718'] },
    tags: TAG_MAP,
  });
  await until(clock, 30, async () => (await aws.describeCluster({ name })).cluster?.status === 'ACTIVE' || undefined);
}

/** Pushes the shop's images at home, from where ECR replicates them to the standby region of the same account; answers them by digest. */
export async function pushImages({ aws, clock, place }: Site, standby: Site): Promise<Record<Component, string>> {
  const destinations = isOwn(standby, place) ? [{ region: standby.place.region, registryId: standby.place.account }] : [];
  if (destinations.length > 0) await aws.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } });
  const pushed = COMPONENTS.map(async (component) => {
    const repositoryName = `shop/${component}`;
    await aws.createRepository({ repositoryName, imageTagMutability: 'IMMUTABLE', tags: [{ Key: 'app', Value: 'shop' }] });
    const config = await pushLayer(
      aws,
      repositoryName,
      JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: [component] } }),
    );
    const { image } = await aws.putImage({ repositoryName, imageTag: '2026.11.3', imageManifest: imageManifest(config) });
    const imageDigest = image!.imageId!.imageDigest!;
    await until(
      clock,
      5,
      async () =>
        destinations.length === 0 ||
        standby.aws.describeImages({ repositoryName, imageIds: [{ imageDigest }] }).then(
          () => true,
          () => undefined,
        ),
    );
    return [component, `${place.account}.dkr.ecr.${place.region}.amazonaws.com/${repositoryName}@${imageDigest}`] as const;
  });
  return Object.fromEntries(await Promise.all(pushed)) as Record<Component, string>;
}

const isOwn = (standby: Site, { account }: Place): boolean => standby.place.account === account;

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

async function pushLayer(aws: ShopDoor, repositoryName: string, content: string): Promise<Descriptor> {
  const layerPartBlob = new TextEncoder().encode(content);
  const { uploadId } = await aws.beginLayer({ repositoryName });
  await aws.uploadLayer({ repositoryName, uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1, layerPartBlob });
  const digest = `sha256:${createHash('sha256').update(layerPartBlob).digest('hex')}`;
  await aws.completeLayer({ repositoryName, uploadId, layerDigests: [digest] });
  return { digest, size: layerPartBlob.length };
}

const imageManifest = (config: Descriptor): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [],
  });

/** What the shop's Secrets are made of. */
export interface Secrets {
  readonly password: string;
  readonly token: string;
}

/** Applies the shop's manifests; a custom resource may have to wait until its type is served. Answers the clear text of its Secrets. */
export async function deploy(
  cluster: Cluster,
  { aws, clock }: Site,
  names: Names,
  images: Record<Component, string>,
  secrets: Secrets,
  small: boolean,
): Promise<string[]> {
  const { DBInstances = [] } = await aws.describeInstance({ DBInstanceIdentifier: names.instance });
  const host = DBInstances[0]!.Endpoint!.Address!;
  const { place, ...named } = names;
  const blanks = { ...named, ...place, zone: zoneOf(place), host, namespace: NAMESPACE, images, secrets };
  for (const manifest of manifests(blanks, { small })) {
    await until(
      clock,
      1,
      () => cluster.apply(manifest).catch((error) => (error.status === 404 ? undefined : Promise.reject(error))),
      30,
    );
  }
  return [...Object.values(secrets), ordersUrl(secrets.password, host)];
}
