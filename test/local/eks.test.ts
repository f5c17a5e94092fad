import { CreateClusterCommand, DescribeClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { beforeEach, describe, expect, test } from 'vitest';
import { requestHandler } from '../../local/wire/handler.ts';
import { World } from '../../local/world/world.ts';
import { Bench, HOME, services } from './cluster.ts';

const CLUSTER = {
  name: 'shop',
  roleArn: `arn:aws:iam::${HOME.account}:role/cluster`,
  resourcesVpcConfig: { subnetIds: ['subnet-1'] },
  tags: { app: 'shop' },
};

let k: Bench;
const eks = (operation: string, input: object): Promise<any> => k.call('eks', operation, input);
beforeEach(() => {
  k = new Bench(new World(services, { seed: 'eks' }), HOME, 'shop');
});

describe('a cluster', () => {
  test('is created over minutes, and answers when it is active', async () => {
    const { cluster } = await eks('CreateCluster', CLUSTER);
    expect(cluster).toMatchObject({
      status: 'CREATING',
      arn: `arn:aws:eks:us-east-1:${HOME.account}:cluster/shop`,
      tags: { app: 'shop' },
    });
    expect(cluster).not.toHaveProperty('endpoint');
    await k.wait(400);
    expect((await eks('DescribeCluster', { name: 'shop' })).cluster.status).toBe('CREATING');
    await expect(k.get('/version')).rejects.toMatchObject({ name: 'ConnectionLost' });
    await k.wait(600);
    const active = (await eks('DescribeCluster', { name: 'shop' })).cluster;
    expect(active).toMatchObject({ status: 'ACTIVE', version: expect.stringMatching(/^1\.\d+$/), createdAt: expect.any(Date) });
    expect(active.endpoint).toBe(`${k.world.origin}/_eks/${HOME.account}/us-east-1/shop`);
    expect(Buffer.from(active.certificateAuthority.data, 'base64').toString()).toContain('BEGIN CERTIFICATE');
    expect(active.identity.oidc.issuer).toMatch(/^https:\/\/oidc\.eks\.us-east-1\.amazonaws\.com\/id\/[0-9A-F]{32}$/);
    expect((await k.get('/version')).json.minor).toBe(active.version.split('.')[1]);
    expect((await eks('ListClusters', {})).clusters).toEqual(['shop']);
  });

  test('exists once, in one place', async () => {
    await eks('CreateCluster', { ...CLUSTER, clientRequestToken: 't' });
    expect((await eks('CreateCluster', { ...CLUSTER, clientRequestToken: 't' })).cluster.name).toBe('shop');
    await expect(eks('CreateCluster', CLUSTER)).rejects.toMatchObject({ name: 'ResourceInUseException' });
    await expect(eks('DescribeCluster', { name: 'other' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(k.call('eks', 'DescribeCluster', { name: 'shop' }, { ...HOME, region: 'eu-west-1' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(eks('CreateCluster', { ...CLUSTER, name: '-' })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('goes with what was in it', async () => {
    await eks('CreateCluster', CLUSTER);
    await k.wait(1000);
    await k.namespace('shop');
    expect((await eks('DeleteCluster', { name: 'shop' })).cluster.status).toBe('DELETING');
    await expect(k.get('/version')).rejects.toMatchObject({ name: 'ConnectionLost' });
    await k.wait(400);
    await expect(eks('DescribeCluster', { name: 'shop' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await eks('CreateCluster', CLUSTER);
    await k.wait(1000);
    expect((await k.get('/api/v1/namespaces/shop')).status).toBe(404);
  });

  test('takes one version after the other, and answers meanwhile', async () => {
    await eks('CreateCluster', { ...CLUSTER, version: '1.32' });
    await k.wait(1000);
    await expect(eks('UpdateClusterVersion', { name: 'shop', version: '1.34' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const { update } = await eks('UpdateClusterVersion', { name: 'shop', version: '1.33' });
    expect((await eks('DescribeCluster', { name: 'shop' })).cluster.status).toBe('UPDATING');
    expect((await k.get('/version')).json.minor).toBe('32');
    await expect(eks('UpdateClusterConfig', { name: 'shop' })).rejects.toMatchObject({ name: 'ResourceInUseException' });
    await k.wait(1000);
    expect((await eks('DescribeUpdate', { name: 'shop', updateId: update.id })).update.status).toBe('Successful');
    expect((await k.get('/version')).json.minor).toBe('33');
  });
});

describe('what a cluster has', () => {
  beforeEach(async () => {
    await eks('CreateCluster', CLUSTER);
    await k.wait(1000);
  });

  const nodes = async () =>
    (await k.get('/api/v1/nodes')).json.items.map(({ metadata }: any) => metadata.labels['topology.kubernetes.io/zone']);

  test('node groups give it nodes in the zones of their subnets', async () => {
    expect(await nodes()).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    const { Vpc } = await k.call('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' });
    const { Subnet } = await k.call('ec2', 'CreateSubnet', {
      VpcId: Vpc.VpcId,
      CidrBlock: '10.0.1.0/24',
      AvailabilityZone: 'us-east-1b',
    });
    const group = { clusterName: 'shop', nodegroupName: 'main' };
    await eks('CreateNodegroup', { ...group, nodeRole: 'arn:aws:iam::111122223333:role/node', subnets: [Subnet.SubnetId] });
    await k.wait(300);
    expect((await eks('DescribeNodegroup', group)).nodegroup.status).toBe('ACTIVE');
    expect(await nodes()).toEqual(['us-east-1b']);
    await expect(eks('DeleteCluster', { name: 'shop' })).rejects.toMatchObject({ name: 'ResourceInUseException' });
    await eks('DeleteNodegroup', group);
    await k.wait(400);
    expect((await eks('ListNodegroups', { clusterName: 'shop' })).nodegroups).toEqual([]);
    expect(await nodes()).toHaveLength(3);
  });

  test('access entries and their policies', async () => {
    const entry = { clusterName: 'shop', principalArn: 'arn:aws:iam::222222222222:role/vault' };
    await expect(eks('CreateAccessEntry', { ...entry, principalArn: 'vault' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await eks('CreateAccessEntry', entry);
    await expect(eks('CreateAccessEntry', entry)).rejects.toMatchObject({ name: 'ResourceInUseException' });
    const policyArn = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy';
    await eks('AssociateAccessPolicy', { ...entry, policyArn, accessScope: { type: 'cluster' } });
    expect((await eks('ListAssociatedAccessPolicies', entry)).associatedAccessPolicies).toMatchObject([{ policyArn }]);
    expect((await eks('ListAccessEntries', { clusterName: 'shop', associatedPolicyArn: policyArn })).accessEntries).toEqual([
      entry.principalArn,
    ]);
    await eks('DeleteAccessEntry', entry);
    await expect(eks('DescribeAccessEntry', entry)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('pod identities, one for each account', async () => {
    const association = {
      clusterName: 'shop',
      namespace: 'shop',
      serviceAccount: 'web',
      roleArn: 'arn:aws:iam::111122223333:role/web',
    };
    const { associationId, associationArn } = (await eks('CreatePodIdentityAssociation', association)).association;
    expect(associationArn).toBe(`arn:aws:eks:us-east-1:${HOME.account}:podidentityassociation/shop/${associationId}`);
    await expect(eks('CreatePodIdentityAssociation', association)).rejects.toMatchObject({ name: 'ResourceInUseException' });
    const { associations } = await eks('ListPodIdentityAssociations', { clusterName: 'shop', namespace: 'shop' });
    expect(associations).toMatchObject([{ serviceAccount: 'web', associationId }]);
    expect((await eks('DescribePodIdentityAssociation', { clusterName: 'shop', associationId })).association.roleArn).toBe(
      association.roleArn,
    );
  });

  test('add-ons, in pages', async () => {
    for (const addonName of ['vpc-cni', 'coredns', 'aws-ebs-csi-driver'])
      await eks('CreateAddon', { clusterName: 'shop', addonName });
    const first = await eks('ListAddons', { clusterName: 'shop', maxResults: 2 });
    expect(first.addons).toEqual(['aws-ebs-csi-driver', 'coredns']);
    expect((await eks('ListAddons', { clusterName: 'shop', nextToken: first.nextToken })).addons).toEqual(['vpc-cni']);
    await k.wait(100);
    expect((await eks('DescribeAddon', { clusterName: 'shop', addonName: 'coredns' })).addon.status).toBe('ACTIVE');
  });

  test('tags, which the tagging API finds', async () => {
    const resourceArn = `arn:aws:eks:us-east-1:${HOME.account}:cluster/shop`;
    await eks('TagResource', { resourceArn, tags: { team: 'storefront' } });
    await eks('UntagResource', { resourceArn, tagKeys: ['app'] });
    expect((await eks('ListTagsForResource', { resourceArn })).tags).toEqual({ team: 'storefront' });
    const { ResourceTagMappingList: found } = await k.call('tagging', 'GetResources', { TagFilters: [{ Key: 'team' }] });
    expect(found.map(({ ResourceARN }: any) => ResourceARN)).toEqual([resourceArn]);
    await expect(eks('TagResource', { resourceArn: 'arn:none', tags: {} })).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});

test('the SDK understands every answer', async () => {
  const world = new World(services, { seed: 'wire', patience: 3 });
  const credentials = { accessKeyId: HOME.account, secretAccessKey: 'x' };
  const client = new EKSClient({ region: 'us-east-1', credentials, requestHandler: requestHandler(world), maxAttempts: 1 });
  await client.send(new CreateClusterCommand(CLUSTER));
  await world.clock.advance(1_000_000);
  const { cluster } = await client.send(new DescribeClusterCommand({ name: 'shop' }));
  expect(cluster).toMatchObject({ status: 'ACTIVE', createdAt: expect.any(Date), endpoint: expect.stringContaining('/_eks/') });
  expect((await client.send(new ListClustersCommand({}))).clusters).toEqual(['shop']);
  await expect(client.send(new DescribeClusterCommand({ name: 'none' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 404 },
  });
});
