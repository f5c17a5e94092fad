import { describe, expect, test } from 'vitest';
import type { Keys } from '../../local/world/authorization/conditions.ts';
import { conditionsOf } from '../../local/world/authorization/conditions.ts';
import { documentOf } from '../../local/world/authorization/document.ts';
import { evaluate, type Guard, type Principal } from '../../local/world/authorization/evaluate.ts';

const OURS = '111111111111';
const THEIRS = '222222222222';
const OBJECT = 'arn:aws:s3:::bucket/key';

type Statement = Record<string, unknown>;
const policy = (...Statement: Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (more: Statement = {}): Statement => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more });
const deny = (more: Statement = {}): Statement => ({ ...allow(more), Effect: 'Deny' });
const to = (AWS: string | string[], statement: Statement = allow()): Statement => ({ ...statement, Principal: { AWS } });

const ROLE = `arn:aws:iam::${OURS}:role/reader`;
const SESSION = `arn:aws:sts::${OURS}:assumed-role/reader/me`;
const role = (identity: Statement[], boundary?: Statement[]): Principal => ({
  kind: 'role',
  account: OURS,
  arn: SESSION,
  names: [SESSION, ROLE],
  identity: identity.length > 0 ? [documentOf(policy(...identity), 'identity')] : [],
  ...(boundary ? { boundary: documentOf(policy(...boundary), 'identity') } : {}),
});
const root = (account = OURS): Principal => {
  const arn = `arn:aws:iam::${account}:root`;
  return { kind: 'root', account, arn, names: [arn], identity: [] };
};
const service = (name: string): Principal => ({ kind: 'service', account: OURS, arn: name, names: [name], identity: [] });
const guard = (...statements: Statement[]): Guard => ({ policy: documentOf(policy(...statements), 'resource') });

const asked = (more: object = {}, keys: Record<string, string | string[]> = {}) => ({
  action: 's3:GetObject',
  resource: OBJECT,
  owner: OURS,
  keys: ((key) => keys[key]) as Keys,
  ...more,
});

/** IAM guide, "Policy evaluation logic". */
describe('a request is', () => {
  const ROOT = `arn:aws:iam::${OURS}:root`;
  const theirs = { owner: THEIRS };
  test.each<[why: string, Principal, Guard, object, string]>([
    ['denied where nobody says anything', role([]), {}, {}, 'because no identity-based policy allows the s3:GetObject action'],
    ['allowed by the principal’s own policy', role([allow()]), {}, {}, 'allowed'],
    [
      'denied explicitly, whatever allows',
      role([allow(), deny()]),
      guard(to(ROLE)),
      {},
      'with an explicit deny in an identity-based policy',
    ],
    ['denied by the resource', role([allow()]), guard(to('*', deny())), {}, 'with an explicit deny in a resource-based policy'],
    ['allowed by the resource alone, to the role by name', role([]), guard(to(ROLE)), {}, 'allowed'],
    ['allowed by the resource alone, to the session by name', role([]), guard(to(SESSION)), {}, 'allowed'],
    ['allowed to everybody', role([]), guard({ ...allow(), Principal: '*' }), {}, 'allowed'],
    [
      'left to the account that the resource names',
      role([]),
      guard(to(ROOT)),
      {},
      'because no identity-based policy allows the s3:GetObject action',
    ],
    ['allowed where that account allows', role([allow()]), guard(to(OURS)), {}, 'allowed'],
    [
      'denied by a policy that decides and does not let in',
      role([allow()]),
      { ...guard(to(THEIRS)), decides: true },
      {},
      'because no resource-based policy allows the s3:GetObject action',
    ],
    [
      'allowed by a policy that decides, through the account',
      role([allow()]),
      { ...guard(to(ROOT)), decides: true },
      {},
      'allowed',
    ],
    ['allowed by a grant beside it', role([]), { ...guard(to(THEIRS)), decides: true, grants: true }, {}, 'allowed'],
    [
      'denied abroad without the resource’s word',
      role([allow()]),
      {},
      theirs,
      'because no resource-based policy allows the s3:GetObject action',
    ],
    [
      'denied abroad without its own word',
      role([]),
      guard(to(ROLE)),
      theirs,
      'because no identity-based policy allows the s3:GetObject action',
    ],
    ['allowed abroad by both', role([allow()]), guard(to(OURS)), theirs, 'allowed'],
    ['allowed to root of its account', root(), {}, {}, 'allowed'],
    ['denied to root by the resource', root(), guard(to('*', deny())), {}, 'with an explicit deny in a resource-based policy'],
    ['denied to root abroad', root(), {}, theirs, 'because no resource-based policy allows the s3:GetObject action'],
    ['allowed to root abroad by the resource', root(), guard(to(OURS)), theirs, 'allowed'],
    [
      'denied beyond a permissions boundary',
      role([allow()], [allow({ Action: 's3:PutObject' })]),
      {},
      {},
      'because no permissions boundary allows the s3:GetObject action',
    ],
    [
      'denied by a permissions boundary',
      role([allow()], [allow(), deny()]),
      {},
      {},
      'with an explicit deny in a permissions boundary',
    ],
    ['allowed within a permissions boundary', role([allow()], [allow({ Action: 's3:*' })]), {}, {}, 'allowed'],
    [
      'denied to a service that the resource does not name',
      service('events.amazonaws.com'),
      guard(to(ROOT)),
      {},
      'because no resource-based policy allows the s3:GetObject action',
    ],
    [
      'allowed to a service that it names',
      service('events.amazonaws.com'),
      guard({ ...allow(), Principal: { Service: 'events.amazonaws.com' } }),
      {},
      'allowed',
    ],
    [
      'denied to all but',
      role([allow()]),
      guard({ ...deny(), NotPrincipal: { AWS: [`arn:aws:iam::${OURS}:role/other`] } }),
      {},
      'with an explicit deny in a resource-based policy',
    ],
    ['not denied to whom it excepts', role([allow()]), guard({ ...deny(), NotPrincipal: { AWS: [ROLE] } }), {}, 'allowed'],
  ])('%s', (_, principal, guarded, more, expected) => {
    const verdict = evaluate(asked(more), principal, guarded);
    expect(verdict.allowed ? 'allowed' : verdict.because).toBe(expected);
  });
});

