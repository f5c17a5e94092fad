import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { InvalidConfiguration, parseConfiguration, readConfiguration } from '../functions/configuration/read.ts';
import { scheduleProblem } from '../functions/configuration/schedule.ts';
import { jsonSchema } from '../functions/configuration/schema.ts';

const RIGHT = `applications:
  shop:
    account: "111122223333"
    region: us-east-1
    cluster: shop
    namespaces: [shop]
    resources: { tags: { app: shop }, arns: ["arn:aws:dynamodb:us-east-1:111122223333:table/carts"] }
    freeze: { function: shop-freeze, leaseSeconds: 20 }
    slow: { "arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-0a": accept }
policies:
  hourly:
    applications: [shop]
    schedule: cron(0 * * * ? *)
    timezone: Europe/Berlin
    on: [codepipeline-started, { custom: { pattern: { source: [shop] } } }]
    vaults: [west]
    keep: { hourly: 24 }
    maxSkew: 5s
    rpo: 90m
    rto: 36h
vaults:
  west:
    account: "111122223333"
    region: eu-west-1
    lock: { mode: compliance, days: 14 }
    target: { cluster: shop-standby, zones: [eu-west-1a] }
`;

function problems(text: string, kinds?: readonly string[]): readonly string[] {
  try {
    parseConfiguration(text, kinds ? { kinds } : {});
    return [];
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error.problems;
    throw error;
  }
}

describe('what is right is read', () => {
  it('into the words of the domain, durations in seconds', () => {
    const { applications, policies, vaults } = parseConfiguration(RIGHT);
    expect(applications.shop).toMatchObject({
      name: 'shop',
      home: { account: '111122223333', region: 'us-east-1' },
      cluster: 'shop',
    });
    expect(policies.hourly).toMatchObject({ maxSkewSeconds: 5, rpoSeconds: 5400, rtoSeconds: 129_600, keep: { hourly: 24 } });
    expect(policies.hourly!.on).toEqual(['codepipeline-started', 'custom:{"source":["shop"]}']);
    expect(vaults.west!.target).toMatchObject({ place: vaults.west!.place, cluster: 'shop-standby', subnets: [] });
  });

  it('with the way in which points outlast their logs', () => {
    const outlasting = RIGHT.replace('keep: { hourly: 24 }', 'keep: { monthly: 12 }\n    materialise: weekly\n    export: true');
    expect(parseConfiguration(outlasting).policies.hourly).toMatchObject({
      outlast: { by: 'materialise', every: 'weekly' },
      exports: true,
    });
    expect(parseConfiguration(RIGHT).policies.hourly).not.toHaveProperty('outlast');
    expect(parseConfiguration(RIGHT).policies.hourly).not.toHaveProperty('exports');
  });

  it('where no member can be a promise of a log, however long it is kept', () => {
    const text = RIGHT.replace('keep: { hourly: 24 }', 'keep: { monthly: 12 }').replace('tags: { app: shop }, ', '');
    expect(problems(text)).toEqual([]);
    const naming = (arn: string) => text.replace('arn:aws:dynamodb:us-east-1:111122223333:table/carts', arn);
    expect(problems(naming('arn:aws:rds:us-east-1:111122223333:db:orders'))).toHaveLength(1);
    const cluster = naming('arn:aws:rds:us-east-1:111122223333:cluster:ledger');
    expect(problems(cluster)).toEqual([]); // in vaults it is kept by snapshots
    expect(problems(cluster.replace('vaults: [west]', 'vaults: []'))).toEqual([
      expect.stringMatching(
        /keeps points for 372 days, and no database's log reaches back more than 35.*; add materialise: monthly/,
      ),
    ]);
  });

  it('with a vault in another account, where every point is made durable, whatever its log', () => {
    const abroad = RIGHT.replace('"111122223333"\n    region: eu', '"444455556666"\n    region: eu');
    expect(parseConfiguration(abroad).vaults.west!.place).toEqual({ account: '444455556666', region: 'eu-west-1' });
    expect(problems(abroad.replace('keep: { hourly: 24 }', 'keep: { monthly: 12 }'))).toEqual([]);
    expect(problems(abroad.replace('eu-west-1\n', 'us-east-1\n').replace(/ {4}target:.*\n/, ''))).toEqual([]);
  });

  it('with a slow member’s cadence in seconds, and a long lease only where a slow member is held', () => {
    const slow = (text: string) => parseConfiguration(RIGHT.replace('fs-0a": accept', `fs-0a": ${text}`)).applications.shop!.slow;
    expect(Object.values(slow('{ cadence: 12h }'))).toEqual([{ cadenceSeconds: 43_200 }]);
    expect(Object.values(slow('cadence'))).toEqual(['cadence']);
    const long = RIGHT.replace('leaseSeconds: 20', 'leaseSeconds: 600');
    expect(problems(long)).toEqual([expect.stringMatching(/from 5 to 120 where no slow member is held/)]);
    expect(problems(long.replace('fs-0a": accept', 'fs-0a": hold'))).toEqual([]);
  });

  it('as the example at the top of the project', async () => {
    const { policies } = await readConfiguration(new URL('../stillpoint.yaml', import.meta.url).pathname, { kinds: [] });
    expect(policies.hourly?.vaults).toEqual(['west']);
  });

  it.each([
    'cron(0 4 ? * MON-FRI *)',
    'cron(0/15 8-18 1,15 JAN ? 2026-2030)',
    'cron(0 0 L * ? *)',
    'cron(0 0 ? * 6L *)',
    'cron(30 2 ? * TUE#2 *)',
    'rate(1 hour)',
    'rate(6 hours)',
  ])('schedule %s', (schedule) => expect(scheduleProblem(schedule)).toBeUndefined());
});

