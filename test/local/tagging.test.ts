import { describe, expect, test } from 'vitest';
import { service as ec2 } from '../../local/services/ec2/index.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { service as tagging } from '../../local/services/tagging/index.ts';
import { defineService, type Service, type Tagged } from '../../local/world/service.ts';
import { type Place, World } from '../../local/world/world.ts';

const HOME: Place = { account: '111111111111', region: 'us-east-1' };

/** Services of the test's own, which are found by the convention alone. */
const keeping = (name: string, tagged: Record<string, Record<string, string>>, more: Partial<Tagged> = {}): Service =>
  defineService({
    name,
    sdk: async () => ({}),
    client: 'None',
    scope: 'region',
    state: ({ region }): Partial<Tagged> => ({
      taggedResources: () => (region === HOME.region ? Object.entries(tagged).map(([arn, tags]) => ({ arn, tags })) : []),
      ...more,
    }),
    operations: {},
  });

const BUCKETS = { 'arn:aws:s3:::photos': { app: 'shop' }, 'arn:aws:s3:::bare': {} };
const CLUSTERS = { 'arn:aws:eks:us-east-1:111111111111:cluster/shop': { app: 'shop', stage: 'prod' } };

function setUp() {
  const list = [ec2, kms, tagging, keeping('s3', BUCKETS), keeping('eks', CLUSTERS)];
  const world = new World(new Map(list.map((service) => [service.name, service])), { seed: 'tagging', latency: [0, 0] });
  const call = (operation: string, input: object = {}, place = HOME, service = 'tagging'): Promise<any> =>
    world.clock.settle(world.call({ place, service, operation, input }));
  const volume = async (tags: Record<string, string>): Promise<string> => {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const input = { AvailabilityZone: 'us-east-1a', Size: 1, TagSpecifications: [{ ResourceType: 'volume', Tags }] };
    return `arn:aws:ec2:us-east-1:111111111111:volume/${(await call('CreateVolume', input, HOME, 'ec2')).VolumeId}`;
  };
  const find = async (input: object, place = HOME): Promise<string[]> =>
    (await call('GetResources', input, place)).ResourceTagMappingList.map(({ ResourceARN }: any) => ResourceARN);
  return { call, volume, find };
}

describe('the tagging API', () => {
  test('finds what bears tags in every service of the region', async () => {
    const { call, volume, find } = setUp();
    const arn = await volume({ app: 'shop', stage: 'test' });
    const { KeyMetadata } = await call('CreateKey', { Tags: [{ TagKey: 'app', TagValue: 'bank' }] }, HOME, 'kms');
    const all = await find({});
    expect(all.sort()).toEqual([arn, ...Object.keys(CLUSTERS), KeyMetadata.Arn, 'arn:aws:s3:::photos'].sort());
    expect(await find({}, { account: HOME.account, region: 'eu-west-1' })).toEqual([]);
    const { ResourceTagMappingList } = await call('GetResources', { ResourceTypeFilters: ['ec2:volume'] });
    expect(ResourceTagMappingList).toEqual([
      {
        ResourceARN: arn,
        Tags: [
          { Key: 'app', Value: 'shop' },
          { Key: 'stage', Value: 'test' },
        ],
      },
    ]);
  });

  test('keys are ANDed and their values ORed', async () => {
    const { volume, find } = setUp();
    const arn = await volume({ app: 'shop', stage: 'test' });
    const [cluster] = Object.keys(CLUSTERS) as [string];
    const filtered = (...TagFilters: object[]) => find({ TagFilters });
    expect(await filtered({ Key: 'stage' })).toEqual([arn, cluster].sort());
    expect(await filtered({ Key: 'app', Values: ['shop'] }, { Key: 'stage', Values: ['prod', 'dev'] })).toEqual([cluster]);
    expect(await filtered({ Key: 'app', Values: ['shop', 'bank'] }, { Key: 'stage' })).toHaveLength(2);
    expect(await filtered({ Key: 'app' }, { Key: 'none' })).toEqual([]);
  });

  test('types are services, or services with a type', async () => {
    const { volume, find } = setUp();
    const arn = await volume({ app: 'shop' });
    const ofType = (...ResourceTypeFilters: string[]) => find({ ResourceTypeFilters });
    expect(await ofType('ec2')).toEqual([arn]);
    expect(await ofType('ec2:snapshot')).toEqual([]);
    expect(await ofType('s3', 'eks:cluster')).toEqual([...Object.keys(CLUSTERS), 'arn:aws:s3:::photos'].sort());
    expect(await ofType('s3:bucket')).toEqual(['arn:aws:s3:::photos']);
  });

  test('answers in pages, each resource once', async () => {
    const { call, volume } = setUp();
    for (let i = 0; i < 7; i++) await volume({ n: String(i) });
    const seen: string[] = [];
    const sizes: number[] = [];
    let PaginationToken = '';
    do {
      const page = await call('GetResources', { ResourcesPerPage: 4, PaginationToken });
      sizes.push(page.ResourceTagMappingList.length);
      seen.push(...page.ResourceTagMappingList.map(({ ResourceARN }: any) => ResourceARN));
      PaginationToken = page.PaginationToken;
    } while (PaginationToken);
    expect([sizes, new Set(seen).size]).toEqual([[4, 4, 1], 9]);
    await expect(call('GetResources', { PaginationToken: '!' })).rejects.toMatchObject({
      code: 'PaginationTokenExpiredException',
    });
    await expect(call('GetResources', { ResourcesPerPage: 101 })).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });

  test('answers ARNs that are named, and nothing else beside them', async () => {
    const { call, find } = setUp();
    expect(await find({ ResourceARNList: ['arn:aws:s3:::bare', 'arn:aws:s3:::none'] })).toEqual(['arn:aws:s3:::bare']);
    await expect(
      call('GetResources', { ResourceARNList: ['arn:aws:s3:::bare'], TagFilters: [{ Key: 'app' }] }),
    ).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });

  test('changes tags where the service can, and names what failed', async () => {
    const { call, volume, find } = setUp();
    const arn = await volume({ app: 'shop' });
    const { KeyMetadata } = await call('CreateKey', {}, HOME, 'kms');
    const missing = arn.replace(/vol-.*/, 'vol-none');
    const ResourceARNList = [arn, KeyMetadata.Arn, missing, 'arn:aws:s3:::photos'];
    const { FailedResourcesMap } = await call('TagResources', { ResourceARNList, Tags: { owner: 'me' } });
    expect(Object.keys(FailedResourcesMap).sort()).toEqual([missing, 'arn:aws:s3:::photos'].sort());
    expect((await find({ TagFilters: [{ Key: 'owner', Values: ['me'] }] })).sort()).toEqual([arn, KeyMetadata.Arn].sort());
    await call('UntagResources', { ResourceARNList: [arn, KeyMetadata.Arn], TagKeys: ['owner', 'none'] });
    expect(await find({ TagFilters: [{ Key: 'owner' }] })).toEqual([]);
    expect(await find({ TagFilters: [{ Key: 'app' }], ResourceTypeFilters: ['ec2'] })).toEqual([arn]);
    await expect(call('TagResources', { ResourceARNList: [], Tags: { a: 'b' } })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  });

  test('lists keys and their values, the empty one too', async () => {
    const { call, volume } = setUp();
    await volume({ app: '', 'two words': 'x' });
    expect((await call('GetTagKeys')).TagKeys).toEqual(['app', 'stage', 'two words']);
    expect(await call('GetTagValues', { Key: 'app' })).toEqual({ TagValues: ['', 'shop'], PaginationToken: '' });
  });
});
