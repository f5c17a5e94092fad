import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import type { S3State } from '../../local/services/s3/state.ts';
import { HOME, RdsWorld } from './rds-world.ts';
import { serviceRole } from './roles.ts';

const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });
const ROLE = 'arn:aws:iam::111122223333:role/exports';

const stand = async (seed: string, more: object = {}) => {
  const world = new RdsWorld(seed);
  const arn = await world.filled('orders', more);
  await world.sql(arn, 'CREATE TABLE types (id BIGINT, r REAL, t TEXT, b BYTEA, d NUMERIC(38, 2), "no, name" TEXT)');
  for (let i = 0; i < 40; i++)
    await world.sql(
      arn,
      `INSERT INTO types VALUES (9007199254740993 + ${i}, ${i} / 3.0, ${i % 7 ? `'Grüße ${i}'` : 'NULL'}, x'00ff0${i % 10}', '12345678901234567890.25', 'x')`,
    );
  await serviceRole(world.world, HOME.account, 'exports', 'export.rds.amazonaws.com');
  await world.call('CreateBucket', { Bucket: 'exports' }, HOME, 's3');
  const { KeyMetadata } = await world.call('CreateKey', {}, HOME, 'kms');
  await world.call('CreateDBSnapshot', { DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'snap' });
  await world.until(() => world.state().snapshot('snap').status === 'available');
  const task = {
    ExportTaskIdentifier: 'nightly',
    SourceArn: world.state().arn('snapshot', 'snap'),
    S3BucketName: 'exports',
    S3Prefix: 'some/where',
    IamRoleArn: ROLE,
    KmsKeyId: KeyMetadata.Arn,
  };
  const start = (more: object = {}) => world.call('StartExportTask', { ...task, ...more });
  const described = async (id = 'nightly') =>
    (await world.call('DescribeExportTasks', { ExportTaskIdentifier: id })).ExportTasks[0];
  const ended = (id = 'nightly') => world.until(async () => /COMPLETE|FAILED|CANCELED/.test((await described(id)).Status));
  const keys = () => [...world.world.state<S3State>('s3', HOME).asOf('exports', new Date(world.now)).keys()].sort();
  const body = (key: string) => world.world.state<S3State>('s3', HOME).object('exports', key) as Uint8Array;
  return { world, arn, start, described, ended, keys, body };
};

const read = (bytes: Uint8Array) =>
  parquetReadObjects({
    file: bytes.slice().buffer,
    utf8: false,
    compressors: { GZIP: (input) => new Uint8Array(gunzipSync(input)) },
  });

test('an export lies as AWS lays it out, and read by another reader it equals the database at its instant', async () => {
  const { world, arn, start, described, ended, keys, body } = await stand('export');
  expect(await start()).toMatchObject({ Status: 'STARTING', PercentProgress: 0, SourceType: 'SNAPSHOT' });
  await world.sql(arn, 'DELETE FROM types');
  await ended();
  const task = await described();
  expect(task).toMatchObject({
    Status: 'COMPLETE',
    PercentProgress: 100,
    WarningMessage: expect.stringMatching(/types\.no, name was left out/),
  });
  expect(task.SnapshotTime).toEqual(new Date(world.state().snapshot('snap').originallyAt));
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
  expect(keys().map((key) => key.replace(uuid, 'UUID'))).toEqual([
    'some/where/nightly/export_info_nightly.json',
    'some/where/nightly/export_tables_info_nightly_from_1_to_2.json',
    'some/where/nightly/shop/public.orders/1/_SUCCESS',
    'some/where/nightly/shop/public.orders/1/part-00000-UUID-c000.gz.parquet',
    'some/where/nightly/shop/public.types/1/_SUCCESS',
    'some/where/nightly/shop/public.types/1/part-00000-UUID-c000.gz.parquet',
  ]);
  const { rows } = world.state().queryAt('orders', task.SnapshotTime, 'SELECT id, r, t, b, d FROM types');
  const found = await read(body(keys().at(-1) as string));
  expect(found).toHaveLength(40);
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value);
  expect(
    found.map(({ id, r, t, b, d }) => [
      id,
      r,
      t === null || t === undefined ? null : text(t),
      Buffer.from(b).toString('hex'),
      text(d),
    ]),
  ).toEqual(rows.map(([id, r, t, b, d]) => [id, r, t, Buffer.from(b as Uint8Array).toString('hex'), String(d)]));
  const report = JSON.parse(Buffer.from(body(keys()[1] as string)).toString());
  expect(report.perTableStatus.map(({ target, status }: { target: string; status: string }) => [target, status])).toEqual([
    ['shop.public.orders', 'COMPLETE'],
    ['shop.public.types', 'COMPLETE'],
  ]);
});

test('MySQL has no schemas: its tables lie under the database’s own name', async () => {
  const { start, ended, keys } = await stand('mysql', { Engine: 'mysql' });
  await start({ S3Prefix: undefined });
  await ended();
  expect(keys()).toContain('nightly/shop/shop.orders/1/_SUCCESS');
});

test('a role without rights ends the export, with the reason', async () => {
  const { world, start, described, ended, keys } = await stand('denied');
  const deny = { Effect: 'Deny', Principal: { AWS: ROLE }, Action: 's3:PutObject', Resource: 'arn:aws:s3:::exports/*' };
  await world.call(
    'PutBucketPolicy',
    { Bucket: 'exports', Policy: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }) },
    HOME,
    's3',
  );
  await start();
  await ended();
  expect(await described()).toMatchObject({
    Status: 'FAILED',
    FailureCause: expect.stringMatching(/AccessDenied.*role\/exports/),
  });
  expect(keys()).toEqual([]);
});

test('an export is refused where it could not be made, and five run at a time', async () => {
  const { world, start } = await stand('refused');
  await expect(start({ S3BucketName: 'nowhere' })).rejects.toEqual(refusal('InvalidS3BucketFault'));
  await expect(start({ IamRoleArn: 'arn:aws:iam::999999999999:role/x' })).rejects.toEqual(
    refusal('AccessDenied', /iam:PassRole/), // no role of another account can be passed
  );
  await expect(start({ KmsKeyId: 'alias/none' })).rejects.toEqual(refusal('KMSKeyNotAccessibleFault'));
  await expect(start({ SourceArn: world.state().arn('snapshot', 'none') })).rejects.toEqual(refusal('DBSnapshotNotFoundFault'));
  await start();
  await expect(start()).rejects.toEqual(refusal('ExportTaskAlreadyExistsFault'));
  await expect(start({ ExportTaskIdentifier: 'other' })).rejects.toEqual(
    refusal('InvalidExportSourceStateFault', /running already/),
  );
  const one = world.state().snapshot('snap');
  for (let i = 0; i < 5; i++) world.state().snapshots.set(`s${i}`, { ...one, id: `s${i}` });
  const another = (i: number) => start({ ExportTaskIdentifier: `e${i}`, SourceArn: world.state().arn('snapshot', `s${i}`) });
  for (let i = 0; i < 4; i++) await another(i);
  await expect(another(4)).rejects.toEqual(refusal('LimitExceededException', /maximum number/));
});

test('an export can be cancelled', async () => {
  const { world, start, described, keys } = await stand('cancel');
  await start();
  expect(await world.call('CancelExportTask', { ExportTaskIdentifier: 'nightly' })).toMatchObject({ Status: 'CANCELING' });
  await world.advance(2000);
  expect([(await described()).Status, keys()]).toEqual(['CANCELED', []]);
});