/** What is replaced by what in the right one, on which line it is found, and what the sentence says of it. */
const WRONG: readonly (readonly [what: string, was: string, is: string, line: number, says: RegExp])[] = [
  ['malformed YAML', '[shop]\n    resources', '[shop\n    resources', 7, /not YAML/],
  ['a tab', '    region: us-east-1', '\tregion: us-east-1', 4, /tab/i],
  ['an unknown section', 'vaults:\n  west', 'vault:\n  west', 21, /did you mean vaults\?/],
  ['an unknown key', '    region: us-east-1', '    regoin: us-east-1', 4, /did you mean region\?/],
  ['a wrong type', 'namespaces: [shop]', 'namespaces: shop', 6, /is the text "shop" and must be a list/],
  [
    'an account that is a number',
    '"111122223333"\n    region: us',
    '111122223333\n    region: us',
    3,
    /put it in quotes: "111122223333"/,
  ],
  ['an account of 11 digits', '"111122223333"\n    region: us', '"11112222333"\n    region: us', 3, /12 digits/],
  ['a malformed region', 'us-east-1\n', 'useast1\n', 4, /AWS region such as us-east-1/],
  ['a missing region', '    region: us-east-1\n', '', 2, /region is missing; write it such as region: us-east-1/],
  ['namespaces without a cluster', '    cluster: shop\n', '', 5, /no cluster/],
  ['a cluster without namespaces', '    namespaces: [shop]\n', '', 5, /no namespace/],
  ['a name twice in a list', 'applications: [shop]', 'applications: [shop, shop]', 12, /twice/],
  ['a name twice in a map', 'vaults:\n  west:', 'vaults:\n  west: {}\n  west:', 23, /"west" stands twice/],
  ['a bad name', '  hourly:', '  Hourly_1:', 11, /lower-case letters/],
  ['a policy of no application', 'applications: [shop]', 'applications: []', 12, /name an application/],
  [
    'an application that is not there',
    'applications: [shop]',
    'applications: [shopp]',
    12,
    /does not exist; did you mean shop\?/,
  ],
  ['a vault that is not there', 'vaults: [west]', 'vaults: [moon]', 16, /does not exist; add it under vaults/],
  [
    'an ARN of no known kind',
    'arn:aws:dynamodb:us-east-1:111122223333:table/carts',
    'arn:aws:sns:us-east-1:111122223333:x',
    7,
    /not known \("sns"\)/,
  ],
  ['an ARN that is none', 'arn:aws:dynamodb:us-east-1:111122223333:table/carts', 'table/carts', 7, /is not an ARN/],
  [
    'an ARN of a cluster',
    'dynamodb:us-east-1:111122223333:table/carts',
    'eks:us-east-1:111122223333:cluster/shop',
    7,
    /under `cluster`/,
  ],
  ['an ARN of another region', 'us-east-1:111122223333:table', 'us-east-2:111122223333:table', 7, /in us-east-2/],
  ['an ARN of another account', 'us-east-1:111122223333:table', 'us-east-1:999922223333:table', 7, /in account 999922223333/],
  ['a Unix cron', 'cron(0 * * * ? *)', 'cron(0 * * * *)', 13, /5 fields where AWS wants six/],
  ['a cron with both days', 'cron(0 * * * ? *)', 'cron(0 * * * * *)', 13, /exactly one/],
  ['a cron out of range', 'cron(0 * * * ? *)', 'cron(0 25 * * ? *)', 13, /"25" for the hours/],
  ['a rate', 'cron(0 * * * ? *)', 'rate(0 hours)', 13, /rate\(6 hours\)/],
  ['a schedule of no form', 'cron(0 * * * ? *)', 'hourly', 13, /neither cron/],
  ['a time zone', 'Europe/Berlin', 'Europe/Berlyn', 14, /did you mean Europe\/Berlin\?/],
  ['an event', 'codepipeline-started', 'codepipeline-start', 15, /did you mean codepipeline-started\?/],
  ['a custom event without a pattern', '{ custom: { pattern: { source: [shop] } } }', 'custom', 15, /EventBridge event pattern/],
  [
    'a period that is no word',
    'keep: { hourly: 24 }',
    'keep: { fortnightly: 24 }',
    17,
    /hourly, daily, weekly, monthly or yearly/,
  ],
  ['keeping nothing', 'keep: { hourly: 24 }', 'keep: {}', 17, /keeps nothing/],
  ['a duration', '90m', '90 minutes', 19, /duration/],
  ['a duration without a unit', 'maxSkew: 5s', 'maxSkew: 5', 18, /maxSkew: 5s/],
  [
    'materialise',
    '    maxSkew: 5s',
    '    materialise: sometimes',
    18,
    /"sometimes" and must be hourly, daily, weekly, monthly or yearly/,
  ],
  [
    'a retention beyond every log',
    'keep: { hourly: 24 }',
    'keep: { monthly: 12 }',
    17,
    /keeps points for 372 days, and no database's log reaches back more than 35.*; add materialise: monthly .* or snapshot: monthly/,
  ],
  [
    'what outlasts the log too rarely',
    'keep: { hourly: 24 }',
    'keep: { daily: 60 }\n    snapshot: monthly',
    18,
    /policies\.hourly\.snapshot is monthly, and daily points are kept beyond the 35 days of the longest log; write snapshot: daily\./,
  ],
  [
    'two ways to outlast the log',
    '    maxSkew: 5s',
    '    materialise: monthly\n    snapshot: daily',
    19,
    /one way, so remove one/,
  ],
  ['an export of nothing', '    maxSkew: 5s', '    export: true', 18, /needs snapshots to export; add materialise/],
  ['an RPO without a schedule', '    schedule: cron(0 * * * ? *)\n', '', 18, /no schedule/],
  ['a lease too short', 'leaseSeconds: 20', 'leaseSeconds: 4', 8, /from 5 to 840/],
  ['a lease too long', 'leaseSeconds: 20', 'leaseSeconds: 121', 8, /from 5 to 120/],
  [
    'a function’s ARN',
    'function: shop-freeze',
    'function: "arn:aws:lambda:us-east-1:111122223333:function:shop-freeze"',
    8,
    /not the ARN/,
  ],
  ['a slow member’s answer', 'fs-0a": accept', 'fs-0a": maybe', 9, /accept, hold, cadence or refuse/],
  [
    'a cadence that is none',
    'fs-0a": accept',
    'fs-0a": { cadence: often }',
    9,
    /accept, hold, cadence or refuse, or \{ cadence: 12h \}/,
  ],
  ['a lock of no days', 'days: 14', 'days: 0', 25, /1 to 36500/],
  ['a mode of lock', 'mode: compliance', 'mode: complience', 25, /did you mean compliance\?/],
  ['a vault at home', 'eu-west-1\n', 'us-east-1\n', 16, /home is a vault already/],
  ['a zone elsewhere', 'zones: [eu-west-1a]', 'zones: [us-east-1a]', 26, /not an availability zone of eu-west-1/],
  [
    'two vaults in one place',
    '\nvaults:\n',
    '\nvaults:\n  east:\n    account: "111122223333"\n    region: eu-west-1\n',
    27,
    /a region has one vault/,
  ],
  [
    'a loss without a vault',
    '    vaults: [west]',
    '    onRegionLoss: propose',
    16,
    /needs a vault that is left when home is lost/,
  ],
  ['a window as long as the period', '    timezone:', '    window: 1h\n    timezone:', 14, /overtake each other/],
  ['a window of seconds', '    timezone:', '    window: 90s\n    timezone:', 14, /whole minutes from 1m to 24h/],
  ['a window of nothing', '    schedule: cron(0 * * * ? *)\n', '    window: 5m\n', 13, /of no use without a schedule/],
  ['a network without groups', '    namespaces:', '    network: { subnets: [subnet-0a] }\n    namespaces:', 6, /securityGroups/],
  [
    'two networks in one place',
    'policies:\n',
    `  books:
    account: "111122223333"
    region: us-east-1
    resources: { tags: { app: books } }
    network: { subnets: [subnet-0a], securityGroups: [sg-0a] }
  carts:
    account: "111122223333"
    region: us-east-1
    resources: { tags: { app: carts } }
    network: { subnets: [subnet-0b], securityGroups: [sg-0a] }
policies:
`,
    19,
    /applications\.carts\.network differs from applications\.books\.network, and the functions of us-east-1 are in one network/,
  ],
];

