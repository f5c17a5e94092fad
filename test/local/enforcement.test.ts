import { beforeAll, describe, expect, test } from 'vitest';
import { readReference } from '../../local/world/authorization/reference.ts';
import { actionsOf, type Caller, loadServices, World } from '../../local/world/world.ts';
import { makeRole } from './roles.ts';

const HOME = { account: '111111111111', region: 'us-east-1' };
const OTHER = { account: '222222222222', region: 'us-east-1' };
const services = await loadServices();

let world: World;
const root = (service: string, operation: string, input: object = {}, place = HOME): Promise<any> =>
  world.clock.settle(world.call({ place, service, operation, input }));
const caller = (role: string, account = HOME.account): Caller => ({
  account,
  arn: `arn:aws:sts::${account}:assumed-role/${role}/me`,
});
/** What a role is answered: the error's code, or `allowed` where it was not for want of permission. */
async function as(role: string, service: string, operation: string, input: object = {}): Promise<string> {
  const request = { place: HOME, service, operation, input, caller: caller(role) };
  return world.clock.settle(world.call(request)).then(
    () => 'allowed',
    ({ code, message }) => (/not authorized to perform/.test(message) ? `${code}: ${message}` : 'allowed'),
  );
}
const lacking = (action: string) => expect.stringContaining(`no identity-based policy allows the ${action} action`);

