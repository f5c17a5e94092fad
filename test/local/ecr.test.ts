import { createHash } from 'node:crypto';
import { CreateRepositoryCommand, DescribeImagesCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { beforeEach, describe, expect, test } from 'vitest';
import { requestHandler } from '../../local/wire/handler.ts';
import { World } from '../../local/world/world.ts';
import { Bench, HOME, services } from './cluster.ts';

const WEST = { ...HOME, region: 'eu-west-1' };
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { size: 10 },
  layers: [{ size: 30 }, { size: 2 }],
});
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;
const repositoryName = 'shop/web';

let k: Bench;
const ecr = (operation: string, input: object = {}, place = HOME): Promise<any> =>
  k.call('ecr', operation, { repositoryName, ...input }, place);
const push = (imageTag?: string, imageManifest = MANIFEST) =>
  ecr('PutImage', { imageManifest, ...(imageTag ? { imageTag } : {}) });
const tags = async (place = HOME) => (await ecr('ListImages', {}, place)).imageIds.map(({ imageTag }: any) => imageTag).sort();

beforeEach(async () => {
  k = new Bench(new World(services, { seed: 'ecr' }), HOME, '');
  await ecr('CreateRepository', { tags: [{ Key: 'app', Value: 'shop' }] });
});

describe('a repository', () => {
  test('is described, tagged and found', async () => {
    const { repositories } = await k.call('ecr', 'DescribeRepositories', {});
    expect(repositories).toMatchObject([
      {
        repositoryArn: `arn:aws:ecr:us-east-1:${HOME.account}:repository/shop/web`,
        repositoryUri: `${HOME.account}.dkr.ecr.us-east-1.amazonaws.com/shop/web`,
        imageTagMutability: 'MUTABLE',
        createdAt: expect.any(Date),
      },
    ]);
    const { ResourceTagMappingList: found } = await k.call('tagging', 'GetResources', {
      ResourceTypeFilters: ['ecr:repository'],
    });
    expect(found[0].Tags).toEqual([{ Key: 'app', Value: 'shop' }]);
  });

  test('exists once, has a proper name, and is not deleted with images in it', async () => {
    await expect(ecr('CreateRepository')).rejects.toMatchObject({ name: 'RepositoryAlreadyExistsException' });
    await expect(ecr('CreateRepository', { repositoryName: 'Shop' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await push('1');
    await expect(ecr('DeleteRepository')).rejects.toMatchObject({ name: 'RepositoryNotEmptyException' });
    await ecr('DeleteRepository', { force: true });
    await expect(ecr('DescribeImages')).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });

  test('keeps its policies', async () => {
    await expect(ecr('GetLifecyclePolicy')).rejects.toMatchObject({ name: 'LifecyclePolicyNotFoundException' });
    await ecr('PutLifecyclePolicy', { lifecyclePolicyText: '{"rules":[]}' });
    expect((await ecr('GetLifecyclePolicy')).lifecyclePolicyText).toBe('{"rules":[]}');
  });
});

describe('an image', () => {
  test('is what the digest of its manifest says', async () => {
    expect((await push('1')).image.imageId).toEqual({ imageDigest: DIGEST, imageTag: '1' });
    const { images, failures } = await ecr('BatchGetImage', {
      imageIds: [{ imageTag: '1' }, { imageDigest: DIGEST }, { imageTag: 'none' }],
    });
    expect(images.map(({ imageManifest }: any) => imageManifest)).toEqual([MANIFEST, MANIFEST]);
    expect(failures).toMatchObject([{ failureCode: 'ImageNotFound', imageId: { imageTag: 'none' } }]);
    const { imageDetails } = await ecr('DescribeImages', { imageIds: [{ imageDigest: DIGEST }] });
    expect(imageDetails).toMatchObject([
      { imageTags: ['1'], imageSizeInBytes: 42, imageManifestMediaType: 'application/vnd.oci.image.manifest.v1+json' },
    ]);
    await expect(ecr('DescribeImages', { imageIds: [{ imageTag: 'none' }] })).rejects.toMatchObject({
      name: 'ImageNotFoundException',
    });
    await expect(ecr('PutImage', { imageManifest: MANIFEST, imageDigest: 'sha256:0' })).rejects.toMatchObject({
      name: 'ImageDigestDoesNotMatchException',
    });
  });

  test('gives a tag to another, unless tags stay where they are', async () => {
    await push('1');
    await push('1', '{"other":1}');
    const { imageIds } = await ecr('ListImages', { filter: { tagStatus: 'UNTAGGED' } });
    expect(imageIds).toEqual([{ imageDigest: DIGEST }]);
    await expect(push('1', '{"other":1}')).rejects.toMatchObject({ name: 'ImageAlreadyExistsException' });
    await ecr('PutImageTagMutability', { imageTagMutability: 'IMMUTABLE' });
    await expect(push('1')).rejects.toMatchObject({ name: 'ImageTagAlreadyExistsException' });
    await push('2');
    expect(await tags()).toEqual(['1', '2']);
  });

  test('is gone with its last tag, or with its digest', async () => {
    await push('1');
    await push('2');
    await ecr('BatchDeleteImage', { imageIds: [{ imageTag: '1' }] });
    expect(await tags()).toEqual(['2']);
    expect((await ecr('BatchDeleteImage', { imageIds: [{ imageTag: '1' }] })).failures).toHaveLength(1);
    await ecr('BatchDeleteImage', { imageIds: [{ imageTag: '2' }] });
    expect((await ecr('DescribeImages')).imageDetails).toEqual([]);
  });
});

describe('replication', () => {
  const rule = (destination: object, more: object = {}) =>
    k.call('ecr', 'PutReplicationConfiguration', {
      replicationConfiguration: { rules: [{ destinations: [destination], ...more }] },
    });
  const toWest = { region: WEST.region, registryId: WEST.account };
  const status = async () =>
    (await ecr('DescribeImageReplicationStatus', { imageId: { imageDigest: DIGEST } })).replicationStatuses;

  test('copies what is pushed from then on, a moment later', async () => {
    await push('old', '{"old":1}');
    await rule(toWest);
    expect((await k.call('ecr', 'DescribeRegistry', {})).replicationConfiguration.rules).toHaveLength(1);
    await push('1');
    expect(await status()).toEqual([{ ...toWest, status: 'IN_PROGRESS' }]);
    await k.wait(60);
    expect(await status()).toEqual([{ ...toWest, status: 'COMPLETE' }]);
    expect(await tags(WEST)).toEqual(['1']);
    expect((await ecr('DescribeImages', {}, WEST)).imageDetails[0].imageDigest).toBe(DIGEST);
    await ecr('BatchDeleteImage', { imageIds: [{ imageDigest: DIGEST }] });
    await k.wait(60);
    expect(await tags(WEST)).toEqual(['1']);
  });

  test('follows its filters, and waits for a region that is dark', async () => {
    await rule(toWest, { repositoryFilters: [{ filter: 'shop/', filterType: 'PREFIX_MATCH' }] });
    await k.call('ecr', 'CreateRepository', { repositoryName: 'other/web' });
    await k.call('ecr', 'PutImage', { repositoryName: 'other/web', imageManifest: MANIFEST });
    k.world.dark.add(WEST.region);
    await push('1');
    await k.wait(300);
    expect(await status()).toMatchObject([{ status: 'IN_PROGRESS' }]);
    k.world.dark.clear();
    await k.wait(600);
    expect(await tags(WEST)).toEqual(['1']);
    await expect(ecr('DescribeImages', { repositoryName: 'other/web' }, WEST)).rejects.toMatchObject({
      name: 'RepositoryNotFoundException',
    });
  });

  test('into another account needs that account to allow it', async () => {
    const other = { account: '222222222222', region: 'eu-west-1' };
    await rule({ region: other.region, registryId: other.account });
    await push('1');
    await k.wait(60);
    expect(await status()).toMatchObject([{ status: 'FAILED' }]);
    await k.call(
      'ecr',
      'PutRegistryPolicy',
      { policyText: `{"Statement":[{"Principal":{"AWS":"arn:aws:iam::${HOME.account}:root"}}]}` },
      other,
    );
    await push('2');
    await k.wait(60);
    expect(await tags(other)).toEqual(['1', '2']);
  });
});

test('the SDK understands every answer', async () => {
  const world = new World(services, { seed: 'wire', patience: 3 });
  const credentials = { accessKeyId: HOME.account, secretAccessKey: 'x' };
  const client = new ECRClient({ region: 'us-east-1', credentials, requestHandler: requestHandler(world), maxAttempts: 1 });
  await client.send(new CreateRepositoryCommand({ repositoryName }));
  const { image } = await client.send(new PutImageCommand({ repositoryName, imageManifest: MANIFEST, imageTag: '1' }));
  expect(image?.imageId?.imageDigest).toBe(DIGEST);
  const { imageDetails } = await client.send(new DescribeImagesCommand({ repositoryName }));
  expect(imageDetails?.[0]?.imagePushedAt).toBeInstanceOf(Date);
  await expect(client.send(new DescribeImagesCommand({ repositoryName: 'none' }))).rejects.toMatchObject({
    name: 'RepositoryNotFoundException',
  });
});
