import { describe, expect, test } from 'vitest';
import { service as sts } from '../../local/services/sts/index.ts';
import type { StsState } from '../../local/services/sts/state.ts';
import { type Caller, World } from '../../local/world/world.ts';

const place = { account: '111111111111', region: 'us-east-1' };
const OTHER = '222222222222';

function setUp() {
  const world = new World(new Map([[sts.name, sts]]), { seed: 'sts', latency: [0, 0] });
  const call = (operation: string, input: object = {}, caller?: Caller): Promise<any> =>
    world.clock.settle(world.call({ place, service: 'sts', operation, input, ...(caller ? { caller } : {}) }));
  const assume = (more: object = {}, caller?: Caller) =>
    call('AssumeRole', { RoleArn: `arn:aws:iam::${OTHER}:role/restore`, RoleSessionName: 'me@home', ...more }, caller);
  return { world, call, assume, state: world.state<StsState>('sts', place) };
}

describe('STS', () => {
  test('says who calls: an account’s root, or a role that was assumed in any account', async () => {
    const { call, assume, state } = setUp();
    expect(await call('GetCallerIdentity')).toEqual({
      Account: place.account,
      Arn: 'arn:aws:iam::111111111111:root',
      UserId: place.account,
    });
    const { Credentials, AssumedRoleUser } = await assume();
    expect(Credentials.AccessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
    const caller = state.callerOf(Credentials.AccessKeyId)!;
    expect(caller).toEqual({ account: OTHER, arn: `arn:aws:sts::${OTHER}:assumed-role/restore/me@home` });
    expect(await call('GetCallerIdentity', {}, caller)).toEqual({
      Account: OTHER,
      Arn: AssumedRoleUser.Arn,
      UserId: AssumedRoleUser.AssumedRoleId,
    });
    expect(state.callerOf('ASIAUNKNOWN')).toBeUndefined();
  });

  test('a role’s sessions share its id, whatever its path', async () => {
    const { assume } = setUp();
    const roleOf = async (more: object) => (await assume(more)).AssumedRoleUser;
    const [one, two] = [await roleOf({}), await roleOf({ RoleSessionName: 'another' })];
    expect(two.AssumedRoleId.split(':')).toEqual([one.AssumedRoleId.split(':')[0], 'another']);
    const nested = await roleOf({ RoleArn: `arn:aws:iam::${OTHER}:role/teams/blue/restore` });
    expect(nested.Arn).toBe(one.Arn);
    const elsewhere = await roleOf({ RoleArn: `arn:aws:iam::${place.account}:role/restore` });
    expect(elsewhere.AssumedRoleId).not.toBe(one.AssumedRoleId);
  });

  test('keys expire', async () => {
    const { world, call, assume, state } = setUp();
    const { Credentials } = await assume({ DurationSeconds: 900 });
    const expired = () => state.expired(Credentials.AccessKeyId, new Date(world.clock.now()));
    expect(Credentials.Expiration.getTime() - world.clock.now()).toBe(900_000);
    await world.clock.advance(899_000);
    expect(expired()).toBe(false);
    await world.clock.advance(1_000);
    expect(expired()).toBe(true);
    expect((await call('GetAccessKeyInfo', { AccessKeyId: Credentials.AccessKeyId })).Account).toBe(OTHER);
    const session = await call('GetSessionToken');
    expect(state.callerOf(session.Credentials.AccessKeyId)?.arn).toBe('arn:aws:iam::111111111111:root');
  });

  test.each([
    ['what is no role', { RoleArn: 'arn:aws:iam::222222222222:user/me' }],
    ['a role of no account', { RoleArn: 'arn:aws:iam::2:role/restore' }],
    ['a session without a name', { RoleSessionName: '' }],
    ['a session with spaces', { RoleSessionName: 'two words' }],
    ['a minute', { DurationSeconds: 60 }],
    ['a day', { DurationSeconds: 86_400 }],
  ])('refuses to assume %s', async (_, more) => {
    await expect(setUp().assume(more)).rejects.toMatchObject({ code: 'ValidationError' });
  });
});
