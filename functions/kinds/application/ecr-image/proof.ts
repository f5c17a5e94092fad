import {
  BatchDeleteImageCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  ListImagesCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Ask, type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { splitList } from '../../../kubernetes/list.ts';
import { read as parse } from '../../../kubernetes/object.ts';
import { dataBucket, sha256 } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { pulledBy } from '../images.ts';
import { LAWS, lawsCluster } from '../laws-cluster.ts';
import { repositoryArn, repositoryOf } from './image.ts';
import { layersOf, listedIn } from './layers.ts';
import { findImages, findingImages } from './registry.ts';

const { read, again } = calls('ecr', ECRClient);

const pushing = {
  createRepository: again(CreateRepositoryCommand),
  begin: again(InitiateLayerUploadCommand),
  upload: again(UploadLayerPartCommand),
  complete: again(CompleteLayerUploadCommand),
  putImage: again(PutImageCommand),
};
type Pushing = Door<typeof pushing>;

const TAG = 'stable';
const OCI = 'application/vnd.oci.image';

async function pushLayer(aws: Pushing, repositoryName: string, content: string): Promise<{ digest: string; size: number }> {
  const layerPartBlob = new TextEncoder().encode(content);
  const { uploadId } = await aws.begin({ repositoryName });
  await aws.upload({ repositoryName, uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1, layerPartBlob });
  const digest = `sha256:${sha256(layerPartBlob)}`;
  await aws
    .complete({ repositoryName, uploadId, layerDigests: [digest] })
    .catch(when('LayerAlreadyExistsException', () => undefined));
  return { digest, size: layerPartBlob.length };
}

const put = async (aws: Pushing, repositoryName: string, manifest: object, mediaType: string, imageTag?: string) => {
  // Spelt as nobody's JSON.stringify would spell it: a copy must be so to the byte.
  const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType, ...manifest }, null, 3);
  const input = { repositoryName, imageManifest, imageManifestMediaType: mediaType };
  await aws
    .putImage({ ...input, ...(imageTag === undefined ? {} : { imageTag }) })
    .catch(when('ImageAlreadyExistsException', () => undefined));
  return { mediaType, digest: `sha256:${sha256(imageManifest)}`, size: imageManifest.length };
};

/** One image of two layers, one of which it shares with every other. */
async function pushImage(aws: Pushing, repositoryName: string, content: string, architecture: string, tag?: string) {
  const config = await pushLayer(aws, repositoryName, JSON.stringify({ architecture, os: 'linux', history: content }));
  const base = await pushLayer(aws, repositoryName, 'the base of every image '.repeat(40));
  const own = await pushLayer(aws, repositoryName, `${architecture} ${content}`);
  const layers = [base, own].map((layer) => ({ mediaType: `${OCI}.layer.v1.tar+gzip`, ...layer }));
  const manifest = { config: { mediaType: `${OCI}.config.v1+json`, ...config }, layers };
  return put(aws, repositoryName, manifest, `${OCI}.manifest.v1+json`, tag);
}

/** `web` is one image, `worker` an index of two. */
async function release(aws: Pushing, repositoryName: string, content: string): Promise<void> {
  if (!repositoryName.endsWith('/worker')) return void (await pushImage(aws, repositoryName, content, 'amd64', TAG));
  const manifests: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const image = await pushImage(aws, repositoryName, content, architecture);
    manifests.push({ ...image, platform: { architecture, os: 'linux' } });
  }
  await put(aws, repositoryName, { manifests }, `${OCI}.index.v1+json`, TAG);
}

const seeding = { ...connecting, ...pushing };

async function seed(aws: Door<typeof seeding>, { name, tags }: Seed, scene: Scene): Promise<Seeded> {
  const cluster = await connect(aws, LAWS, scene);
  await ask(cluster, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const repositories = ['web', 'worker'].map((component) => `${name}/${component}`);
  for (const repositoryName of repositories) {
    await aws.createRepository({ repositoryName, tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
    await release(aws, repositoryName, `the first release of ${repositoryName}`);
    const { account, region } = scene.here;
    await deploy(cluster, repositoryName, `${account}.dkr.ecr.${region}.amazonaws.com/${repositoryName}:${TAG}`);
  }
  for (const repository of repositories) await rolledOut(cluster, repository, scene);
  return {
    ids: repositories.map((repository) => repositoryArn(scene.here, repository)),
    scope: { cluster: LAWS, namespaces: [name] },
  };
}

const partsOf = (repository: string): [string, string] => repository.split('/') as [string, string];

function deploy(cluster: Cluster, repository: string, image: string): Promise<string> {
  const [namespace, name] = partsOf(repository);
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image }] } };
  return ask(cluster, 'POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  });
}

