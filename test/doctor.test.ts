import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../cli/doctor/check.ts';
import { applicationChecks, placeChecks } from '../cli/doctor/checks.ts';
import { sample } from '../demo/sample.ts';
import type { Shop } from '../demo/shop/shop.ts';
import type { Calls } from '../functions/aws/call.ts';
import type { Place } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import { BACKUP_VAULT, dataBucket, ledgerBucket, SIGNING_KEY } from '../functions/vault/layout.ts';
import type { Uses } from '../functions/workflows/step.ts';
import { type Served, start } from '../local/index.ts';
import { command } from './command.ts';
import { HOME, WEST } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'stillpoint-doctor-'));
let files = 0;

/** The sample's configuration with an RPO that it keeps all year, changed. */
interface Changes {
  readonly policy?: string;
  readonly target?: string;
  readonly lockDays?: number;
  readonly hook?: string;
}

function configured(shop: Shop, { policy = '', target, lockDays = 14, hook = 'shop-freeze' }: Changes = {}): string {
  const file = join(folder, `${++files}.yaml`);
  const rest = policy.includes('schedule:') ? '' : 'schedule: cron(0 * * * ? *)\n    timezone: Europe/Berlin\n    rpo: 3h';
  writeFileSync(
    file,
    `applications:
  shop:
    account: "${HOME.account}"
    region: ${HOME.region}
    cluster: shop
    namespaces: [shop]
    resources: { tags: { app: shop } }
    freeze: { function: ${hook}, leaseSeconds: 20 }
policies:
  hourly:
    applications: [shop]
    vaults: [west]
    ${rest}
    ${policy || 'keep: { hourly: 24, daily: 7 }'}
vaults:
  west:
    account: "${WEST.account}"
    region: ${WEST.region}
    lock: { mode: compliance, days: ${lockDays} }
    target: ${target ?? `{ cluster: shop-standby, subnets: [${shop.subnetsAt(WEST).join(', ')}] }`}
`,
  );
  return file;
}

let served: Served;
let shop: Shop;

const call = (place: Place, service: string, operation: string, input: object): Promise<any> =>
  served.world.clock.settle(served.world.call({ place, service, operation, input }));

const database = async (): Promise<{ DBInstanceIdentifier: string }> => {
  const { DBInstances } = await call(HOME, 'rds', 'DescribeDBInstances', {});
  return { DBInstanceIdentifier: DBInstances[0].DBInstanceIdentifier };
};

interface Examined {
  readonly problems: number;
  readonly findings: readonly Finding[];
}

async function doctor(file: string, ...more: string[]): Promise<Examined & { code: number }> {
  const said = await command(served.url, HOME.account, 'doctor', '--config', file, '--json', ...more);
  expect(said.stderr).toMatch(/^Target: local AWS \(simulated\) at /);
  return { code: said.code, ...said.json<Examined>() };
}

beforeAll(async () => {
  served = await start({ seed: 'doctor', speed: 1 });
  ({ shop } = await served.world.clock.settle(sample(served.world)));
  const BackupRetentionPeriod = 20; // not all that RDS has, so that a policy can keep points for longer
  await call(HOME, 'rds', 'ModifyDBInstance', { ...(await database()), BackupRetentionPeriod, ApplyImmediately: true });
  await served.world.clock.advance(900_000);
});

afterAll(() => served.close());

