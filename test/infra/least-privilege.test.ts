import { beforeAll, describe, expect, test } from 'vitest';
import { laws } from '../../functions/kinds/laws.ts';
import type { Judged } from '../../local/world/authorization/permissions.ts';
import type { World } from '../../local/world/world.ts';
import { stage } from '../stage.ts';
import { configurationFor, SAFE } from '../world.ts';
import { ABROAD } from './abroad.ts';
import { played } from './playing.ts';
import { proved } from './proofs.ts';
import { SCENARIOS } from './scenarios.ts';
import { type Role, rolesOf, synthesisedOf, type Template } from './synthesised.ts';
import { dispatch, putRoles, underRoles } from './under-roles.ts';

/**
 * Least privilege, proved by running under it: every workflow and every law of every kind, each step under the role that its template gives
 * it, in an AWS that checks what AWS checks. Nothing may be denied, and whatever is granted must have been of use to a workflow: that a law
 * asks for it shows no more than that a kind could.
 */

/** What is granted and not seen to be used here, by action, with the reason; of all roles that hold it. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  's3:ListBucket': 'A key that is not there yet is told from a denied one only to who may list; most runs find the key there.',
  'logs:*': 'Lambda and Step Functions write their logs with the role themselves, and that is not modelled.',
  'xray:*': 'Step Functions sends its traces with the role itself, and that is not modelled.',
  'sqs:SendMessage': 'Only what could not be delivered goes to the dead letters.',
  'elasticfilesystem:*':
    'What AWS Backup’s managed policy for restores has besides, for what fails half way (role `backup` only).',
};

interface Seen {
  readonly used: Map<string, Set<string>>;
  readonly denied: string[];
}

function gather(world: World, roles: readonly Role[], { used, denied }: Seen): void {
  for (const { name, arn } of roles) {
    const actions = used.get(name) ?? new Set();
    for (const action of world.permissions.usedBy(arn)) actions.add(action);
    used.set(name, actions);
  }
  denied.push(...deniedIn(world));
}

const deniedIn = (world: World): string[] => world.permissions.denied.map(sentence);

const sentence = ({ principal, action, resource }: Judged): string => `${principal.split('/').at(-1)} ${action} on ${resource}`;

/** Actions that a role is allowed and never used. */
function unused(role: Role, used: ReadonlySet<string>): string[] {
  const granted = new Set(role.statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action));
  return [...granted].filter((action) => !used.has(action)).sort();
}

/** The same but for the exceptions. */
const excess = (role: Role, used: ReadonlySet<string>): string[] =>
  unused(role, used).filter((action) => exceptionFor(action, role.name) === undefined);

function exceptionFor(action: string, role: string): string | undefined {
  if (action.startsWith('elasticfilesystem:') && !/^stillpoint-backup-/.test(role)) return undefined;
  return Object.keys(EXCEPTIONS).find((name) => name === action || (name.endsWith(':*') && action.startsWith(name.slice(0, -1))));
}

/** Laws that are held once more with a locked vault, where what locks is used. */
const WITH_LOCKS = /^(a capture settles|copying twice|what was copied)/;

let templates: Readonly<Record<string, Template>>;
let roles: Role[];
const seen: Seen = { used: new Map(), denied: [] };

beforeAll(async () => {
  ({ templates } = await synthesisedOf(configurationFor({ cluster: true })));
  roles = rolesOf(templates);
});

