import { describe, expect, test } from 'vitest';
import { operationOf } from '../../functions/aws/call.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Artifact, Policy, Sealed } from '../../functions/domain.ts';
import { DATA_KEY } from '../../functions/vault/layout.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import { comeToRest, nothingLeaks, whole } from '../invariants.ts';
import { HOME, type Stage, type StageOptions, stage, WEST } from '../world.ts';

/** The shop with an Aurora cluster beside its other stores, through the workflows: a point of all of it, in the vault, and back with home dark. */
const NAME = 'ledger';
const ARN = `arn:aws:rds:${HOME.region}:${HOME.account}:cluster:${NAME}`;
const MEMBERS = [`${NAME}-a`, `${NAME}-b`];
const TAGS = [{ Key: 'app', Value: 'shop' }];

const policy =
  (more: Partial<Policy>) =>
  (of: Configuration): Configuration => ({ ...of, policies: { hourly: { ...of.policies['hourly']!, ...more } } });
const rds = (stand: Stage, place = HOME): RdsState => stand.world.state<RdsState>('rds', place);
const call = (stand: Stage, operation: string, input: object, service = 'rds') =>
  stand.settle(stand.world.call({ place: HOME, service, operation, input }));
const sql = (stand: Stage, text: string) =>
  call(stand, 'ExecuteStatement', { resourceArn: ARN, secretArn: 'arn:aws:secretsmanager:none', sql: text }, 'rds-data');
const rows = (stand: Stage, name: string, place = HOME) =>
  rds(stand, place)
    .cluster(name)
    .store.query('SELECT * FROM entries ORDER BY id')
    .rows.map((row) => row.join('|'));
const names = (stand: Stage, place: typeof HOME) => [...rds(stand, place).clusters.keys()].sort();
const membersOf = (stand: Stage, name: string, place: typeof HOME) =>
  [...rds(stand, place).instances.values()].filter(({ cluster }) => cluster?.id === name).map(({ id }) => id);
const artifactOf = ({ artifacts }: Sealed): Artifact => artifacts.find(({ resource }) => resource === ARN)!;
const until = async (stand: Stage, so: () => boolean) => {
  for (let i = 0; !so(); i++) {
    if (i > 1000) throw new Error('It did not come to be so.');
    await stand.advance(30);
  }
};

type Between = NonNullable<StageOptions['between']>;

async function withLedger(
  seed: string,
  { change = (of: Configuration) => of, between = ((transport) => transport) as Between } = {},
): Promise<Stage> {
  const stand = await stage({ seed, configuration: change, between });
  await call(stand, 'CreateDBCluster', {
    DBClusterIdentifier: NAME,
    Engine: 'aurora-postgresql',
    DatabaseName: 'shop',
    BackupRetentionPeriod: 14,
    EnableHttpEndpoint: true,
    StorageEncrypted: true,
    KmsKeyId: DATA_KEY,
    Tags: TAGS,
  });
  await until(stand, () => rds(stand).cluster(NAME).status === 'available');
  for (const id of MEMBERS) {
    const input = { DBInstanceIdentifier: id, DBClusterIdentifier: NAME, Engine: 'aurora-postgresql', Tags: TAGS };
    await call(stand, 'CreateDBInstance', { ...input, DBInstanceClass: 'db.r7g.large' });
    await until(stand, () => rds(stand).instance(id).status === 'available');
  }
  await sql(stand, 'CREATE TABLE entries (id INTEGER PRIMARY KEY, item TEXT)');
  await sql(stand, "INSERT INTO entries (item) VALUES ('before')");
  return stand;
}

async function protectedPoint(stand: Stage): Promise<Sealed> {
  const execution = stand.startProtect();
  await stand.settle(execution.ended);
  expect(`${execution.status} ${execution.cause ?? ''}`).toBe('SUCCEEDED ');
  return (await stand.sealed(HOME)).at(-1)!;
}

