import { describe, expect, test } from 'vitest';
import { HOME, RdsWorld } from './rds-world.ts';

const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });

const stand = async (seed: string, more: object = {}) => {
  const world = new RdsWorld(seed);
  const arn = await world.filled('orders', more);
  const asked = { resourceArn: arn, secretArn: 'arn:secret' };
  const data = (operation: string, more: object = {}) => world.call(operation, { ...asked, ...more }, HOME, 'rds-data');
  const begin = async (): Promise<string> => (await data('BeginTransaction')).transactionId;
  return { world, arn, data, begin, sql: (sql: string, more: object = {}) => world.sql(arn, sql, more) };
};

describe('the Data API', () => {
  test('binds and answers every type', async () => {
    const { sql } = await stand('types');
    await sql('CREATE TABLE types (i BIGINT, r DOUBLE PRECISION, t TEXT, b BYTEA, yes BOOLEAN, n TEXT)');
    const parameters = [
      { name: 'i', value: { longValue: 2 ** 40 } },
      { name: 'r', value: { doubleValue: 0.5 } },
      { name: 't', value: { stringValue: 'Grüße; -- no comment' } },
      { name: 'b', value: { blobValue: new Uint8Array([0, 255]) } },
      { name: 'yes', value: { booleanValue: true } },
      { name: 'n', value: { isNull: true } },
      { name: 'unused', value: { longValue: 1 } },
    ];
    const inserted = await sql('INSERT INTO types VALUES (:i, :r, :t, :b, :yes, :n); -- done', { parameters });
    expect(inserted).toMatchObject({ numberOfRecordsUpdated: 1, generatedFields: [] });
    const { records, columnMetadata } = await sql('SELECT * FROM types', { includeResultMetadata: true });
    expect(records).toEqual([
      [
        { longValue: 2 ** 40 },
        { doubleValue: 0.5 },
        { stringValue: 'Grüße; -- no comment' },
        { blobValue: new Uint8Array([0, 255]) },
        { booleanValue: true },
        { isNull: true },
      ],
    ]);
    expect(columnMetadata[0]).toMatchObject({ name: 'i', label: 'i', typeName: 'bigint', tableName: 'types' });
    const { formattedRecords } = await sql('SELECT i, t FROM types', { formatRecordsAs: 'JSON' });
    expect(JSON.parse(formattedRecords)).toEqual([{ i: 2 ** 40, t: 'Grüße; -- no comment' }]);
    expect((await sql('SELECT 9007199254740993')).records).toEqual([[{ stringValue: '9007199254740993' }]]);
  });

  test('says what an insert generated where MySQL does', async () => {
    const { data } = await stand('generated', { Engine: 'mysql' });
    const sets = ['second', 'third'].map((item) => [{ name: 'item', value: { stringValue: item } }]);
    const { updateResults } = await data('BatchExecuteStatement', {
      sql: 'INSERT INTO orders (item) VALUES (:item)',
      parameterSets: sets,
    });
    expect(updateResults).toEqual([{ generatedFields: [{ longValue: 2 }] }, { generatedFields: [{ longValue: 3 }] }]);
  });

  test.each([
    ['what only PostgreSQL knows', 'SELECT amount::text FROM orders', /knows only what SQLite knows/],
    ['a function of PostgreSQL’s', 'SELECT pg_sleep(1)', /no such function: pg_sleep/],
    ['SERIAL', 'CREATE TABLE x (id BIGSERIAL PRIMARY KEY)', /INTEGER PRIMARY KEY/],
    ['a transaction', 'BEGIN', /BeginTransaction/],
    ['a pragma', 'PRAGMA foreign_keys = OFF', /PRAGMA cannot be run/],
    ['two statements', 'DELETE FROM orders; DELETE FROM orders', /Multistatements/],
    ['nothing', ' -- nothing', /SQL is empty/],
    ['a broken constraint', "INSERT INTO orders VALUES (1, 'again', 1)", /UNIQUE constraint failed/],
  ])('refuses %s in one sentence', async (_, sql, says) => {
    const world = await stand('refused');
    await expect(world.sql(sql)).rejects.toEqual(expect.objectContaining({ message: expect.stringMatching(says) }));
    expect(world.world.rows('orders')).toEqual(['1|first|1']);
  });

  test('runs a batch together or not at all', async () => {
    const { world, data } = await stand('batch');
    const sets = [2, 1].map((id) => [{ name: 'id', value: { longValue: id } }]);
    const batch = data('BatchExecuteStatement', { sql: "INSERT INTO orders VALUES (:id, 'x', 0)", parameterSets: sets });
    await expect(batch).rejects.toEqual(refusal('DatabaseErrorException', /UNIQUE/));
    expect(world.rows('orders')).toEqual(['1|first|1']);
  });

  test('names what is not there', async () => {
    const { world, data, sql } = await stand('names');
    await expect(world.sql(world.state().arn('db', 'nobody'), 'SELECT 1')).rejects.toEqual(refusal('BadRequestException'));
    await expect(sql('SELECT 1', { database: 'other' })).rejects.toEqual(refusal('DatabaseNotFoundException', /"other"/));
    expect((await sql('SELECT 1', { database: 'shop' })).records).toHaveLength(1);
    await expect(data('CommitTransaction', { transactionId: 'none' })).rejects.toEqual(refusal('TransactionNotFoundException'));
  });
});

describe('transactions', () => {
  test('see their own writes, which nobody else sees before the commit', async () => {
    const { world, data, begin, sql } = await stand('isolation');
    const transactionId = await begin();
    await sql("INSERT INTO orders VALUES (2, 'mine', 2)", { transactionId });
    expect((await sql('SELECT count(*) FROM orders', { transactionId })).records).toEqual([[{ longValue: 2 }]]);
    expect(world.rows('orders')).toHaveLength(1);
    await data('CommitTransaction', { transactionId });
    expect(world.rows('orders')).toHaveLength(2);
    await expect(sql('SELECT 1', { transactionId })).rejects.toEqual(refusal('TransactionNotFoundException'));
  });

  test('rolled back, they leave nothing; left alone, they end', async () => {
    const { world, data, begin, sql } = await stand('rollback');
    const transactionId = await begin();
    await sql('DELETE FROM orders', { transactionId });
    await data('RollbackTransaction', { transactionId });
    const idle = await begin();
    await world.advance(200);
    await expect(sql('DELETE FROM orders', { transactionId: idle })).rejects.toEqual(refusal('TransactionNotFoundException'));
    expect(world.rows('orders')).toHaveLength(1);
  });

  test('side by side, commit where what each saw still holds, and else are refused', async () => {
    const { world, data, begin, sql } = await stand('serializable');
    await sql("INSERT INTO orders VALUES (2, 'second', 10)");
    const [one, two, three] = [await begin(), await begin(), await begin()];
    await sql('UPDATE orders SET amount = amount + 5 WHERE id = 1', { transactionId: one });
    await sql('UPDATE orders SET amount = amount - 5 WHERE id = 2', { transactionId: two });
    await sql('SELECT amount FROM orders WHERE id = 1', { transactionId: three });
    await sql('UPDATE orders SET amount = 0 WHERE id = 2', { transactionId: three });
    await data('CommitTransaction', { transactionId: one });
    await data('CommitTransaction', { transactionId: two });
    await expect(data('CommitTransaction', { transactionId: three })).rejects.toEqual(
      refusal('DatabaseErrorException', /could not serialize/),
    );
    expect(world.rows('orders')).toEqual(['1|first|6', '2|second|5']);
  });
});
