import { describe, expect, test } from 'vitest';
import { operationOf } from '../../functions/aws/call.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Artifact, Outlasting, Policy, Sealed } from '../../functions/domain.ts';
import { DATA_KEY, roleArn, stagingBucket } from '../../functions/vault/layout.ts';
import { readRestore } from '../../functions/vault/restores.ts';
import type { KmsState } from '../../local/services/kms/state.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import { comeToRest, nothingLeaks, whole } from '../invariants.ts';
import { HOME, type Stage, type StageOptions, stage, WEST } from '../world.ts';

/** The shop with a database of orders, through the workflows: a point of all of it, in the vault, and back with home dark. */
const NAME = 'orders';
const ARN = `arn:aws:rds:${HOME.region}:${HOME.account}:db:${NAME}`;
/** The shop has a database of its own besides, which comes and goes with this one. */
const ALL = [NAME, 'shop-orders'];
const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:orders';

const policy =
  (more: Partial<Policy>) =>
  (of: Configuration): Configuration => ({ ...of, policies: { hourly: { ...of.policies['hourly']!, ...more } } });
const rds = (stand: Stage, place = HOME): RdsState => stand.world.state<RdsState>('rds', place);
const call = (stand: Stage, operation: string, input: object, place = HOME, service = 'rds') =>
  stand.settle(stand.world.call({ place, service, operation, input }));
const sql = (stand: Stage, text: string) =>
  call(stand, 'ExecuteStatement', { resourceArn: ARN, secretArn: SECRET, sql: text }, HOME, 'rds-data');
const rows = (stand: Stage, name: string, place = HOME) =>
  rds(stand, place)
    .query(name, 'SELECT * FROM orders ORDER BY id')
    .rows.map((row) => row.join('|'));
const until = async (stand: Stage, so: () => boolean) => {
  for (let i = 0; !so(); i++) {
    if (i > 1000) throw new Error('It did not come to be so.');
    await stand.advance(30);
  }
};

type Between = NonNullable<StageOptions['between']>;

async function withOrders(
  seed: string,
  { change = (of: Configuration) => of, instance = {}, replicate = true, between = ((transport) => transport) as Between } = {},
): Promise<Stage> {
  const stand = await stage({ seed, configuration: change, between });
  await call(stand, 'CreateDBInstance', {
    DBInstanceIdentifier: NAME,
    Engine: 'postgres',
    DBInstanceClass: 'db.t4g.micro',
    DBName: 'shop',
    BackupRetentionPeriod: 14,
    StorageEncrypted: true,
    KmsKeyId: DATA_KEY,
    Tags: [{ Key: 'app', Value: 'shop' }],
    ...instance,
  });
  await until(stand, () => rds(stand).instance(NAME).status === 'available');
  await sql(stand, 'CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)');
  await sql(stand, "INSERT INTO orders (item) VALUES ('before')");
  if (!replicate) return stand;
  await call(
    stand,
    'StartDBInstanceAutomatedBackupsReplication',
    { SourceDBInstanceArn: ARN, KmsKeyId: DATA_KEY, BackupRetentionPeriod: 14 },
    WEST,
  );
  await stand.advance(1200);
  return stand;
}

async function protectedPoint(stand: Stage, more: object = {}) {
  const execution = stand.startProtect(more);
  await stand.settle(execution.ended);
  expect(`${execution.status} ${execution.cause ?? ''}`).toBe('SUCCEEDED ');
  return (await stand.sealed(HOME)).at(-1)!;
}

const artifactOf = ({ artifacts }: Sealed): Artifact => artifacts.find(({ resource }) => resource === ARN)!;