let roles = 0;
/** A role that may do just these. */
async function allowed(...statements: (string | object)[]): Promise<string> {
  const name = `r${++roles}`;
  await makeRole(world, HOME.account, name, { trusts: { AWS: HOME.account }, allows: ['sts:GetCallerIdentity'] });
  const Statement = statements.map((one) => ({
    Effect: 'Allow',
    ...(typeof one === 'string' ? { Action: one, Resource: '*' } : one),
  }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await root('iam', 'PutRolePolicy', { RoleName: name, PolicyName: 'own', PolicyDocument });
  return name;
}

beforeAll(async () => {
  world = new World(services, { seed: 'enforcement', latency: [0, 0] });
  for (const { account } of [HOME, OTHER]) await makeRole(world, account, 'first', { trusts: { AWS: account } });
});

test('every operation that is modelled has an action in IAM, but for those that need none and S3’s, which name their own', async () => {
  const missing: string[] = [];
  for (const [name, service] of services) {
    if (service.authorization?.itself) continue;
    missing.push(...(await readReference(name, actionsOf(service))));
  }
  expect(missing).toEqual([]);
});

describe('a refusal is in the service’s own words', () => {
  const SAYS = `User: arn:aws:sts::111111111111:assumed-role/nobody/me is not authorized to perform:`;
  test.each([
    [
      'ec2',
      'DescribeVolumes',
      {},
      `UnauthorizedOperation: You are not authorized to perform this operation. ${SAYS} ec2:DescribeVolumes because`,
    ],
    [
      'ec2',
      'DeleteSnapshot',
      { SnapshotId: 'snap-1' },
      `UnauthorizedOperation: You are not authorized to perform this operation. ${SAYS} ec2:DeleteSnapshot on resource: arn:aws:ec2:us-east-1::snapshot/snap-1 because`,
    ],
    ['s3', 'CreateBucket', { Bucket: 'mine' }, `AccessDenied: ${SAYS} s3:CreateBucket on resource: arn:aws:s3:::mine because`],
    [
      'dynamodb',
      'GetItem',
      { TableName: 't' },
      `AccessDeniedException: ${SAYS} dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:111111111111:table/t because`,
    ],
    [
      'rds',
      'DescribeDBSnapshots',
      {},
      `AccessDenied: ${SAYS} rds:DescribeDBSnapshots on resource: arn:aws:rds:us-east-1:111111111111:snapshot:* because`,
    ],
    [
      'lambda',
      'Invoke',
      { FunctionName: 'f' },
      `AccessDeniedException: ${SAYS} lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111111111111:function:f because`,
    ],
    [
      'states',
      'StartExecution',
      { stateMachineArn: 'arn:aws:states:us-east-1:111111111111:stateMachine:m' },
      `AccessDeniedException: ${SAYS} states:StartExecution on resource: arn:aws:states:us-east-1:111111111111:stateMachine:m because`,
    ],
    ['kms', 'CreateKey', {}, `AccessDeniedException: ${SAYS} kms:CreateKey because`],
    [
      'iam',
      'GetRole',
      { RoleName: 'x' },
      `AccessDenied: ${SAYS} iam:GetRole on resource: arn:aws:iam::111111111111:role/x because`,
    ],
    ['tagging', 'GetResources', {}, `AccessDeniedException: ${SAYS} tag:GetResources because`],
    [
      'scheduler',
      'GetSchedule',
      { Name: 's' },
      `AccessDeniedException: ${SAYS} scheduler:GetSchedule on resource: arn:aws:scheduler:us-east-1:111111111111:schedule/default/s because`,
    ],
    [
      'elasticfilesystem',
      'DescribeFileSystems',
      {},
      `AccessDeniedException: ${SAYS} elasticfilesystem:DescribeFileSystems on resource: arn:aws:elasticfilesystem:us-east-1:111111111111:file-system/* because`,
    ],
  ] as const)('%s %s %j', async (service, operation, input, said) => {
    expect(await as('nobody', service, operation, input)).toContain(said);
  });
});

describe('beside its own action an operation needs', () => {
  test('EC2: the giving of tags, by the operation that gives them', async () => {
    const { VolumeId } = await root('ec2', 'CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 });
    const tagged = { VolumeId, TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'app', Value: 'shop' }] }] };
    expect(await as(await allowed('ec2:CreateSnapshot'), 'ec2', 'CreateSnapshot', tagged)).toEqual(lacking('ec2:CreateTags'));
    const Condition = (createAction: string) => ({ StringEquals: { 'ec2:CreateAction': createAction } });
    const tags = (createAction: string) => ({ Action: 'ec2:CreateTags', Resource: '*', Condition: Condition(createAction) });
    const other = await allowed('ec2:CreateSnapshot', tags('CreateVolume'));
    expect(await as(other, 'ec2', 'CreateSnapshot', tagged)).toEqual(lacking('ec2:CreateTags'));
    expect(await as(await allowed('ec2:CreateSnapshot', tags('CreateSnapshot')), 'ec2', 'CreateSnapshot', tagged)).toBe(
      'allowed',
    );
  });

  test('EC2: both ends of a copy, the new one by the tags that it is given', async () => {
    const copy = {
      SourceSnapshotId: 'snap-1',
      SourceRegion: 'eu-west-1',
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'app', Value: 'shop' }] }],
    };
    const made = {
      Action: 'ec2:CopySnapshot',
      Resource: 'arn:aws:ec2:us-east-1::snapshot/*',
      Condition: { Null: { 'aws:RequestTag/app': 'false' } },
    };
    const source = { Action: 'ec2:CopySnapshot', Resource: 'arn:aws:ec2:eu-west-1::snapshot/*' };
    expect(await as(await allowed(made, 'ec2:CreateTags'), 'ec2', 'CopySnapshot', copy)).toEqual(lacking('ec2:CopySnapshot'));
    expect(await as(await allowed(source, 'ec2:CreateTags'), 'ec2', 'CopySnapshot', copy)).toEqual(lacking('ec2:CopySnapshot'));
    expect(await as(await allowed(made, source, 'ec2:CreateTags'), 'ec2', 'CopySnapshot', copy)).toBe('allowed');
  });

  test('the tags that a resource really bears', async () => {
    const volume = (app: string) =>
      root('ec2', 'CreateVolume', {
        AvailabilityZone: 'us-east-1a',
        Size: 1,
        TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'App', Value: app }] }],
      });
    const [ours, theirs] = [await volume('ours'), await volume('theirs')];
    const Condition = { StringEquals: { 'aws:ResourceTag/App': 'ours' } };
    const role = await allowed({ Action: 'ec2:DeleteVolume', Resource: '*', Condition });
    expect(await as(role, 'ec2', 'DeleteVolume', { VolumeId: theirs.VolumeId })).toEqual(lacking('ec2:DeleteVolume'));
    expect(await as(role, 'ec2', 'DeleteVolume', { VolumeId: ours.VolumeId })).toBe('allowed');
  });

  test('the passing of a role, to the service that it is handed', async () => {
    const machine = {
      name: 'm',
      roleArn: 'arn:aws:iam::111111111111:role/machine',
      definition: JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Succeed' } } }),
    };
    const pass = (to: string) => ({
      Action: 'iam:PassRole',
      Resource: machine.roleArn,
      Condition: { StringEquals: { 'iam:PassedToService': to } },
    });
    const making = 'states:CreateStateMachine';
    expect(await as(await allowed(making), 'states', 'CreateStateMachine', machine)).toEqual(lacking('iam:PassRole'));
    expect(await as(await allowed(making, pass('lambda.amazonaws.com')), 'states', 'CreateStateMachine', machine)).toEqual(
      lacking('iam:PassRole'),
    );
    expect(await as(await allowed(making, pass('states.amazonaws.com')), 'states', 'CreateStateMachine', machine)).toBe(
      'allowed',
    );
  });

  test('S3: what its headers ask for, the listing for what is not there, and the key of the data, through S3', async () => {
    const { KeyMetadata } = await root('kms', 'CreateKey');
    await root('s3', 'CreateBucket', { Bucket: 'data', ObjectLockEnabledForBucket: true });
    const put = { Bucket: 'data', Key: 'a', Body: new Uint8Array() };
    const writes = await allowed('s3:PutObject', 's3:GetObject');
    expect(await as(writes, 's3', 'PutObject', put)).toBe('allowed');
    const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(world.clock.now() + 1e9) };
    expect(await as(writes, 's3', 'PutObject', { ...put, ...lock })).toEqual(lacking('s3:PutObjectRetention'));
    expect(await as(writes, 's3', 'PutObject', { ...put, Tagging: 'a=b' })).toEqual(lacking('s3:PutObjectTagging'));
    expect(await as(writes, 's3', 'GetObject', { Bucket: 'data', Key: 'gone' })).toEqual(lacking('s3:ListBucket'));
    const sealed = { ...put, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata.Arn };
    expect(await as(writes, 's3', 'PutObject', sealed)).toEqual(lacking('kms:GenerateDataKey'));
    const through = (service: string) => ({
      Action: 'kms:*',
      Resource: '*',
      Condition: { StringEquals: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com` } },
    });
    expect(await as(await allowed('s3:PutObject', through('ec2')), 's3', 'PutObject', sealed)).toEqual(
      lacking('kms:GenerateDataKey'),
    );
    const both = await allowed('s3:PutObject', 's3:GetObject', through('s3'));
    expect(await as(both, 's3', 'PutObject', sealed)).toBe('allowed');
    expect(await as(both, 'kms', 'GenerateDataKey', { KeyId: KeyMetadata.Arn, KeySpec: 'AES_256' })).toEqual(
      lacking('kms:GenerateDataKey'),
    );
    expect(await as(writes, 's3', 'GetObject', { Bucket: 'data', Key: 'a' })).toEqual(lacking('kms:Decrypt'));
    expect(await as(both, 's3', 'GetObject', { Bucket: 'data', Key: 'a' })).toBe('allowed');
  });

  test('KMS: a key goes by its aliases, and a grant to AWS’s own only', async () => {
    const { KeyMetadata } = await root('kms', 'CreateKey');
    const { KeyId, Arn } = KeyMetadata;
    await root('kms', 'CreateAlias', { AliasName: 'alias/ours', TargetKeyId: KeyId });
    const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/ours' } };
    const role = await allowed({ Action: 'kms:Encrypt', Resource: '*', Condition });
    const encrypt = { KeyId: Arn, Plaintext: new Uint8Array(4) };
    expect(await as(role, 'kms', 'Encrypt', encrypt)).toBe('allowed');
    const { KeyMetadata: other } = await root('kms', 'CreateKey');
    expect(await as(role, 'kms', 'Encrypt', { ...encrypt, KeyId: other.Arn })).toEqual(lacking('kms:Encrypt'));
    const grants = await allowed({
      Action: 'kms:CreateGrant',
      Resource: '*',
      Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    });
    const grant = { KeyId, GranteePrincipal: 'arn:aws:iam::111111111111:root', Operations: ['Decrypt'] };
    expect(await as(grants, 'kms', 'CreateGrant', grant)).toEqual(lacking('kms:CreateGrant'));
  });

  test('events: the source of each event', async () => {
    const Condition = { StringEquals: { 'events:source': 'shop' } };
    const role = await allowed({ Action: 'events:PutEvents', Resource: '*', Condition });
    const event = (Source: string) => ({ Source, DetailType: 'Sold', Detail: '{}' });
    expect(await as(role, 'events', 'PutEvents', { Entries: [event('shop')] })).toBe('allowed');
    expect(await as(role, 'events', 'PutEvents', { Entries: [event('shop'), event('other')] })).toEqual(
      lacking('events:PutEvents'),
    );
  });

  test('a bucket’s policy keeps roles of its own account out, too', async () => {
    const Bucket = 'ledger';
    await root('s3', 'CreateBucket', { Bucket });
    await root('s3', 'PutObject', { Bucket, Key: 'a' });
    const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${Bucket}/*` };
    await root('s3', 'PutBucketPolicy', { Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
    expect(await as(await allowed('s3:*'), 's3', 'DeleteObject', { Bucket, Key: 'a' })).toContain(
      'with an explicit deny in a resource-based policy',
    );
  });
});

describe('a role is assumed', () => {
  const assume = (RoleArn: string, who?: Caller) =>
    world.clock
      .settle(
        world.call({
          place: HOME,
          service: 'sts',
          operation: 'AssumeRole',
          input: { RoleArn, RoleSessionName: 'me' },
          ...(who ? { caller: who } : {}),
        }),
      )
      .then(
        () => 'assumed',
        ({ code }) => code,
      );

  test('by whom it trusts, who must be allowed to, and not where it is not there', async () => {
    expect(await assume('arn:aws:iam::222222222222:role/none')).toBe('AccessDenied');
    const theirs = await makeRole(world, OTHER.account, 'theirs', { trusts: { AWS: HOME.account } });
    const may = await allowed({ Action: 'sts:AssumeRole', Resource: theirs });
    expect(await assume(theirs, caller(may))).toBe('assumed');
    expect(await assume(theirs, caller(await allowed('s3:GetObject')))).toBe('AccessDenied');
    const closed = await makeRole(world, OTHER.account, 'closed', { trusts: { Service: 'lambda.amazonaws.com' } });
    expect(await assume(closed, caller(await allowed('sts:AssumeRole')))).toBe('AccessDenied');
    const mine = await makeRole(world, HOME.account, 'mine', { trusts: { AWS: `arn:aws:iam::${HOME.account}:role/${may}` } });
    expect(await assume(mine, caller(may))).toBe('assumed'); // named itself, it needs no word of its own
  });

  test('by the service that it trusts, for the account that it names', async () => {
    const context = world.context<object>({ place: HOME, service: 'sts' });
    const arn = await makeRole(world, HOME.account, 'scheduled', { trusts: { Service: 'scheduler.amazonaws.com' } });
    expect(context.assume('scheduler.amazonaws.com', arn, 's').arn).toBe('arn:aws:sts::111111111111:assumed-role/scheduled/s');
    expect(() => context.assume('events.amazonaws.com', arn, 's')).toThrow(
      /no role trust policy allows the sts:AssumeRole action/,
    );
    const AssumeRolePolicyDocument = JSON.stringify({
      Statement: {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': OTHER.account } },
      },
    });
    await root('iam', 'CreateRole', { RoleName: 'guarded', AssumeRolePolicyDocument });
    const guarded = 'arn:aws:iam::111111111111:role/guarded';
    expect(() => context.assume('events.amazonaws.com', guarded, 's')).toThrow(/not authorized/);
    const there = world.context<object>({ place: OTHER, service: 'sts' });
    expect(there.assume('events.amazonaws.com', guarded, 's').account).toBe(HOME.account);
  });
});

test('what was allowed is counted as used, what was not as denied', async () => {
  const role = await allowed('ec2:DescribeVolumes');
  const before = world.permissions.denied.length;
  await as(role, 'ec2', 'DescribeVolumes');
  await as(role, 'ec2', 'DescribeSnapshots');
  expect([...world.permissions.usedBy(`arn:aws:iam::111111111111:role/${role}`)]).toEqual(['ec2:DescribeVolumes']);
  expect(world.permissions.denied.slice(before).map(({ action }) => action)).toEqual(['ec2:DescribeSnapshots']);
});

test('an account in which nobody has made a role keeps no identities; from the first role on it does', async () => {
  const place = { account: '333333333333', region: 'us-east-1' };
  const own = new World(services, { seed: 'first role', latency: [0, 0] });
  const describe = () =>
    own.clock
      .settle(own.call({ place, service: 'ec2', operation: 'DescribeVolumes', input: {}, caller: caller('any', place.account) }))
      .then(
        () => 'allowed',
        ({ code }) => code,
      );
  expect(await describe()).toBe('allowed');
  await makeRole(own, place.account, 'first', { trusts: { AWS: place.account } });
  expect(await describe()).toBe('UnauthorizedOperation');
});