describe('a point of an application with an Aurora cluster', () => {
  test('is a snapshot of exactly T at home and in the vault, and restored with its instances while home is dark', async () => {
    const stand = await withLedger('cluster-points');
    const point = await protectedPoint(stand);
    await sql(stand, "INSERT INTO entries (item) VALUES ('after')");
    expect(artifactOf(point)).toMatchObject({ endurance: 'durable', facts: { by: 'snapshot', at: point.instant } });
    expect(point.resources.map(({ id }) => id).filter((id) => id.includes(NAME))).toEqual([ARN]);
    expect(names(stand, HOME)).toEqual([NAME]);
    const [copy] = await stand.replicated(WEST);
    expect(artifactOf(copy!)).toMatchObject({ endurance: 'durable', place: WEST, interval: artifactOf(point).interval });
    stand.world.dark.add(HOME.region);
    const { report } = await stand.restore(WEST, 'r1');
    expect(report?.status).toBe('restored');
    expect(rows(stand, `${NAME}-r1`, WEST)).toEqual(['1|before']);
    expect(membersOf(stand, `${NAME}-r1`, WEST)).toEqual(MEMBERS.map((name) => `${name}-r1`));
    expect(report!.renames).toContainEqual({
      was: rds(stand).address(NAME, 'cluster-'),
      is: rds(stand, WEST).address(`${NAME}-r1`, 'cluster-'),
      what: 'database endpoint',
    });
  });

  test('that the policy keeps at home alone is a promise of the log', async () => {
    const stand = await withLedger('cluster-points-home', { change: policy({ vaults: [], keep: { hourly: 24 } }) });
    const point = await protectedPoint(stand);
    await sql(stand, "INSERT INTO entries (item) VALUES ('after')");
    expect(artifactOf(point)).toMatchObject({ endurance: 'log-backed', facts: { by: 'log', at: point.instant } });
    expect(rds(stand).clusterSnapshots.size).toBe(0);
    const { report } = await stand.restore(HOME, 'undo');
    expect(report?.status).toBe('restored');
    expect(rows(stand, `${NAME}-undo`)).toEqual(['1|before']);
  });

  test('is refused where home alone shall keep it for longer than the log reaches, with what to write', async () => {
    const stand = await withLedger('cluster-points-long', { change: policy({ vaults: [], keep: { daily: 30 } }) });
    const execution = stand.startProtect();
    await stand.settle(execution.ended);
    expect(execution.status).toBe('FAILED');
    expect(execution.cause).toMatch(
      /keeps points for 30 days, but arn:\S+:cluster:ledger can be restored from its log for 14 days only.*add materialise: daily .* or snapshot: daily/,
    );
    expect(await stand.sealed(HOME)).toEqual([]);
  });

  test('is a plain snapshot inside the freeze, and its tables kept as files, where the policy says so', async () => {
    const change = policy({ outlast: { by: 'snapshot', every: 'hourly' }, exports: true });
    const stand = await withLedger('cluster-points-snapshot', { change });
    const point = await protectedPoint(stand);
    const { interval, facts } = artifactOf(point);
    expect(facts).toMatchObject({ by: 'snapshot', at: null });
    expect(interval.from >= point.cut.freeze!.asked.to).toBe(true);
    expect(interval.from <= point.cut.freeze!.released!.from).toBe(true);
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

  /** Strikes one of the calls to RDS about clusters, counted over all steps. */
  const striking =
    (at: number, fault: string, seen: string[]): Between =>
    (transport, step) => ({
      ...transport,
      async send(request) {
        if (request.call.service !== 'rds' || !/Cluster|CreateDBInstance|HttpEndpoint/.test(operationOf(request.call)))
          return transport.send(request);
        seen.push(`${step} ${operationOf(request.call)}`);
        if (seen.length !== at) return transport.send(request);
        if (fault !== 'error before') await transport.send(request);
        throw failure(fault);
      },
    });

  async function run(at: number, fault: string): Promise<{ stand: Stage; seen: string[] }> {
    const seen: string[] = [];
    const stand = await withLedger(`cluster-faults/${at}/${fault}`, { between: striking(at, fault, seen) });
    await stand.settle(stand.startProtect({}, 'the-slot').ended);
    await stand.advance(3 * 3600);
    await stand.restore(WEST, 'r1');
    return { stand, seen };
  }

  test.each(FAULTS)('a point is made, copied and restored once, with %s', { timeout: 120_000 }, async (fault) => {
    const { seen } = await run(Number.POSITIVE_INFINITY, fault);
    const calls = seen.flatMap((call, i) => (seen.indexOf(call) === i ? [i + 1] : []));
    expect(calls.length).toBeGreaterThan(12);
    for (const at of calls) {
      const { stand } = await run(at, fault);
      const told = `${fault} of ${seen[at - 1]}`;
      expect([(await stand.sealed(HOME)).length, (await stand.sealed(WEST)).length], told).toEqual([1, 1]);
      expect(rows(stand, `${NAME}-r1`, WEST), told).toEqual(['1|before']);
      expect(membersOf(stand, `${NAME}-r1`, WEST), told).toEqual(MEMBERS.map((name) => `${name}-r1`));
      for (const place of [HOME, WEST]) {
        await comeToRest(stand, place);
        expect(await nothingLeaks(stand, place), told).toEqual([]);
      }
      expect(await whole(stand), told).toEqual([]);
      expect([names(stand, HOME), names(stand, WEST)], told).toEqual([[NAME], [`${NAME}-r1`]]);
    }
  });
});