describe('a statement covers', () => {
  const covers = (statement: Statement, more: object = {}, keys: Record<string, string | string[]> = {}) =>
    evaluate(asked(more, keys), role([allow(statement)])).allowed;
  test.each<[what: string, Statement, object, boolean]>([
    ['an action in any case', { Action: 'S3:getobject' }, {}, true],
    ['actions by wildcard', { Action: 's3:Get*' }, {}, true],
    ['an action by a question mark', { Action: 's3:GetObjec?' }, {}, true],
    ['no longer action', { Action: 's3:GetObject' }, { action: 's3:GetObjectVersion' }, false],
    ['what NotAction leaves', { Action: undefined, NotAction: 's3:Put*' }, {}, true],
    ['not what NotAction names', { Action: undefined, NotAction: 's3:Get*' }, {}, false],
    [
      'a resource by wildcard, across slashes',
      { Resource: 'arn:aws:s3:::bucket/*' },
      { resource: 'arn:aws:s3:::bucket/a/b' },
      true,
    ],
    ['no resource of another name', { Resource: 'arn:aws:s3:::bucket' }, {}, false],
    ['no resource in another case', { Resource: 'arn:aws:s3:::bucket/KEY' }, {}, false],
    ['what NotResource leaves', { Resource: undefined, NotResource: 'arn:aws:s3:::other/*' }, {}, true],
    ['not what NotResource names', { Resource: undefined, NotResource: 'arn:aws:s3:::buck*' }, {}, false],
  ])('%s', (_, statement, more, expected) => expect(covers(statement, more)).toBe(expected));

  test('a resource by a policy variable, whose value is taken as it is', () => {
    const Resource = 'arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*';
    const resource = 'arn:aws:s3:::bucket/blue/key';
    expect(covers({ Resource }, { resource }, { 'aws:principaltag/team': 'blue' })).toBe(true);
    expect(covers({ Resource }, { resource }, { 'aws:principaltag/team': '*' })).toBe(false);
    expect(covers({ Resource }, { resource })).toBe(false);
    expect(covers({ Resource: "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'blue'}/*" }, { resource })).toBe(true);
  });
});

/** IAM guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values". */
describe('a condition', () => {
  const holds = (operator: string, wanted: string | string[], actual: string | string[] | undefined) =>
    conditionsOf({ [operator]: { Key: wanted } }).every((one) => one.holds((key) => (key === 'key' ? actual : undefined)));
  test.each<[operator: string, wanted: string | string[], actual: string | string[] | undefined, boolean]>([
    ['StringEquals', ['a', 'b'], 'b', true],
    ['StringEquals', 'a', 'A', false],
    ['StringEquals', 'a', undefined, false],
    ['StringEqualsIgnoreCase', 'a', 'A', true],
    ['StringEqualsIfExists', 'a', undefined, true],
    ['StringEqualsIfExists', 'a', 'b', false],
    ['StringNotEquals', ['a', 'b'], 'c', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEquals', 'a', undefined, true],
    ['StringLike', 'prod-*', 'prod-1', true],
    ['StringLike', '*', '', true],
    ['StringNotLike', 'prod-*', 'prod-1', false],
    ['ArnLike', 'arn:aws:iam::*:role/x*', 'arn:aws:iam::111111111111:role/xyz', true],
    ['ArnLike', 'arn:*:role/x', 'arn:aws:iam::111111111111:role/x', false],
    ['ArnEquals', 'arn:aws:iam::111111111111:role/x', 'arn:aws:iam::111111111111:role/x', true],
    ['ArnNotLike', 'arn:aws:iam::*:role/x', 'arn:aws:iam::1:role/y', true],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericGreaterThanEquals', '10', '10', true],
    ['NumericNotEquals', '10', '11', true],
    ['DateGreaterThan', '2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z', true],
    ['DateLessThan', '2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z', false],
    ['DateEquals', '1767225600', '2026-01-01T00:00:00Z', true],
    ['Bool', 'true', 'true', true],
    ['Bool', 'true', undefined, false],
    ['BoolIfExists', 'true', undefined, true],
    ['Null', 'true', undefined, true],
    ['Null', 'false', undefined, false],
    ['Null', 'false', 'a', true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', 'a', undefined, true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', 'a', ['c'], false],
    ['ForAnyValue:StringEquals', 'a', undefined, false],
    ['ForAnyValue:StringLike', 'alias/a*', ['alias/b', 'alias/ab'], true],
  ])('%s %j of %j', (operator, wanted, actual, expected) => expect(holds(operator, wanted, actual)).toBe(expected));

  test('of several keys: all must hold', () => {
    const [one, two] = conditionsOf({ StringEquals: { a: '1', b: '2' } });
    const keys: Keys = (key) => ({ a: '1', b: '3' })[key];
    expect([one?.holds(keys), two?.holds(keys)]).toEqual([true, false]);
  });
});
