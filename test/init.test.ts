import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Draft, textOf } from '../cli/init/draft.ts';
import { groupsIn, homeOf, leftOver, nameOf, type Tagged, vaultRegionFor } from '../cli/init/found.ts';
import { installShop, type Shop } from '../demo/shop/shop.ts';
import { parseConfiguration, readConfiguration } from '../functions/configuration/read.ts';
import { kinds } from '../functions/kinds/index.ts';
import { direct, type Served, start } from '../local/index.ts';
import { command } from './command.ts';
import { HOME, WEST } from './world.ts';

const KINDS = Object.keys(kinds);
const table = (name: string, tags: Record<string, string>): Tagged => ({
  arn: `arn:aws:dynamodb:us-east-1:111122223333:table/${name}`,
  tags,
});
const values = (tagged: readonly Tagged[]) => groupsIn(tagged, KINDS).map(({ key, value, arns }) => [key, value, arns.length]);

describe('applications by tag', () => {
  test.each([
    [
      'by the key that holds the most together',
      [table('one', { app: 'a', Application: 'x' }), table('two', { app: 'b', Application: 'x' })],
      [['Application', 'x', 2]],
    ],
    [
      'by the likelier key where two hold as much',
      [table('one', { app: 'a', project: 'p' }), table('two', { app: 'a', project: 'p' })],
      [['app', 'a', 2]],
    ],
    [
      'each value by itself',
      [table('one', { app: 'a' }), table('two', { app: 'b' }), table('three', { app: 'a' })],
      [
        ['app', 'a', 2],
        ['app', 'b', 1],
      ],
    ],
    ['not by a name that one thing alone bears', [table('one', { Name: 'one' }), table('two', { Name: 'two' })], []],
    ['by a name that several share', [table('one', { Name: 'a' }), table('two', { Name: 'a' })], [['Name', 'a', 2]]],
    [
      'not what a restore made',
      [table('one', { app: 'a' }), table('two', { app: 'a', 'stillpoint:restore': 'undo' })],
      [['app', 'a', 1]],
    ],
    ['not what no kind protects', [{ arn: 'arn:aws:sqs:us-east-1:111122223333:orders', tags: { app: 'a' } }], []],
    ['none where nothing is tagged so', [table('one', { owner: 'me' })], []],
  ] as const)('%s', (_, tagged, expected) => expect(values(tagged)).toEqual(expected));

  test.each([
    ['Shop', 'shop'],
    ['my shop/EU', 'my-shop-eu'],
    ['7-eleven', 'app-7-eleven'],
    ['ä', 'app'],
    ['a'.repeat(40), 'a'.repeat(31)],
  ])('%s is called %s', (value, name) => expect(nameOf(value)).toBe(name));

  const clusters = [{ name: 'main', subnets: [], namespaces: ['kube-system', 'default', 'shop', 'blog'] }];
  const lonely = [{ name: 'main', subnets: [], namespaces: ['kube-system', 'web'] }];
  test('live in the namespace of their name, or in the only one that there is', () => {
    expect(homeOf(['shop'], false, clusters)).toEqual({ cluster: 'main', namespaces: ['shop'] });
    expect(homeOf(['other'], true, clusters)).toBeUndefined();
    expect(homeOf(['other'], true, lonely)).toEqual({ cluster: 'main', namespaces: ['web'] });
    expect(homeOf(['other'], false, lonely)).toBeUndefined();
  });

  test('leave over what nothing takes, by name', () => {
    const group = { key: 'app', value: 'shop', arns: [] };
    const queue = { arn: 'arn:aws:sqs:us-east-1:111122223333:orders', tags: { app: 'shop' } };
    const unseen = { name: 'private', subnets: [], namespaces: [], trouble: 'It gave no answer: timeout' };
    expect(
      leftOver(
        [...clusters, unseen],
        [{ cluster: 'main', namespaces: ['shop'] }],
        [queue, table('one', { app: 'shop' })],
        [group],
        KINDS,
      ),
    ).toEqual([
      'Of cluster main, no application here has blog; add what belongs to one to its namespaces.',
      'What is in cluster private could not be seen. It gave no answer: timeout',
      'arn:aws:sqs:us-east-1:111122223333:orders is of kind sqs-queue, which cannot be protected yet.',
    ]);
  });

  test.each([
    ['us-east-1', ['us-east-1', 'us-east-2', 'us-west-2'], 'us-west-2'],
    ['eu-north-1', ['ap-south-1', 'eu-north-1', 'eu-west-1'], 'eu-west-1'],
    ['sa-east-1', ['sa-east-1', 'us-east-1'], 'us-east-1'],
    ['us-east-1', ['us-east-1'], undefined],
  ])('copies from %s go where the account may: %s', (region, regions, expected) =>
    expect(vaultRegionFor({ account: '1', region }, regions)).toBe(expected),
  );
});

const draft = (more: Partial<Draft['applications'][number]> = {}): Draft => ({
  home: HOME,
  applications: [
    {
      name: 'shop',
      tag: { key: 'app', value: 'shop' },
      namespaces: [],
      members: { 'ebs-volume': 2 },
      slow: [],
      troubles: [],
      ...more,
    },
  ],
  vault: { region: 'eu-west-1', subnets: [] },
  keep: { hourly: 24, daily: 14 },
  takesSeconds: 3000,
});