describe('a point of an application with a database', () => {
  test('is of one instant, kept by the log, copied when the replica has it, and restored with home dark', async () => {
    const stand = await withOrders('points-log');
    const point = await protectedPoint(stand);
    await sql(stand, "INSERT INTO orders (item) VALUES ('after')");
    expect(artifactOf(point)).toMatchObject({ endurance: 'log-backed', facts: { by: 'log', at: point.instant } });
    expect(point.notes.join(' ')).toContain(`The copy of ${ARN} in "west" is a promise of a log, which nothing can lock.`);
    const [copy] = await stand.replicated(WEST);
    expect(artifactOf(copy!)).toMatchObject({ endurance: 'log-backed', place: WEST });
    stand.world.dark.add(HOME.region);
    const { report } = await stand.restore(WEST, 'r1');
    expect(report?.status).toBe('restored');
    expect(rows(stand, `${NAME}-r1`, WEST)).toEqual(['1|before']);
    expect(report!.renames).toContainEqual({
      was: rds(stand).address(NAME),
      is: rds(stand, WEST).address(`${NAME}-r1`),
      what: 'database endpoint',
    });
  });

  test('outlasts the log in the first point of each period only, and is then had long after it', async () => {
    const stand = await withOrders('points-materialise', {
      change: policy({ keep: { hourly: 24, monthly: 12 }, outlast: { by: 'materialise', every: 'daily' } }),
    });
    const first = await protectedPoint(stand);
    await sql(stand, "INSERT INTO orders (item) VALUES ('after')");
    const second = await protectedPoint(stand);
    await stand.advance(86_400);
    const third = await protectedPoint(stand);
    expect([first, second, third].map(({ outlasting }) => outlasting)).toEqual(['materialise', undefined, 'materialise']);
    expect([first, second, third].map((point) => artifactOf(point).endurance)).toEqual(['durable', 'log-backed', 'durable']);
    expect(first.notes.join(' ')).not.toContain('is a promise of a log');
    expect([...rds(stand).instances.keys()].sort()).toEqual(ALL);
    const copies = await stand.replicated(WEST, 3);
    await stand.advance(60 * 86_400);
    stand.world.dark.add(HOME.region);
    const name = (point: { slot: string; attempt: number }) => `${point.slot}/${point.attempt}`;
    const { report } = await stand.restore(WEST, 'old', { point: name(copies[0]!) });
    expect(report?.status).toBe('restored');
    expect(rows(stand, `${NAME}-old`, WEST)).toEqual(['1|before']);
    const { execution } = await stand.restore(WEST, 'gone', { point: name(copies[1]!) });
    expect([execution.status, execution.error]).toEqual(['FAILED', 'TargetLacks']);
    const { plan } = await stand.open(readRestore, WEST)({ application: 'shop', restore: 'gone' });
    expect(plan?.lacks.join(' ')).toMatch(
      /The log of orders in eu-west-1 reaches from \S+ to \S+ only, and this point is of \S+ without a snapshot; choose a point/,
    );
    expect([...rds(stand, WEST).instances.keys()].sort()).toEqual(ALL.map((name) => `${name}-old`));
  });

  test('is snapshotted inside the freeze where the policy says so, and says how far off it is', async () => {
    const stand = await withOrders('points-snapshot', {
      change: policy({ outlast: { by: 'snapshot', every: 'hourly' } }),
      replicate: false,
    });
    const point = await protectedPoint(stand);
    const artifact = artifactOf(point);
    expect(artifact).toMatchObject({ endurance: 'durable', facts: { by: 'snapshot', at: null } });
    expect(artifact.interval.from >= point.cut.freeze!.asked.to).toBe(true);
    expect(artifact.interval.from <= point.cut.freeze!.released!.from).toBe(true);
    const late = artifact.interval.to > point.cut.freeze!.released!.from;
    if (late) expect(point.because.join(' ')).toContain(`${ARN} was not captured wholly inside the freeze.`);
    const [copy] = await stand.replicated(WEST);
    expect(artifactOf(copy!)).toMatchObject({ endurance: 'durable', place: WEST, interval: artifact.interval });
  });

  test('under the account’s default key is copied under the vault’s, and the point says where it cannot go', async () => {
    const stand = await withOrders('points-default-key', {
      change: policy({ outlast: { by: 'materialise', every: 'hourly' } }),
      instance: { KmsKeyId: undefined },
      replicate: false,
    });
    const point = await protectedPoint(stand);
    expect(point.notes.join(' ')).toMatch(
      /DB instance arn:\S+:db:orders is encrypted with the account's default key \(alias\/aws\/rds\), so its snapshots cannot be shared with another account or copied there; restore it once under a key of your own/,
    );
    const [copy] = await stand.replicated(WEST);
    const { key } = rds(stand, WEST).snapshot(artifactOf(copy!).id);
    expect(key).toBe(stand.world.state<KmsState>('kms', WEST).usable(DATA_KEY).arn);
  });

  test('keeps its tables as files, where the policy says so', async () => {
    const stand = await withOrders('points-export', {
      change: policy({ outlast: { by: 'materialise', every: 'hourly' }, exports: true }),
      replicate: false,
    });
    await protectedPoint(stand);
    const [copy] = await stand.replicated(WEST);
    expect(artifactOf(copy!).facts).toMatchObject({ files: { bucket: 'stillpoint-data-111122223333-eu-west-1', objects: 4 } });
  });
});