/** One Pod, and not one that ran `before`. */
const rolledOut = (cluster: Cluster, repository: string, { clock }: Scene, before?: string): Promise<true> => {
  const [namespace, name] = partsOf(repository);
  return waitFor(clock, `The release of ${repository}`, async () => {
    const list = await ask(cluster, 'GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`);
    const pods = splitList(list).items.map(parse);
    const [running] = pods.flatMap(pulledBy);
    return (pods.length === 1 && running?.digest !== undefined && running.digest !== before) || undefined;
  });
};

async function ask(cluster: Cluster, method: Ask['method'], path: string, body?: object): Promise<string> {
  const patch = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
  const asked: Ask = { method, path, ...patch, ...(body ? { body: JSON.stringify(body) } : {}) };
  const reply = await cluster.ask(asked);
  if (reply.status >= 400) throw cluster.refusal(asked, reply);
  return reply.text;
}

/** A new release: other content under the same tag, and Pods that run it. */
const mutate = verb({ ...seeding, ...findingImages }, async (aws, id: string, scene) => {
  const repository = repositoryOf(id);
  const cluster = await connect(aws, LAWS, scene);
  const before = (await findImages(aws.images, repository, [TAG])).get(TAG)?.digest;
  const number = scene.clock.random(8);
  await release(aws, repository, `release ${number}`);
  const [namespace, name] = partsOf(repository);
  await ask(cluster, 'PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
    spec: { template: { metadata: { annotations: { release: number } } } },
  });
  await rolledOut(cluster, repository, scene, before);
});

const looking = { ...findingImages, list: read(ListImagesCommand), url: read(GetDownloadUrlForLayerCommand) };
type Looking = Door<typeof looking>;

/** What workloads run: at home by their tag, restored by the restore's own tags. */
async function fingerprint(aws: Looking, id: string, scene: Scene): Promise<string> {
  const repository = repositoryOf(id);
  const [, prefix] = /:(stillpoint-restore-.*)$/.exec(id) ?? [];
  const tags = prefix === undefined ? [TAG] : await tagsWith(aws, repository, prefix);
  const words = await Promise.all(tags.map((tag) => content(aws, repository, tag, scene)));
  return [...new Set(words)].sort().join('\n');
}

async function tagsWith(aws: Looking, repositoryName: string, prefix: string): Promise<string[]> {
  const tags: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await aws.list({ repositoryName, filter: { tagStatus: 'TAGGED' }, ...(nextToken ? { nextToken } : {}) });
    for (const { imageTag = '' } of page.imageIds ?? []) if (imageTag.startsWith(prefix)) tags.push(imageTag);
    nextToken = page.nextToken;
  } while (nextToken);
  return tags;
}

/** A digest for the manifest and every byte behind it. */
async function content(aws: Looking, repositoryName: string, reference: string, scene: Scene): Promise<string> {
  const image = (await findImages(aws.images, repositoryName, [reference])).get(reference);
  if (!image) throw new Permanent(`There is no ${repositoryName}:${reference}.`);
  const layers = await Promise.all(
    layersOf(image.manifest).map(async ({ digest: layerDigest }) => {
      const { downloadUrl = '' } = await aws.url({ repositoryName, layerDigest });
      const { status, body } = await scene.transport.fetch({ method: 'GET', url: downloadUrl, headers: {} });
      return `${status} ${sha256(body)}`;
    }),
  );
  const listed = await Promise.all(listedIn(image.manifest).map((digest) => content(aws, repositoryName, digest, scene)));
  return sha256([image.mediaType, image.manifest, ...layers, ...listed].join('\n'));
}

const destroying = {
  deleteRepository: again(DeleteRepositoryCommand),
  untag: again(BatchDeleteImageCommand),
  list: looking.list,
};

export default proof({
  prepare: lawsCluster,
  seed: verb(seeding, seed),
  mutate,
  fingerprint: verb(looking, fingerprint),
  destroy: verb(destroying, async (aws, id) => {
    const repositoryName = repositoryOf(id);
    await aws.deleteRepository({ repositoryName, force: true }).catch(when('RepositoryNotFoundException', () => undefined));
  }),
  /** What someone else keeps in the same bucket, under a key of their own. */
  foreign: verb({ put: calls('s3', S3Client).again(PutObjectCommand) }, async (aws, id, { here }) => {
    const Bucket = dataBucket(here);
    const Key = `images/${repositoryOf(id)}/index.json`;
    await aws.put({ Bucket, Key, Body: '{}' });
    return `arn:aws:s3:::${Bucket}/${Key}`;
  }),
});
