import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { queried } from '../../local/services/rds/sql/store.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { HOME, RdsWorld } from '../local/rds-world.ts';
import { hasPython, python } from './python.ts';

const hasPyarrow = hasPython('pyarrow', 'exports read by pyarrow');
const ROLE = 'arn:aws:iam::111122223333:role/exports';
const SCHEMA = 'CREATE TABLE types (id BIGINT, r REAL, t TEXT, b BYTEA, d NUMERIC(38, 2))';

/**
 * The rows of the database as the reader prints what it finds: bytes in hexadecimal, integers as text, for JSON's own are not exact, and as
 * text what goes into the file as text (RDS guide, "Exporting DB snapshot data", "Data conversion": NUMERIC).
 */
const printed = (rows: readonly (readonly unknown[])[], types: Readonly<Record<string, string>>): unknown[][] =>
  rows.map((row) =>
    row.map((value, i) => {
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
      return Object.values(types)[i] === 'string' || typeof value === 'bigint' ? String(value) : value;
    }),
  );

async function filled(world: RdsWorld, arn: string): Promise<void> {
  await world.sql(arn, SCHEMA);
  for (let i = 0; i < 40; i++)
    await world.sql(
      arn,
      `INSERT INTO types VALUES (9007199254740993 + ${i}, ${i} / 3.0, ${i % 7 ? `'Grüße ${i}'` : 'NULL'}, x'00ff0${i % 10}', '12345678901234567890.25')`,
    );
}

/** Exports a snapshot and answers its Parquet files by the table that they are of, and what the export says of its instant. */
async function exported(world: RdsWorld, SourceArn: string) {
  await world.call('CreateBucket', { Bucket: 'exports' }, HOME, 's3');
  const { KeyMetadata } = await world.call('CreateKey', {}, HOME, 'kms');
  const task = { ExportTaskIdentifier: 'nightly', SourceArn, S3BucketName: 'exports', IamRoleArn: ROLE };
  await world.call('StartExportTask', { ...task, KmsKeyId: KeyMetadata.Arn });
  const told = async () => (await world.call('DescribeExportTasks', {})).ExportTasks[0];
  await world.until(async () => /COMPLETE|FAILED/.test((await told()).Status));
  const s3 = world.world.state<S3State>('s3', HOME);
  const keys = [...s3.asOf('exports', new Date(world.now)).keys()].filter((key) => key.endsWith('.parquet'));
  const files = keys.map((key) => ({ table: key.split('/').at(-3) as string, bytes: s3.object('exports', key) as Uint8Array }));
  return { task: await told(), files };
}

async function readBy(files: readonly { table: string; bytes: Uint8Array }[]) {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-'));
  try {
    const paths = files.map(({ table }) => join(folder, `${table}.gz.parquet`));
    for (const [i, { bytes }] of files.entries()) await writeFile(paths[i] as string, bytes);
    const read = await python('parquet.py', ...paths);
    return Object.fromEntries(files.map(({ table }, i) => [table, read[paths[i] as string]]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.skipIf(!hasPyarrow)('an export read by pyarrow', () => {
  it('equals the database of an instance at the instant that the export states', async () => {
    const world = new RdsWorld('pyarrow');
    const arn = await world.filled('orders');
    await filled(world, arn);
    await world.call('CreateDBSnapshot', { DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'snap' });
    await world.until(() => world.state().snapshot('snap').status === 'available');
    await world.sql(arn, 'DELETE FROM types WHERE id % 2 = 0');
    const { task, files } = await exported(world, world.state().arn('snapshot', 'snap'));
    const read = await readBy(files);
    for (const table of ['types', 'orders']) {
      const { rows } = world.state().queryAt('orders', task.SnapshotTime, `SELECT * FROM ${table}`);
      expect(rows.length).toBeGreaterThan(0);
      const { rows: found, types } = read[`public.${table}`];
      expect(found).toEqual(printed(rows, types));
    }
    expect(read['public.types'].rows).toHaveLength(40);
    expect(read['public.types'].types).toEqual({ id: 'int64', r: 'double', t: 'string', b: 'binary', d: 'string' });
    expect(read['public.types'].codecs).toEqual(['GZIP']);
  });

  it('equals the database of a cluster at the instant that the export states', async () => {
    const world = new RdsWorld('pyarrow-cluster');
    const cluster = { DBClusterIdentifier: 'ledger', Engine: 'aurora-mysql', DatabaseName: 'shop', EnableHttpEndpoint: true };
    const { DBCluster } = await world.call('CreateDBCluster', cluster);
    await world.until(() => world.state().cluster('ledger').status === 'available');
    await world.call('CreateDBInstance', {
      DBInstanceIdentifier: 'ledger-1',
      DBClusterIdentifier: 'ledger',
      Engine: 'aurora-mysql',
      DBInstanceClass: 'db.r7g.large',
    });
    await world.available('ledger-1');
    await filled(world, DBCluster.DBClusterArn);
    await world.call('CreateDBClusterSnapshot', { DBClusterIdentifier: 'ledger', DBClusterSnapshotIdentifier: 'snap' });
    await world.until(() => world.state().clusterSnapshot('snap').status === 'available');
    const { store } = world.state().cluster('ledger');
    await world.sql(DBCluster.DBClusterArn, 'DELETE FROM types');
    const { task, files } = await exported(world, world.state().arn('cluster-snapshot', 'snap'));
    const { rows } = queried(store.history.at(task.SnapshotTime.getTime()), 'SELECT * FROM types');
    const read = await readBy(files);
    expect(rows).toHaveLength(40);
    const { rows: found, types } = read['shop.types'];
    expect(found).toEqual(printed(rows, types));
  });
});