describe('under their roles', () => {
  test.each(Object.keys(SCENARIOS))('%s', async (name) => {
    gather(await played(name, SCENARIOS[name]!, templates), roles, seen);
  });

  test.each([0, 1, 2, 3])('the laws of every kind hold, by the turn of the steps that hold its verbs: %i', async (turn) => {
    const locked = turn > 1;
    for (const { name, kind, proof } of await proved()) {
      for (const [law, hold] of Object.entries(laws)) {
        if (locked && !WITH_LOCKS.test(law)) continue;
        const lock = locked ? { lock: { mode: 'governance', days: 1 } as const } : {};
        const stand = await stage({ seed: `${name}/${law}`, ...lock });
        await putRoles(stand.world, templates);
        const under = underRoles(kind, stand.world, stand.home.place, turn);
        await stand.settle(hold(under, proof, { ...stand, transport: dispatch(stand.world) }));
        seen.denied.push(...deniedIn(stand.world));
      }
    }
  });

  test('nothing was denied', () => expect([...new Set(seen.denied)]).toEqual([]));

  test('nothing is granted that was not used, but for a few exceptions, each of which is one', () => {
    const found = roles.flatMap((role) => {
      const actions = excess(role, seen.used.get(role.name)!);
      return actions.length > 0 ? [[role.name, actions] as const] : [];
    });
    expect(Object.fromEntries(found)).toEqual({});
    const excepted = roles.flatMap((role) =>
      unused(role, seen.used.get(role.name)!).map((action) => exceptionFor(action, role.name)),
    );
    expect([...new Set(excepted)].sort()).toEqual(Object.keys(EXCEPTIONS).sort());
    expect(Object.keys(EXCEPTIONS).length).toBeLessThanOrEqual(5);
  });
});

describe('into an account of its own', () => {
  let abroad: typeof templates;
  let both: Role[];
  const found: Seen = { used: new Map(), denied: [] };

  beforeAll(async () => {
    abroad = (await synthesisedOf(configurationFor({ cluster: true }, [], SAFE))).templates;
    both = rolesOf(abroad).filter(({ arn, name }) =>
      arn.includes(`:${SAFE.account}:`) ? /^stillpoint-(replicate|reconcile-fetch)/.test(name) : name.includes('-for-'),
    );
  });

  test.each(Object.keys(ABROAD))('%s', async (name) => gather(await played(name, ABROAD[name]!, abroad), both, found));

  test('nothing was denied, and nothing is granted between the accounts that was not used', () => {
    expect([...new Set(found.denied)]).toEqual([]);
    expect(both.length).toBeGreaterThan(8);
    expect(both.flatMap((role) => excess(role, found.used.get(role.name)!).map((action) => `${role.name} ${action}`))).toEqual(
      [],
    );
  });
});

describe('the proof is one', () => {
  const [first] = Object.entries(SCENARIOS) as [[string, (typeof SCENARIOS)[string]]];
  const changed = (name: string, change: (statements: any[]) => any[]): typeof templates => {
    const copy = structuredClone(templates) as Record<string, Template & { Resources: Record<string, any> }>;
    for (const { Resources } of Object.values(copy))
      for (const { Type, Properties } of Object.values(Resources))
        if (Type === 'AWS::IAM::Role' && Properties.RoleName === name) {
          const document = Properties.Policies[0].PolicyDocument;
          document.Statement = change(document.Statement);
        }
    return copy;
  };
  const CAPTURE = 'stillpoint-protect-capture-us-east-1';

  test('an action too many is found', async () => {
    const planted = changed(CAPTURE, (all) => [...all, { Effect: 'Allow', Action: ['ec2:DeleteVolume'], Resource: ['*'] }]);
    const own: Seen = { used: new Map(), denied: [] };
    const found = rolesOf(planted);
    gather(await played(first[0], first[1], planted), found, own);
    const role = found.find(({ name }) => name === CAPTURE)!;
    expect(excess(role, own.used.get(CAPTURE)!)).toContain('ec2:DeleteVolume');
  });

  test('an action too few is denied, and the point is not sealed', async () => {
    const planted = changed(CAPTURE, (all) =>
      all
        .map((one) => ({ ...one, Action: one.Action.filter((action: string) => !/^ec2:CreateSnapshots?$/.test(action)) }))
        .filter(({ Action }) => Action.length > 0),
    );
    await expect(played(first[0], first[1], planted)).rejects.toThrow(
      /stillpoint-protect-capture is not authorized to perform: ec2:CreateSnapshots? on resource: arn:aws:ec2:.* because no identity-based policy allows/,
    );
  });
});
