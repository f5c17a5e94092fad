import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../functions/aws/verb.ts';
import type { Artifact, Item } from '../../functions/domain.ts';
import { decodeDefinition, encodeDefinition } from '../../functions/kinds/data-service/dynamodb-table/definition.ts';
import kind from '../../functions/kinds/data-service/dynamodb-table/index.ts';
import { attributeOf } from '../../functions/kinds/data-service/dynamodb-table/load.ts';
import proof from '../../functions/kinds/data-service/dynamodb-table/proof.ts';
import { restoredName } from '../../functions/kinds/data-service/dynamodb-table/table.ts';
import { driveItems } from '../../functions/kinds/laws/drive.ts';
import {
  captured,
  captureWorks,
  copied,
  copyWorks,
  newCut,
  originals,
  restored,
  restoreWorks,
  type Subject,
  seeded,
} from '../../functions/kinds/laws/motions.ts';
import { dataBucket, stagingBucket } from '../../functions/vault/layout.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { stage, type TestStage } from '../stage.ts';

/** What is peculiar to DynamoDB; what it has in common with every kind, the laws hold it to. */
let at: TestStage;
let subject: Subject;
beforeEach(async () => {
  at = await stage({ seed: 'dynamodb' });
  subject = await at.settle(seeded(kind, proof, at));
});

const call = (operation: string, input: object, place = at.home.place, service = 'dynamodb') =>
  at.settle(at.world.call({ place, service, operation, input }));
const failures = (items: readonly Item<unknown>[]) => items.flatMap((item) => (item.state === 'failed' ? [item.why] : []));
const here = () => ({ here: at.home.place, home: at.home.place });
const discover = () => at.settle(open(kind.discover, at.transport, at.clock, here())(subject.application));
const PITR_OFF = { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } };
const names = () => subject.resources.map(({ name }) => name);

describe('discovery', () => {
  test('refuses a table without point-in-time recovery, and says what to turn on', async () => {
    const [TableName] = names();
    await call('UpdateContinuousBackups', { TableName, ...PITR_OFF });
    const { resources, refusals } = await discover();
    expect(resources).toHaveLength(1);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/has point-in-time recovery turned off.*UpdateContinuousBackups\)\.$/);
  });

  test('knows how far the log reaches', async () => {
    const { resources } = await discover();
    expect(resources.map(({ logDays }) => logDays)).toEqual([14, 14]);
  });
});