describe('stillpoint doctor', () => {
  test('finds nothing wrong where nothing is, and says so of each check', async () => {
    const { code, problems, findings } = await doctor(configured(shop));
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect({ code, problems }).toEqual({ code: 0, problems: 0 });
    const checks = [...placeChecks, ...applicationChecks].map(({ name }) => name);
    expect(checks.filter((name) => !findings.some(({ check }) => check === name))).toEqual([]);
  });

  test('says it in lines for people too, without colours where no terminal is', async () => {
    const { stdout, code } = await command(served.url, HOME.account, 'doctor', 'shop', '--config', configured(shop));
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^Target: /);
    expect(stdout).toMatch(/^ok +keys +eu-west-1 +The data key and the signing key are enabled\.$/m);
    expect(stdout).toMatch(/^No problem, 0 warnings, \d+ ok\.$/m);
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(0);
  });

  /** What only the file says: each by itself, for the deployment stays as it is. */
  const FILES: readonly [string, Changes, Pick<Finding, 'check' | 'level'>, RegExp][] = [
    [
      'an RPO shorter than the schedule’s gap',
      { policy: 'schedule: cron(0 * * * ? *)\n    timezone: Europe/Berlin\n    rpo: 30m\n    keep: { hourly: 24 }' },
      { check: 'rpo', level: 'problem' },
      /rpo is 30 min, and the newest point becomes .* 1 h between points.* promise 2h/,
    ],
    [
      'an RPO that a change of clocks breaks',
      { policy: 'schedule: cron(0 * * * ? *)\n    timezone: Europe/Berlin\n    rpo: 2h\n    keep: { hourly: 24 }' },
      { check: 'rpo', level: 'warning' },
      /when clocks change in Europe\/Berlin the newest point becomes/,
    ],
    [
      'a schedule that comes to an end',
      { policy: 'schedule: cron(0 0 1 1 ? 2027)\n    rpo: 3h\n    keep: { hourly: 24 }' },
      { check: 'rpo', level: 'problem' },
      /comes to an end/,
    ],
    [
      'a schedule that is deployed otherwise',
      { policy: 'schedule: rate(2 hours)\n    keep: { hourly: 24 }' },
      { check: 'schedules', level: 'warning' },
      /stillpoint-hourly-shop is deployed as cron\(0 \* \* \* \? \*\) in Europe\/Berlin, and the file says rate\(2 hours\) in UTC/,
    ],
    [
      'more snapshots than RDS keeps',
      { policy: 'materialise: monthly\n    keep: { hourly: 24, monthly: 101 }' },
      { check: 'quotas', level: 'warning' },
      /would need 101 of the quota "Manual DB instance snapshots" in eu-west-1, and AWS gives 100 by default/,
    ],
    [
      'points that are kept longer than their log',
      { policy: 'keep: { hourly: 24, daily: 30 }' },
      { check: 'members', level: 'problem' },
      /keeps points for 30 days, but .* can be restored from its log for/,
    ],
    [
      'a subnet that is not there',
      { target: '{ cluster: shop-standby, subnets: [subnet-0123456789abcdef0] }' },
      { check: 'targets', level: 'problem' },
      /subnet-0123456789abcdef0 is named in stillpoint\.yaml and not there/,
    ],
    [
      'a cluster that is not there',
      { target: '{ cluster: nowhere }' },
      { check: 'targets', level: 'problem' },
      /There is no cluster nowhere in eu-west-1/,
    ],
    [
      'a freeze function that is not there',
      { hook: 'no-such' },
      { check: 'targets', level: 'problem' },
      /freeze function no-such does not exist/,
    ],
    [
      'a lock that is longer than the deployed one',
      { lockDays: 90 },
      { check: 'stores', level: 'problem' },
      /locked for 14 days, and 90 days are configured/,
    ],
  ];

  test.each(FILES)('finds %s', async (_, changes, expected, words) => {
    const { code, findings } = await doctor(configured(shop, changes));
    expect(findings).toContainEqual(expect.objectContaining({ ...expected, what: expect.stringMatching(words) }));
    expect(code).toBe(expected.level === 'problem' || findings.some(({ level }) => level === 'problem') ? 1 : 0);
  });

  /** What was done to the deployment and to what it protects: all at once, and each is found. */
  const DAMAGE: readonly [string, () => Promise<unknown>, Pick<Finding, 'check' | 'level' | 'where'>, RegExp][] = [
    [
      'point-in-time recovery off',
      async () => {
        const { TableNames } = await call(HOME, 'dynamodb', 'ListTables', {});
        return call(HOME, 'dynamodb', 'UpdateContinuousBackups', {
          TableName: TableNames[0],
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
        });
      },
      { check: 'members', level: 'problem', where: 'shop' },
      /point-in-time recovery/,
    ],
    [
      'versioning of a member suspended',
      async () => {
        const Bucket = shop.resources.find((arn) => arn.startsWith('arn:aws:s3:::'))!.slice('arn:aws:s3:::'.length);
        return call(HOME, 's3', 'PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Suspended' } });
      },
      { check: 'members', level: 'problem', where: 'shop' },
      /version/,
    ],
    [
      'automated backups off',
      async () =>
        call(HOME, 'rds', 'ModifyDBInstance', { ...(await database()), BackupRetentionPeriod: 0, ApplyImmediately: true }),
      { check: 'members', level: 'problem', where: 'shop' },
      /automated backups/,
    ],
    [
      'versioning of our data suspended',
      () =>
        call(HOME, 's3', 'PutBucketVersioning', { Bucket: dataBucket(HOME), VersioningConfiguration: { Status: 'Suspended' } }),
      { check: 'stores', level: 'problem', where: HOME.region },
      /Versioning of stillpoint-data-.* is Suspended/,
    ],
    [
      'the ledger’s policy gone',
      () => call(WEST, 's3', 'DeleteBucketPolicy', { Bucket: ledgerBucket(WEST) }),
      { check: 'stores', level: 'problem', where: WEST.region },
      /lacks NoDeletes/,
    ],
    [
      'the backup vault gone',
      () => call(HOME, 'backup', 'DeleteBackupVault', { BackupVaultName: BACKUP_VAULT }),
      { check: 'stores', level: 'problem', where: HOME.region },
      /backup vault stillpoint is missing/,
    ],
    [
      'the data key disabled',
      async () => {
        const { KeyMetadata } = await call(WEST, 'kms', 'DescribeKey', { KeyId: 'alias/stillpoint-data' });
        return call(WEST, 'kms', 'DisableKey', { KeyId: KeyMetadata.KeyId });
      },
      { check: 'keys', level: 'problem', where: WEST.region },
      /alias\/stillpoint-data is Disabled/,
    ],
    [
      'the signing key about to be deleted',
      async () => {
        const { KeyMetadata } = await call(HOME, 'kms', 'DescribeKey', { KeyId: SIGNING_KEY });
        return call(HOME, 'kms', 'ScheduleKeyDeletion', { KeyId: KeyMetadata.KeyId });
      },
      { check: 'keys', level: 'problem', where: HOME.region },
      /alias\/stillpoint-signing will be deleted on/,
    ],
    [
      'a state machine gone',
      () =>
        call(WEST, 'states', 'DeleteStateMachine', {
          stateMachineArn: `arn:aws:states:${WEST.region}:${WEST.account}:stateMachine:stillpoint-restore`,
        }),
      { check: 'deployed', level: 'problem', where: WEST.region },
      /stillpoint-restore is missing/,
    ],
    [
      'a state machine changed',
      () =>
        call(WEST, 'states', 'UpdateStateMachine', {
          stateMachineArn: `arn:aws:states:${WEST.region}:${WEST.account}:stateMachine:stillpoint-replicate`,
          definition: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'Done', States: { Done: { Type: 'Succeed' } } }),
        }),
      { check: 'deployed', level: 'warning', where: WEST.region },
      /stillpoint-replicate is not that of this code/,
    ],
    [
      'a function gone',
      () => call(HOME, 'lambda', 'DeleteFunction', { FunctionName: 'stillpoint-protect-seal' }),
      { check: 'deployed', level: 'problem', where: HOME.region },
      /stillpoint-protect-seal is missing/,
    ],
    [
      'the schedule gone',
      () => call(HOME, 'scheduler', 'DeleteSchedule', { Name: 'stillpoint-hourly-shop' }),
      { check: 'schedules', level: 'problem', where: 'shop' },
      /stillpoint-hourly-shop is missing/,
    ],
    [
      'an access entry gone',
      async () => {
        const { Role } = await call(WEST, 'lambda', 'GetFunctionConfiguration', { FunctionName: 'stillpoint-restore-apply' });
        return call(WEST, 'eks', 'DeleteAccessEntry', { clusterName: 'shop-standby', principalArn: Role });
      },
      { check: 'targets', level: 'problem', where: `shop, ${WEST.region}` },
      /shop-standby has no access entry for stillpoint-restore-apply/,
    ],
  ];

  describe('finds what was done to the deployment', () => {
    let found: Examined & { code: number };
    beforeAll(async () => {
      for (const [, damage] of DAMAGE) await damage();
      await served.world.clock.advance(900_000);
      found = await doctor(configured(shop));
    });

    test.each(DAMAGE)('%s', (_, __, expected, words) => {
      expect(found.findings).toContainEqual(expect.objectContaining({ ...expected, what: expect.stringMatching(words) }));
    });

    test('and ends with 1', () => expect(found).toMatchObject({ code: 1 }));

    test('a region that is dark, while the rest is looked at all the same', async () => {
      served.world.dark.add(WEST.region);
      const { code, findings } = await doctor(configured(shop));
      served.world.dark.delete(WEST.region);
      expect(findings).toContainEqual(
        expect.objectContaining({ level: 'problem', where: WEST.region, what: 'eu-west-1 does not answer.' }),
      );
      expect(findings).toContainEqual(expect.objectContaining({ check: 'deployed', where: HOME.region }));
      expect(code).toBe(1);
    });
  });

  test('says where Stillpoint is not deployed, and nothing more of that place', async () => {
    const empty = await start({ speed: 1 });
    try {
      const said = await command(empty.url, HOME.account, 'doctor', '--config', configured(shop), '--json');
      const { findings } = said.json<Examined>();
      for (const where of [HOME.region, WEST.region]) {
        const here = findings.filter((one) => one.where === where && one.level !== 'ok');
        expect(here).toEqual([
          {
            check: 'deployed',
            level: 'problem',
            where,
            what: 'Stillpoint is not deployed here.',
            fix: 'run `npx cdk deploy --all`',
          },
        ]);
      }
      expect(said.code).toBe(1);
    } finally {
      await empty.close();
    }
  });

  test('asks nothing of an application that is not configured', async () => {
    const said = await command(served.url, HOME.account, 'doctor', 'shoop', '--config', configured(shop));
    expect(said).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'stillpoint: There is no application "shoop" in the configuration; it has shop.\n',
    });
  });

  test('only reads, whatever check is added', async () => {
    const own = [...placeChecks, ...applicationChecks].flatMap(({ uses }) =>
      Object.values(uses as Uses).map(({ calls }) => calls as Calls),
    );
    const theirs = (await loadKinds()).map(({ discover }) => discover.calls as Calls);
    const calls = [...own, ...theirs].flatMap((declared) => Object.values(declared));
    expect(calls.length).toBeGreaterThan(20);
    expect(calls.filter(({ repeat }) => repeat !== 'read')).toEqual([]);
  });
});