describe('whatever call to RDS fails in passing', () => {
  const FAULTS = ['error before', 'error after', 'silence after'] as const;
  const failure = (fault: string) =>
    fault === 'silence after'
      ? Object.assign(new Error('socket hang up'), { name: 'TimeoutError' })
      : Object.assign(new Error('An internal error has occurred.'), {
          name: 'InternalFailure',
          $metadata: { httpStatusCode: 500 },
        });

  /** Strikes one of the calls to RDS, counted over all steps. */
  const striking =
    (at: number, fault: string, seen: string[]): Between =>
    (transport, step) => ({
      ...transport,
      async send(request) {
        if (request.call.service !== 'rds') return transport.send(request);
        seen.push(`${step} ${operationOf(request.call)}`);
        if (seen.length !== at) return transport.send(request);
        if (fault !== 'error before') await transport.send(request);
        throw failure(fault);
      },
    });

  async function run(by: Outlasting | undefined, at: number, fault: string): Promise<{ stand: Stage; seen: string[] }> {
    const seen: string[] = [];
    const change = policy(by ? { outlast: { by, every: 'hourly' }, ...(by === 'materialise' ? { exports: true } : {}) } : {});
    const stand = await withOrders(`faults/${by}/${at}/${fault}`, { change, between: striking(at, fault, seen) });
    await stand.settle(stand.startProtect({}, 'the-slot').ended);
    await stand.advance(3 * 3600);
    await stand.restore(WEST, 'r1');
    return { stand, seen };
  }

  const worthStriking = (seen: readonly string[]): number[] =>
    seen.flatMap((call, i) => (seen.slice(0, i).filter((one) => one === call).length < 2 ? [i + 1] : []));

  for (const by of [undefined, 'materialise', 'snapshot'] as const) {
    test.each(FAULTS)(
      `a point kept by ${by ?? 'the log'} is made, copied and restored once, with %s`,
      { timeout: 120_000 },
      async (fault) => {
        const { seen } = await run(by, Number.POSITIVE_INFINITY, fault);
        const calls = worthStriking(seen);
        expect(calls.length).toBeGreaterThan(8);
        for (const at of calls) {
          const { stand } = await run(by, at, fault);
          const told = `${fault} of ${seen[at - 1]}`;
          expect([(await stand.sealed(HOME)).length, (await stand.sealed(WEST)).length], told).toEqual([1, 1]);
          expect(rows(stand, `${NAME}-r1`, WEST), told).toEqual(['1|before']);
          for (const place of [HOME, WEST]) {
            await comeToRest(stand, place);
            expect(await nothingLeaks(stand, place), told).toEqual([]);
          }
          expect(await whole(stand), told).toEqual([]);
          const there = [HOME, WEST].map((place) => [...rds(stand, place).instances.keys()].sort());
          expect(there, told).toEqual([ALL, ALL.map((name) => `${name}-r1`)]);
        }
      },
    );
  }
});

describe('is refused, and nothing is sealed,', () => {
  const refused = async (stand: Stage): Promise<string> => {
    const execution = stand.startProtect();
    await stand.settle(execution.ended);
    expect(execution.status).toBe('FAILED');
    expect(await stand.sealed(HOME)).toEqual([]);
    return execution.cause ?? '';
  };

  test('with automated backups off', async () => {
    const stand = await withOrders('refused-off', { instance: { BackupRetentionPeriod: 0 }, replicate: false });
    expect(await refused(stand)).toMatch(/DB instance orders .* has automated backups turned off.*set a backup retention period/);
  });

  test('with an engine whose backups no other region can have', async () => {
    const stand = await withOrders('refused-engine');
    const instance = rds(stand).instance(NAME);
    instance.settings = { ...instance.settings, engine: 'custom-oracle-ee' };
    expect(await refused(stand)).toMatch(
      /DB instance orders .* runs custom-oracle-ee, and only PostgreSQL, MySQL, MariaDB can be protected yet; take it out/,
    );
  });

  test('with an export that its role may not write', async () => {
    const change = policy({ outlast: { by: 'materialise', every: 'hourly' }, exports: true });
    const stand = await withOrders('refused-export', { change, replicate: false });
    const Bucket = stagingBucket(HOME);
    const Principal = { AWS: roleArn('export', HOME) };
    const Statement = [{ Effect: 'Deny', Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` }];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await call(stand, 'PutBucketPolicy', { Bucket, Policy }, HOME, 's3');
    expect(await refused(stand)).toMatch(/:db:orders failed: Its export ended as FAILED: AccessDenied.*; look at arn:aws:iam::/);
    await comeToRest(stand, HOME);
    expect(await nothingLeaks(stand, HOME)).toEqual([]);
  });

  test('with a retention beyond the instance’s own log', async () => {
    const stand = await withOrders('refused-retention', { instance: { BackupRetentionPeriod: 3 }, replicate: false });
    expect(await refused(stand)).toMatch(
      /keeps points for 14 days, but arn:\S+:db:orders can be restored from its log for 3 days only, also in a vault: add materialise: daily/,
    );
  });

  test('while a plain snapshot cannot be taken, for it is being modified', async () => {
    const stand = await withOrders('refused-modified', {
      change: policy({ outlast: { by: 'snapshot', every: 'hourly' } }),
      replicate: false,
    });
    rds(stand).instance(NAME).status = 'modifying';
    expect(await refused(stand)).toMatch(/It is modifying, and a snapshot can be taken only of what is available/);
  });

  test('in a vault to which nothing is replicated; home’s point stands', async () => {
    const stand = await withOrders('refused-replica', { replicate: false });
    await protectedPoint(stand);
    await stand.advance(3600);
    expect(await stand.sealed(WEST)).toEqual([]);
    const causes = [...stand.states(WEST).executions.values()].map(({ cause }) => cause ?? '');
    expect(causes.join(' ')).toMatch(
      /Its automated backups are not replicated to eu-west-1: start that \(aws rds start-db-instance-automated-backups-replication/,
    );
  });
});