describe('capture', () => {
  test('waits until the log has reached the instant, and exports that instant', async () => {
    await at.settle(at.clock.sleep(600_000)); // a log that has just been turned on has nothing to say yet
    const instant = new Date(Math.floor(at.clock.now() / 1000) * 1000).toISOString();
    const cut = { ...newCut(at), instant };
    const start = open(kind.capture.start, at.transport, at.clock, here());
    const first = await at.settle(start(captureWorks(subject, cut)));
    expect(first.every((item) => item.state === 'waiting' && item.why === `Its log has not reached ${instant} yet.`)).toBe(true);
    const until = Math.max(...first.map((item) => (item.state === 'waiting' ? Date.parse(item.until) : 0)));
    expect(until - Date.parse(instant)).toBeGreaterThanOrEqual(299_000);
    at.world.journal.clear();
    const items = await at.settle(driveItems(kind.capture, captureWorks(subject, cut), at, at.home.place, at.transport));
    expect(failures(items)).toEqual([]);
    const asked = at.world.journal.entries.filter(({ operation }) => operation === 'ExportTableToPointInTime');
    expect(asked.map(({ input }) => (input as { ExportTime: Date }).ExportTime.toISOString())).toEqual([instant, instant]);
  });

  test('is a promise of the log at home and durable in a vault', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const [first] = artifacts;
    expect(first).toMatchObject({ endurance: 'log-backed' });
    expect(Date.parse(first!.restorableUntil!) - Date.parse(cut.instant!)).toBe(14 * 86_400_000);
    const [copy] = await at.settle(copied(subject, cut, artifacts));
    expect(copy).toMatchObject({ endurance: 'durable', interval: first!.interval });
    expect(copy!.restorableUntil).toBeUndefined();
  });

  test('fails where recovery was turned off after the plan, or the bucket it exports to is gone', async () => {
    const works = captureWorks(subject, { ...newCut(at), instant: new Date(at.clock.now()).toISOString() });
    await call('UpdateContinuousBackups', { TableName: names()[0], ...PITR_OFF });
    await call('DeleteBucket', { Bucket: stagingBucket(at.home.place) }, at.home.place, 's3');
    const items = await at.settle(driveItems(kind.capture, works, at, at.home.place, at.transport));
    expect(failures(items)[0]).toMatch(/turned off after the plan was made/);
    expect(failures(items)[1]).toMatch(/^Its export (failed|was refused): .*bucket/i);
  });

  test('does not take a namesake for the table of the plan', async () => {
    const [TableName] = names();
    await at.settle(open(proof.destroy, at.transport, at.clock, here())(subject.resources[0]!.id));
    await call('CreateTable', {
      TableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    const works = captureWorks(subject, { ...newCut(at), instant: new Date(at.clock.now()).toISOString() });
    const items = await at.settle(driveItems(kind.capture, works, at, at.home.place, at.transport));
    expect(failures(items)).toEqual([
      'It was deleted after the plan was made: another table bears its name now. The next attempt plans anew.',
    ]);
  });
});

describe('restore at home', () => {
  test('falls back to the staged export where the log cannot give the table back', async () => {
    const before = await at.settle(originals(subject));
    const { artifacts } = await at.settle(captured(subject));
    for (const { id } of subject.resources) await at.settle(open(proof.destroy, at.transport, at.clock, here())(id));
    const back = await at.settle(restored(subject, restoreWorks(subject, artifacts, at.home), at.home));
    const of = open(proof.fingerprint, at.transport, at.clock, here());
    for (const { resource, id } of back) expect(await at.settle(of(id))).toBe(before.get(resource));
  });

  test('says so where neither the log nor the export is there', async () => {
    const { artifacts } = await at.settle(captured(subject));
    for (const { id } of subject.resources) await at.settle(open(proof.destroy, at.transport, at.clock, here())(id));
    await at.settle(open(kind.expire, at.transport, at.clock, here())(artifacts));
    const works = restoreWorks(subject, artifacts, at.home);
    const [preview] = await at.settle(open(kind.preview, at.transport, at.clock, here())(works));
    expect(preview!.lacks[0]).toMatch(/cannot be restored: its export is not in .* any more; choose another restore point\.$/);
    const items = await at.settle(driveItems(kind.restore, works, at, at.home.place, at.transport));
    expect(failures(items)).toHaveLength(2);
    expect(failures(items)[0]).toMatch(/^The log of .* does not reach back to this point, and its export is not in .* any more/);
  });

  test('leaves a table alone that bears the name already', async () => {
    const { artifacts } = await at.settle(captured(subject));
    const works = restoreWorks(subject, artifacts, at.home, 'r1');
    const TableName = restoredName(names()[0]!, 'r1');
    await call('CreateTable', {
      TableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    const items = await at.settle(driveItems(kind.restore, works, at, at.home.place, at.transport));
    expect(failures(items)).toEqual([
      `A table ${TableName} exists already and is not of this restore; give the restore another name.`,
    ]);
    const [preview] = await at.settle(open(kind.preview, at.transport, at.clock, here())(works));
    expect(preview!.lacks).toEqual([`A table ${TableName} exists already in us-east-1; give the restore another name.`]);
  });
});

describe('restore in a vault', () => {
  const copiesOf = async (): Promise<Artifact[]> => {
    const { artifacts, cut } = await at.settle(captured(subject));
    return at.settle(copied(subject, cut, artifacts));
  };
  const place = () => ({ here: at.vault.place, home: at.home.place });

  test('imports, and writes items only where the table has local indexes', async () => {
    const copies = await copiesOf();
    at.world.journal.clear();
    await at.settle(restored(subject, restoreWorks(subject, copies, at.vault), at.vault));
    const count = (name: string) => at.world.journal.count(({ operation }) => operation === name);
    expect(count('ImportTable')).toBe(1);
    expect(count('CreateTable')).toBe(1);
    const batches = at.world.journal.entries.filter(({ operation }) => operation === 'BatchWriteItem');
    const tables = batches.flatMap(({ input }) => Object.keys((input as { RequestItems: object }).RequestItems));
    expect(new Set(tables).size).toBe(1);
  });

  test('an export that was changed is not restored from', async () => {
    const copies = await copiesOf();
    const s3 = at.world.state<S3State>('s3', at.vault.place);
    const Bucket = dataBucket(at.vault.place);
    const Key = s3.peek(Bucket)!.keys.find((key) => key.startsWith('exports/') && key.endsWith('.json.gz'))!;
    const text = gunzipSync(s3.object(Bucket, Key)!).toString().replace('owner-1', 'owner-2');
    await call('PutObject', { Bucket, Key, Body: gzipSync(text) }, at.vault.place, 's3');
    const works = restoreWorks(subject, copies, at.vault);
    const previews = await at.settle(open(kind.preview, at.transport, at.clock, place())(works));
    expect(previews.flatMap(({ lacks }) => lacks)).toEqual([
      expect.stringMatching(/has been changed since it was copied; it is not restored from\.$/),
    ]);
    const items = await at.settle(driveItems(kind.restore, works, at, at.vault.place, at.transport));
    expect(failures(items)).toEqual([expect.stringMatching(/has been changed since it was copied; it is not restored from\.$/)]);
  });

  test('a definition that was changed is not restored from', async () => {
    const copies = await copiesOf();
    const Bucket = dataBucket(at.vault.place);
    const Key = `bundles/sha256/${(copies[0]!.facts as { definition: string }).definition}`;
    await call('PutObject', { Bucket, Key, Body: new Uint8Array(gzipSync('{}')) }, at.vault.place, 's3');
    const items = await at.settle(
      driveItems(kind.restore, restoreWorks(subject, copies, at.vault), at, at.vault.place, at.transport),
    );
    expect(failures(items)).toEqual([expect.stringMatching(/has been changed: its bytes do not have that digest/)]);
  });

  test('a staged export that is gone before it was copied fails the copy with a sentence', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    await at.settle(open(kind.expire, at.transport, at.clock, here())(artifacts));
    const items = await at.settle(driveItems(kind.copy, copyWorks(subject, cut, artifacts), at, at.vault.place, at.transport));
    expect(failures(items)).toHaveLength(2);
    expect(failures(items)[0]).toMatch(
      /manifest-summary\.json is not there any more; a staged export is kept for a few days only/,
    );
  });

  test('renames the table, its ARN and its stream', async () => {
    const copies = await copiesOf();
    const [one] = await at.settle(restored(subject, restoreWorks(subject, copies, at.vault, 'r1'), at.vault));
    const name = names()[0]!;
    expect(one!.renames.slice(0, 2)).toEqual([
      { was: name, is: `${name}-r1`, what: 'table' },
      {
        was: `arn:aws:dynamodb:us-east-1:111122223333:table/${name}`,
        is: `arn:aws:dynamodb:eu-west-1:111122223333:table/${name}-r1`,
        what: 'table ARN',
      },
    ]);
    expect(one!.renames[2]).toMatchObject({
      what: 'stream ARN',
      is: expect.stringContaining(`eu-west-1:111122223333:table/${name}-r1/stream/`),
    });
  });
});

test('a definition is the same bytes whatever the order of its members', () => {
  const definition = subject.resources[0]!.facts.definition as never;
  const reversed = Object.fromEntries(Object.entries(definition as object).reverse()) as never;
  expect(Buffer.from(encodeDefinition(reversed))).toEqual(Buffer.from(encodeDefinition(definition)));
  expect(decodeDefinition(encodeDefinition(definition))).toEqual(definition);
});

test('items keep every digit and every byte', () => {
  const item = { M: { n: { N: '1E+100' }, b: { B: 'AP8=' }, s: { BS: ['AQ=='] }, l: { L: [{ NULL: true }, { SS: ['a'] }] } } };
  expect(attributeOf(item)).toEqual({
    M: {
      n: { N: '1E+100' },
      b: { B: Buffer.from([0, 255]) },
      s: { BS: [Buffer.from([1])] },
      l: { L: [{ NULL: true }, { SS: ['a'] }] },
    },
  });
});