describe('the text', () => {
  test('is what our own reader takes, and says what was found', () => {
    const arn = 'arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-0952bf663ca5af937';
    const found = draft({
      cluster: 'main',
      namespaces: ['shop'],
      slow: [{ arn, kind: 'efs-file-system' }],
      troubles: ['One: # two\nlines.'],
    });
    const text = textOf({ ...found, vault: { region: 'eu-west-1', cluster: 'standby', subnets: ['subnet-0a'] } });
    const { applications, policies, vaults } = parseConfiguration(text, { kinds: KINDS });
    expect(applications['shop']).toEqual({
      name: 'shop',
      home: HOME,
      cluster: 'main',
      namespaces: ['shop'],
      resources: { tags: { app: 'shop' }, arns: [] },
      slow: { [arn]: 'accept' },
    });
    expect(policies['hourly']).toMatchObject({
      applications: ['shop'],
      vaults: ['eu-west-1'],
      keep: { hourly: 24, daily: 14 },
      rpoSeconds: 7200,
    });
    expect(vaults['eu-west-1']).toMatchObject({
      place: WEST,
      lock: { mode: 'governance', days: 14 },
      target: { cluster: 'standby', subnets: ['subnet-0a'] },
    });
    expect(text).toContain('    # One: # two lines.\n');
  });

  test('stands by itself in a hand that knows nothing of it: every key of it has a comment', () => {
    const own = textOf(draft())
      .split('\n')
      .filter((line) => /^ {2,}[\w-]+:/.test(line) && !/(account|region|applications|hourly):/.test(line));
    expect(own.length).toBeGreaterThan(6);
    expect(own.filter((line) => !line.includes(' # '))).toEqual([]);
  });

  test('holds tags of any alphabet', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 1, unit: 'binary' }), (key, value) => {
        fc.pre(key !== '__proto__');
        const { applications } = parseConfiguration(textOf(draft({ tag: { key, value } })));
        expect(applications['shop']!.resources.tags).toEqual({ [key]: value });
      }),
    );
  });
});

describe('stillpoint init', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-init-'));
  let served: Served;
  let shop: Shop;
  const call = (service: string, operation: string, input: object): Promise<any> =>
    served.world.clock.settle(served.world.call({ place: HOME, service, operation, input }));
  const init = (...more: string[]) => command(served.url, HOME.account, 'init', ...more);

  beforeAll(async () => {
    served = await start({ seed: 'init', speed: 1 });
    const { world } = served;
    shop = await world.clock.settle(installShop(world, direct(world), {}));
    const { TableNames } = await call('dynamodb', 'ListTables', {});
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: false };
    await call('dynamodb', 'UpdateContinuousBackups', { TableName: TableNames[0], PointInTimeRecoverySpecification });
  });
  afterAll(() => served.close());

  test('writes what protects the shop, and names what it cannot protect', async () => {
    const file = join(folder, 'found.yaml');
    const said = await init('--output', file, '--vault-region', WEST.region, '--json');
    expect(said).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Target: local AWS \(simulated\)/) });
    const { applications, vaults } = await readConfiguration(file, { kinds: KINDS });
    expect(applications['shop']).toMatchObject({
      home: HOME,
      cluster: 'shop',
      namespaces: ['shop'],
      resources: { tags: { app: 'shop' } },
    });
    expect(Object.keys(applications['shop']!.slow)).toEqual(shop.resources.filter((arn) => arn.includes(':elasticfilesystem:')));
    expect(vaults[WEST.region]).toMatchObject({ place: WEST, target: { cluster: 'shop-standby' } });
    const { unprotected } = said.json<{ unprotected: string[] }>();
    expect(unprotected).toContainEqual(expect.stringMatching(/point-in-time recovery/));
    expect(readFileSync(file, 'utf8')).toMatch(/# .*point-in-time recovery/);
  });

  test('never writes over a file that is there', async () => {
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, 'mine\n');
    const said = await init('--output', file);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toBe(
      `stillpoint: ${file} is there already, and nothing is written over it; name another with --output.\n`,
    );
    expect(readFileSync(file, 'utf8')).toBe('mine\n');
  });

  test('takes the tag, the name and the region that it is told', async () => {
    const file = join(folder, 'told.yaml');
    const said = await init('--output', file, '--tag', 'app=shop', '--application', 'store', '--vault-region', 'eu-central-1');
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(/^Wrote .*told\.yaml; it was read back and is valid/m);
    const { applications, vaults } = await readConfiguration(file, { kinds: KINDS });
    expect(Object.keys(applications)).toEqual(['store']);
    expect(Object.keys(vaults)).toEqual(['eu-central-1']);
  });

  test.each([
    ['a tag that nothing bears', ['--tag', 'app=none'], 1, /bears app=none/],
    ['no tag', ['--tag', 'app'], 2, /write key=value/],
    ['home as its own vault', ['--vault-region', HOME.region], 2, /where everything is already/],
    ['a region that there is not', ['--vault-region', 'eu-west-9'], 2, /cannot use the region "eu-west-9"/],
  ] as const)('refuses %s', async (_, more, code, words) => {
    const file = join(folder, 'refused.yaml');
    const said = await init('--output', file, ...more);
    expect(said).toMatchObject({ code, stderr: expect.stringMatching(words) });
    expect(said.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(file)).toBe(false);
  });

  test('says so where there is nothing to protect', async () => {
    const empty = await start({ speed: 1 });
    const said = await command(empty.url, HOME.account, 'init', '--output', join(folder, 'empty.yaml')).finally(() =>
      empty.close(),
    );
    expect(said).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/bears a tag that names an application; tag what belongs together with app=<name>/),
    });
  });
});
