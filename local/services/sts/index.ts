import type * as SDK from '@aws-sdk/client-sts';
import { defineService, operations, refuse } from '../../world/service.ts';
import { StsState } from './state.ts';

const identities = operations<typeof SDK, StsState>()({
  GetCallerIdentity(_, { caller }) {
    const user = caller.arn.endsWith(':root') ? caller.account : `AROA${caller.account}:${caller.arn.split('/').at(-1)}`;
    return { Account: caller.account, Arn: caller.arn, UserId: user };
  },

  AssumeRole({ RoleArn = '', RoleSessionName = '', DurationSeconds = 3600 }, { state, now, world }) {
    const match = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(RoleArn);
    if (!match) return refuse('ValidationError', `${RoleArn} is invalid`);
    const [, account, role] = match as unknown as [string, string, string];
    const arn = `arn:aws:sts::${account}:assumed-role/${role}/${RoleSessionName}`;
    const Expiration = new Date(now().getTime() + DurationSeconds * 1000);
    const AccessKeyId = `ASIA${world.random.hex(16).toUpperCase()}`;
    state.issue(AccessKeyId, { caller: { account, arn }, expires: Expiration });
    return {
      Credentials: { AccessKeyId, SecretAccessKey: world.random.hex(40), SessionToken: world.random.hex(64), Expiration },
      AssumedRoleUser: { AssumedRoleId: `AROA${world.random.hex(16).toUpperCase()}:${RoleSessionName}`, Arn: arn },
    };
  },

  GetSessionToken({ DurationSeconds = 43_200 }, { state, caller, now, world }) {
    const Expiration = new Date(now().getTime() + DurationSeconds * 1000);
    const AccessKeyId = `ASIA${world.random.hex(16).toUpperCase()}`;
    state.issue(AccessKeyId, { caller, expires: Expiration });
    return {
      Credentials: { AccessKeyId, SecretAccessKey: world.random.hex(40), SessionToken: world.random.hex(64), Expiration },
    };
  },
});

export const service = defineService<StsState>({
  name: 'sts',
  sdk: () => import('@aws-sdk/client-sts'),
  client: 'STSClient',
  scope: 'partition',
  state: () => new StsState(),
  operations: { ...identities },
});
