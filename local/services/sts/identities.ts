import type * as SDK from '@aws-sdk/client-sts';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { Caller, World } from '../../world/world.ts';
import type { StsState } from './state.ts';

/** STS API, AssumeRole and GetSessionToken: seconds. */
const ASSUMED = { unasked: 3600, least: 900, most: 43_200 };
const SESSION = { unasked: 43_200, least: 900, most: 129_600 };

const ROLE = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:[\u0021-\u007F]+\/)?([\w+=,.@-]{1,64})$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

/** Issues keys that are this caller's until they expire. */
function credentials(
  caller: Caller,
  seconds: number | undefined,
  limits: typeof ASSUMED,
  context: Context<StsState>,
): SDK.Credentials {
  const { state, now, world } = context;
  const duration = seconds ?? limits.unasked;
  if (duration < limits.least || duration > limits.most)
    refuse('ValidationError', `DurationSeconds is ${limits.least} to ${limits.most}, not ${duration}.`);
  const expires = new Date(now().getTime() + duration * 1000);
  const AccessKeyId = `ASIA${world.random.hex(16).toUpperCase()}`;
  state.issue(AccessKeyId, { caller, expires });
  return { AccessKeyId, SecretAccessKey: world.random.hex(40), SessionToken: world.random.hex(64), Expiration: expires };
}

/** A role's sessions share its id (IAM guide, "Unique identifiers"); the account's root is known by its account. */
function userId({ account, arn }: Caller, state: StsState, world: World): string {
  const [, role, session] = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  if (role) return `${state.roleId(account, role, world)}:${session}`;
  return arn.endsWith(':root') ? account : state.userId(arn);
}

export const identities = operations<typeof SDK, StsState>()({
  GetCallerIdentity: (_, { state, caller, world }) => ({
    Account: caller.account,
    Arn: caller.arn,
    UserId: userId(caller, state, world),
  }),

  /** Who may, the role's trust policy and the caller's own have said before. A session asks for no more than its role lets it. */
  AssumeRole({ RoleArn = '', RoleSessionName = '', DurationSeconds, Policy, PolicyArns }, context) {
    if (Policy || PolicyArns?.length) refuse('NotImplemented', 'The local AWS does not model session policies.', { status: 501 });
    const [, account, role] = ROLE.exec(RoleArn) ?? [];
    if (!account || !role) return refuse('ValidationError', `${RoleArn} is invalid`);
    if (!SESSION_NAME.test(RoleSessionName))
      return refuse('ValidationError', `RoleSessionName '${RoleSessionName}' must have 2 to 64 characters of [\\w+=,.@-].`);
    const arn = `arn:aws:sts::${account}:assumed-role/${role}/${RoleSessionName}`;
    return {
      Credentials: credentials({ account, arn }, DurationSeconds, ASSUMED, context),
      AssumedRoleUser: { AssumedRoleId: `${context.state.roleId(account, role, context.world)}:${RoleSessionName}`, Arn: arn },
      PackedPolicySize: 0,
    };
  },

  GetSessionToken: ({ DurationSeconds }, context) => ({
    Credentials: credentials(context.caller, DurationSeconds, SESSION, context),
  }),

  /** Twelve digits are an account's own key here; of others, only what was issued is known. */
  GetAccessKeyInfo({ AccessKeyId = '' }, { state }) {
    const account = /^\d{12}$/.test(AccessKeyId) ? AccessKeyId : state.callerOf(AccessKeyId)?.account;
    return { Account: account ?? refuse('ValidationError', `The access key '${AccessKeyId}' is not known.`) };
  },
});