describe('what is wrong is answered with its line and how to fix it', () => {
  it.each(WRONG)('%s', (_what, was, is, line, says) => {
    expect(RIGHT).toContain(was);
    const at = RIGHT.indexOf(was);
    const found = problems(RIGHT.slice(0, at) + is + RIGHT.slice(at + was.length));
    expect(found.filter((sentence) => says.test(sentence)).map((sentence) => sentence.split(' ')[0])).toContain(
      `stillpoint.yaml:${line}:`,
    );
  });

  it('an empty scope', () => {
    expect(problems('applications:\n  shop:\n    account: "111122223333"\n    region: us-east-1\n')).toEqual([
      expect.stringMatching(/^stillpoint.yaml:2: .*empty scope/),
    ]);
  });

  it('an ARN of a kind that cannot be protected yet, where the caller says which can', () => {
    expect(problems(RIGHT, ['ebs-volume'])).toEqual([
      expect.stringMatching(/:7: .*dynamodb-table, which cannot be protected yet/),
    ]);
    expect(problems(RIGHT, ['dynamodb-table'])).toEqual([]);
  });

  it('all of it at once, in the order of the file', () => {
    const found = problems(RIGHT.replace('us-east-1\n', 'x\n').replace('days: 14', 'days: 0').replace('90m', 'soon'));
    expect(found.map((sentence) => sentence.split(':')[1])).toEqual(['4', '19', '25']);
  });

  it.each(['', '5', '[]', 'applications:', 'applications: {}', 'a: &a [*a]', '"', '? [a]\n: b', '--- a\n--- b'])('%j', (text) => {
    expect(problems(text).length).toBeGreaterThan(0);
    for (const sentence of problems(text)) expect(sentence).toMatch(/^stillpoint.yaml:\d+: .+[.?]$/);
  });

  it('a file that is not there', async () => {
    await expect(readConfiguration('/nowhere/stillpoint.yaml', { file: 'stillpoint.yaml' })).rejects.toThrow(
      /no such file; write one/,
    );
  });

  it('whatever is written: sentences, never a stack trace', () => {
    const values = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
    );
    const paths = [
      ['applications', 'shop', 'account'],
      ['applications', 'shop', 'namespaces'],
      ['applications', 'shop', 'resources'],
      ['policies', 'hourly', 'schedule'],
      ['policies', 'hourly', 'keep'],
      ['policies', 'hourly', 'on'],
      ['vaults', 'west'],
      ['vaults'],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), values, (path, value) => {
        const tree = parse(RIGHT);
        const parent = path.slice(0, -1).reduce((at, key) => at[key], tree);
        parent[path.at(-1)!] = value;
        for (const sentence of problems(stringify(tree))) expect(sentence).toMatch(/^stillpoint.yaml:\d+: /);
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});

it('editors get the same shape as JSON Schema', () => {
  const schema = jsonSchema() as { properties: Record<string, unknown>; additionalProperties: boolean; required: string[] };
  expect(Object.keys(schema.properties)).toEqual(['applications', 'policies', 'vaults']);
  expect(schema).toMatchObject({ additionalProperties: false, required: ['applications'] });
  expect(JSON.stringify(schema)).toContain('EventBridge Scheduler');
});
