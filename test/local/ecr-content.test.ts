import { createHash } from 'node:crypto';
import { ECRClient, GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr';
import { beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../local/wire/server.ts';
import { direct } from '../../local/world/direct.ts';
import { loadServices, World } from '../../local/world/world.ts';

const HERE = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };
const services = await loadServices();
const MIB = 2 ** 20;
const OCI = 'application/vnd.oci.image';
const sha = (content: string | Uint8Array): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

let world: World;
beforeEach(() => {
  world = new World(services, { seed: 'ecr', patience: 3 });
});

const ask = (operation: string, input: object, place = HERE): Promise<any> =>
  world.clock.settle(world.call({ place, service: 'ecr', operation, input: { repositoryName: 'shop/web', ...input } }));
const refusal = (operation: string, input: object, place = HERE): Promise<string> =>
  ask(operation, input, place).then(
    () => 'answered',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
const hours = (count: number): Promise<void> => world.clock.advance(count * 3_600_000);

async function pushLayer(content: string | Uint8Array): Promise<{ digest: string; size: number }> {
  const layerPartBlob = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const { uploadId } = await ask('InitiateLayerUpload', {});
  await ask('UploadLayerPart', { uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1, layerPartBlob });
  await ask('CompleteLayerUpload', { uploadId, layerDigests: [sha(layerPartBlob)] });
  return { digest: sha(layerPartBlob), size: layerPartBlob.length };
}

async function pushImage(content: string, imageTag?: string): Promise<string> {
  const config = await pushLayer(`{"of":"${content}"}`);
  const layer = await pushLayer(content);
  const imageManifest = JSON.stringify({ mediaType: `${OCI}.manifest.v1+json`, config, layers: [layer] });
  await ask('PutImage', { imageManifest, ...(imageTag ? { imageTag } : {}) });
  return sha(imageManifest);
}

const digests = async (place = HERE): Promise<string[]> =>
  (await ask('DescribeImages', {}, place)).imageDetails.map(({ imageDigest }: { imageDigest: string }) => imageDigest);

describe('layers', () => {
  beforeEach(() => ask('CreateRepository', {}));

  test('come in parts that follow each other, and are what their digest says', async () => {
    const layer = new Uint8Array(21 * MIB).map((_, i) => i % 251);
    const { uploadId, partSize } = await ask('InitiateLayerUpload', {});
    expect(partSize).toBe(20 * MIB);
    const part = (first: number, last: number) => ({
      uploadId,
      partFirstByte: first,
      partLastByte: last,
      layerPartBlob: layer.subarray(first, last + 1),
    });
    await ask('UploadLayerPart', part(0, 20 * MIB - 1));
    await expect(ask('UploadLayerPart', part(0, 20 * MIB - 1))).rejects.toMatchObject({
      code: 'InvalidLayerPartException',
      fields: { lastValidByteReceived: 20 * MIB - 1 },
    });
    await ask('UploadLayerPart', part(20 * MIB, 21 * MIB - 1));
    expect(await refusal('CompleteLayerUpload', { uploadId, layerDigests: [sha('another')] })).toBe('InvalidLayerException');
    expect(await ask('CompleteLayerUpload', { uploadId, layerDigests: [sha(layer)] })).toMatchObject({ layerDigest: sha(layer) });
    expect(await refusal('CompleteLayerUpload', { uploadId, layerDigests: [sha(layer)] })).toBe('UploadNotFoundException');
    const { layers } = await ask('BatchCheckLayerAvailability', { layerDigests: [sha(layer), sha('another')] });
    expect(layers).toEqual([
      { layerDigest: sha(layer), layerAvailability: 'AVAILABLE', layerSize: 21 * MIB },
      { layerDigest: sha('another'), layerAvailability: 'UNAVAILABLE' },
    ]);
  });

  test('empty uploads, parts that are too small and layers that are there already are refused', async () => {
    const { uploadId } = await ask('InitiateLayerUpload', {});
    expect(await refusal('CompleteLayerUpload', { uploadId, layerDigests: [sha('')] })).toBe('EmptyUploadException');
    for (const at of [0, 1])
      await ask('UploadLayerPart', { uploadId, partFirstByte: at, partLastByte: at, layerPartBlob: new Uint8Array([at]) });
    expect(await refusal('CompleteLayerUpload', { uploadId, layerDigests: [sha(new Uint8Array([0, 1]))] })).toBe(
      'LayerPartTooSmallException',
    );
    await pushLayer('twice');
    await expect(pushLayer('twice')).rejects.toMatchObject({ code: 'LayerAlreadyExistsException' });
  });

  test('an image needs its layers, an index the images that it lists', async () => {
    const config = { digest: sha('nowhere'), size: 7 };
    expect(await refusal('PutImage', { imageManifest: JSON.stringify({ config, layers: [] }) })).toBe('LayersNotFoundException');
    const manifests = [{ digest: sha('nothing'), size: 7 }];
    expect(await refusal('PutImage', { imageManifest: JSON.stringify({ manifests }) })).toBe('ReferencedImagesNotFoundException');
  });

  test('are fetched from an address that is good for an hour, whole or in ranges, unless the region is dark', async () => {
    await pushLayer('unused');
    expect(await refusal('GetDownloadUrlForLayer', { layerDigest: sha('unused') })).toBe('LayerInaccessibleException');
    await pushImage('0123456789', 'v1');
    const server = await listen(world, { seed: 'ecr', speed: 0 });
    world.origin = server.url;
    const client = new ECRClient({
      endpoint: server.url,
      region: HERE.region,
      credentials: { accessKeyId: HERE.account, secretAccessKey: 'none' },
    });
    try {
      const { downloadUrl = '' } = await client.send(
        new GetDownloadUrlForLayerCommand({ repositoryName: 'shop/web', layerDigest: sha('0123456789') }),
      );
      expect(await (await fetch(downloadUrl)).text()).toBe('0123456789');
      const part = await fetch(downloadUrl, { headers: { range: 'bytes=3-5' } });
      expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 3-5/10', '345']);
      expect((await fetch(downloadUrl.replace('expires=1', 'expires=2'))).status).toBe(403);
      world.dark.add(HERE.region);
      await expect(fetch(downloadUrl)).rejects.toThrow();
      world.dark.clear();
      world.dark.add(WEST.region);
      expect((await fetch(downloadUrl)).status).toBe(200);
      await hours(1.1);
      expect((await fetch(downloadUrl)).status).toBe(403);
    } finally {
      client.destroy();
      await server.close();
    }
  });

  test('are fetched without a wire too', async () => {
    await pushImage('0123456789', 'v1');
    const { downloadUrl } = await ask('GetDownloadUrlForLayer', { layerDigest: sha('0123456789') });
    const answer = await world.clock.settle(
      direct(world).fetch({ method: 'GET', url: downloadUrl, headers: { range: 'bytes=8-99' } }),
    );
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([206, '89']);
  });
});

describe('tags', () => {
  beforeEach(() => ask('CreateRepository', {}));

  test('an image goes with its last tag, and one that an index lists does not go before the index', async () => {
    const child = await pushImage('child', 'child');
    const index = JSON.stringify({ mediaType: `${OCI}.index.v1+json`, manifests: [{ digest: child, size: 1 }] });
    await ask('PutImage', { imageManifest: index, imageTag: 'v1' });
    await ask('PutImage', { imageManifest: index, imageTag: 'v2' });
    for (const imageId of [{ imageTag: 'child' }, { imageDigest: child }]) {
      const { failures } = await ask('BatchDeleteImage', { imageIds: [imageId] });
      expect(failures).toMatchObject([{ failureCode: 'ImageReferencedByManifestList' }]);
    }
    await ask('BatchDeleteImage', { imageIds: [{ imageTag: 'v1' }] });
    expect(await digests()).toEqual([child, sha(index)]);
    await ask('BatchDeleteImage', { imageIds: [{ imageTag: 'v2' }, { imageTag: 'child' }] });
    expect(await digests()).toEqual([]);
    const { layers } = await ask('BatchCheckLayerAvailability', { layerDigests: [sha('child')] });
    expect(layers).toMatchObject([{ layerAvailability: 'UNAVAILABLE' }]);
  });
});

describe('replication', () => {
  test('brings layers along, and the images that an index lists', async () => {
    const rules = [{ destinations: [{ region: WEST.region, registryId: WEST.account }] }];
    await ask('CreateRepository', {});
    const child = await pushImage('child');
    await ask('PutReplicationConfiguration', { replicationConfiguration: { rules } });
    const index = JSON.stringify({ mediaType: `${OCI}.index.v1+json`, manifests: [{ digest: child, size: 1 }] });
    await ask('PutImage', { imageManifest: index, imageTag: 'v1' });
    const status = async () =>
      (await ask('DescribeImageReplicationStatus', { imageId: { imageTag: 'v1' } })).replicationStatuses[0].status;
    expect(await status()).toBe('IN_PROGRESS');
    await hours(1);
    expect(await status()).toBe('COMPLETE');
    expect((await digests(WEST)).sort()).toEqual([child, sha(index)].sort());
    const { layers } = await ask('BatchCheckLayerAvailability', { layerDigests: [sha('child')] }, WEST);
    expect(layers).toMatchObject([{ layerAvailability: 'AVAILABLE' }]);
  });
});

describe('lifecycle policies', () => {
  const rule = (rulePriority: number, selection: object) => ({ rulePriority, selection, action: { type: 'expire' } });
  const policy = (...rules: object[]) => ask('PutLifecyclePolicy', { lifecyclePolicyText: JSON.stringify({ rules }) });
  const older = (days: number) => ({ countType: 'sinceImagePushed', countUnit: 'days', countNumber: days });
  const moreThan = (count: number) => ({ countType: 'imageCountMoreThan', countNumber: count });
  beforeEach(() => ask('CreateRepository', {}));

  test('take what is untagged for long enough, within a day of the clock, and nothing else', async () => {
    await policy(rule(1, { tagStatus: 'untagged', ...older(2) }));
    const [untagged, tagged] = [await pushImage('one'), await pushImage('two', 'v1')];
    await hours(47);
    expect(await digests()).toEqual([untagged, tagged]);
    await hours(26);
    expect(await digests()).toEqual([tagged]);
    await ask('DeleteLifecyclePolicy', {});
    const kept = await pushImage('three');
    await hours(24 * 9);
    expect(await digests()).toEqual([tagged, kept]);
  });

  test('the oldest go first, and what one rule selects no rule after it takes', async () => {
    const [held, older, newer] = [await pushImage('a', 'hold-1'), await pushImage('b', 'v1'), await pushImage('c', 'v2')];
    await policy(
      rule(1, { tagStatus: 'tagged', tagPrefixList: ['hold-'], ...moreThan(10) }),
      rule(2, { tagStatus: 'any', ...moreThan(1) }),
    );
    await hours(25);
    expect(await digests()).toEqual([held, newer]);
    expect(await digests()).not.toContain(older);
  });

  test('a rule selects by any of an image’s tags, whatever other tags it bears', async () => {
    const both = await pushImage('a', 'v1');
    const manifest = (await ask('BatchGetImage', { imageIds: [{ imageDigest: both }] })).images[0].imageManifest;
    await ask('PutImage', { imageManifest: manifest, imageTag: 'hold-1' });
    const newest = await pushImage('b', 'v2');
    await policy(rule(1, { tagStatus: 'tagged', tagPatternList: ['v*'], ...moreThan(1) }));
    await hours(25);
    expect(await digests()).toEqual([newest]);
  });

  test('what is no policy, or none that is modelled, is refused', async () => {
    const put = (...rules: object[]) => refusal('PutLifecyclePolicy', { lifecyclePolicyText: JSON.stringify({ rules }) });
    expect(await refusal('PutLifecyclePolicy', { lifecyclePolicyText: 'keep all' })).toBe('InvalidParameterException');
    expect(await put(rule(1, { tagStatus: 'tagged', ...moreThan(1) }))).toBe('InvalidParameterException');
    expect(await put(rule(1, { tagStatus: 'any', ...moreThan(1) }), rule(2, { tagStatus: 'untagged', ...moreThan(1) }))).toBe(
      'InvalidParameterException',
    );
    expect(await put(rule(1, { tagStatus: 'any', countType: 'sinceImagePulled', countNumber: 1 }))).toBe('NotImplemented');
  });
});
