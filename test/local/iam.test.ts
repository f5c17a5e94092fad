import { describe, expect, test } from 'vitest';
import { service as iam } from '../../local/services/iam/index.ts';
import { World } from '../../local/world/world.ts';

const place = { account: '111111111111', region: 'us-east-1' };
const OTHER = '222222222222';

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const trusting = (Principal: object) => policy({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' });
const READS = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
const LAMBDA = trusting({ Service: 'lambda.amazonaws.com' });

function setUp() {
  const world = new World(new Map([[iam.name, iam]]), { seed: 'iam', latency: [0, 0] });
  const call = (operation: string, input: object = {}, account = place.account): Promise<any> =>
    world.clock.settle(world.call({ place: { ...place, account }, service: 'iam', operation, input }));
  const role = (RoleName: string, more: object = {}) =>
    call('CreateRole', { RoleName, AssumeRolePolicyDocument: LAMBDA, ...more });
  return { call, role };
}

const refusal = (code: string) => expect.objectContaining({ code });

describe('a role', () => {
  test('is kept in its account, in every region, with its policies percent-encoded', async () => {
    const { call, role } = setUp();
    const { Role } = await role('seal', { Path: '/stillpoint/', Description: 'seals', Tags: [{ Key: 'a', Value: 'b' }] });
    expect(Role).toMatchObject({
      Arn: 'arn:aws:iam::111111111111:role/stillpoint/seal',
      Path: '/stillpoint/',
      MaxSessionDuration: 3600,
    });
    expect(Role.RoleId).toMatch(/^AROA[0-9A-F]{17}$/);
    expect(decodeURIComponent(Role.AssumeRolePolicyDocument)).toBe(LAMBDA);
    expect((await call('GetRole', { RoleName: 'seal' })).Role).toEqual(Role);
    await expect(call('GetRole', { RoleName: 'seal' }, OTHER)).rejects.toEqual(refusal('NoSuchEntityException'));
    await expect(role('SEAL')).rejects.toEqual(refusal('EntityAlreadyExistsException'));
  });

  test('that comes again is somebody else', async () => {
    const { call, role } = setUp();
    const { Role: one } = await role('seal');
    await call('DeleteRole', { RoleName: 'seal' });
    expect((await role('seal')).Role.RoleId).not.toBe(one.RoleId);
  });

  test('is deleted only without policies', async () => {
    const { call, role } = setUp();
    await role('seal');
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await call('PutRolePolicy', { RoleName: 'seal', PolicyName: 'reads', PolicyDocument: READS });
    await call('AttachRolePolicy', { RoleName: 'seal', PolicyArn });
    await expect(call('DeleteRole', { RoleName: 'seal' })).rejects.toEqual(refusal('DeleteConflictException'));
    await call('DetachRolePolicy', { RoleName: 'seal', PolicyArn });
    await expect(call('DeleteRole', { RoleName: 'seal' })).rejects.toEqual(refusal('DeleteConflictException'));
    expect(await call('ListRolePolicies', { RoleName: 'seal' })).toEqual({ PolicyNames: ['reads'], IsTruncated: false });
    const { PolicyDocument } = await call('GetRolePolicy', { RoleName: 'seal', PolicyName: 'reads' });
    expect(decodeURIComponent(PolicyDocument)).toBe(READS);
    await call('DeleteRolePolicy', { RoleName: 'seal', PolicyName: 'reads' });
    await call('DeleteRole', { RoleName: 'seal' });
    expect((await call('ListRoles')).Roles).toEqual([]);
  });

  test('trusts only who is there', async () => {
    const { call, role } = setUp();
    const AssumeRolePolicyDocument = trusting({ AWS: `arn:aws:iam::${OTHER}:role/dr` });
    await expect(role('restore', { AssumeRolePolicyDocument })).rejects.toEqual(refusal('MalformedPolicyDocumentException'));
    await call('CreateRole', { RoleName: 'dr', AssumeRolePolicyDocument: LAMBDA }, OTHER);
    await role('restore', { AssumeRolePolicyDocument });
    await call('UpdateAssumeRolePolicy', { RoleName: 'restore', PolicyDocument: trusting({ AWS: OTHER }) });
  });

  test('keeps within the size of its policies', async () => {
    const { call, role } = setUp();
    await role('seal');
    const put = (PolicyName: string, bytes: number) => {
      const Resource = `arn:aws:s3:::${'x'.repeat(bytes)}`;
      const PolicyDocument = policy({ Effect: 'Allow', Action: 's3:*', Resource });
      return call('PutRolePolicy', { RoleName: 'seal', PolicyName, PolicyDocument });
    };
    await put('one', 6000);
    await expect(put('two', 6000)).rejects.toEqual(refusal('LimitExceededException'));
    await put('one', 9000);
  });

  test.each([
    ['no JSON', '{'],
    ['no statement', '{}'],
    ['an effect of its own', policy({ Effect: 'Maybe', Action: 's3:*', Resource: '*' })],
    ['no resource', policy({ Effect: 'Allow', Action: 's3:*' })],
    ['a principal', policy({ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' })],
    ['an action of nobody', policy({ Effect: 'Allow', Action: 'GetObject', Resource: '*' })],
    ['an operator that is none', policy({ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: { Like: { 'a:b': 'c' } } })],
  ])('has no policy with %s', async (_, PolicyDocument) => {
    const { call, role } = setUp();
    await role('seal');
    const put = call('PutRolePolicy', { RoleName: 'seal', PolicyName: 'bad', PolicyDocument });
    await expect(put).rejects.toEqual(refusal('MalformedPolicyDocumentException'));
  });
});

describe('a managed policy', () => {
  test('has versions, one of which is in force', async () => {
    const { call, role } = setUp();
    const { Policy } = await call('CreatePolicy', { PolicyName: 'reads', PolicyDocument: READS });
    const PolicyArn = Policy.Arn;
    await role('seal');
    await call('AttachRolePolicy', { RoleName: 'seal', PolicyArn });
    await call('CreatePolicyVersion', { PolicyArn, PolicyDocument: READS, SetAsDefault: true });
    expect((await call('GetPolicy', { PolicyArn })).Policy).toMatchObject({ DefaultVersionId: 'v2', AttachmentCount: 1 });
    await expect(call('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' })).rejects.toEqual(refusal('DeleteConflictException'));
    await call('DeletePolicyVersion', { PolicyArn, VersionId: 'v1' });
    await expect(call('DeletePolicy', { PolicyArn })).rejects.toEqual(refusal('DeleteConflictException'));
    await call('DetachRolePolicy', { RoleName: 'seal', PolicyArn });
    await call('DeletePolicy', { PolicyArn });
  });

  test('of AWS’s is nobody’s to change', async () => {
    const { call } = setUp();
    const PolicyArn = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
    expect((await call('GetPolicy', { PolicyArn })).Policy.PolicyName).toBe('ReadOnlyAccess');
    await expect(call('DeletePolicy', { PolicyArn })).rejects.toEqual(refusal('AccessDenied'));
  });
});
