import { gunzipSync } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { service as dynamodb } from '../../local/services/dynamodb/index.ts';
import { addNumbers, compareNumbers } from '../../local/services/dynamodb/number.ts';
import type { DynamoDbState } from '../../local/services/dynamodb/state.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { service as s3 } from '../../local/services/s3/index.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { service as tagging } from '../../local/services/tagging/index.ts';
import { errorBefore } from '../../local/world/faults.ts';
import { type Place, World } from '../../local/world/world.ts';

const services = new Map([dynamodb, s3, kms, tagging].map((service) => [service.name, service]));
const home: Place = { account: '111122223333', region: 'us-east-1' };
const west: Place = { account: '111122223333', region: 'eu-west-1' };

let world: World;
beforeEach(() => {
  world = new World(services, { seed: 'dynamodb' });
});

const ask = async (operation: string, input: object, { service = 'dynamodb', place = home } = {}): Promise<any> =>
  world.clock.settle(world.call({ place, service, operation, input }));
const refused = (operation: string, input: object, place = home) =>
  ask(operation, input, { place }).then(
    () => expect.unreachable(`${operation} was not refused`),
    (error: Error & { code: string; fields: Record<string, any> }) => error,
  );
const pass = (seconds: number) => world.clock.advance(seconds * 1000);
const now = () => world.clock.now();
/** The next whole second. */
const second = () => new Date(Math.ceil(now() / 1000) * 1000);
const state = (place = home) => world.state<DynamoDbState>('dynamodb', place);

const CARTS = {
  TableName: 'carts',
  KeySchema: [
    { AttributeName: 'customer', KeyType: 'HASH' },
    { AttributeName: 'line', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    { AttributeName: 'customer', AttributeType: 'S' },
    { AttributeName: 'line', AttributeType: 'N' },
    { AttributeName: 'sku', AttributeType: 'S' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-sku',
      KeySchema: [{ AttributeName: 'sku', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
  Tags: [{ Key: 'app', Value: 'shop' }],
};
const SIMPLE = {
  TableName: 'accounts',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  BillingMode: 'PAY_PER_REQUEST',
};

async function made(definition: { TableName: string } = SIMPLE, { recovery = false, place = home } = {}): Promise<string> {
  const { TableDescription } = await ask('CreateTable', definition, { place });
  await pass(30);
  if (recovery) {
    await ask(
      'UpdateContinuousBackups',
      { TableName: definition.TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
      { place },
    );
  }
  return TableDescription.TableArn;
}
const put = (Item: object, more: object = {}, TableName = 'accounts') => ask('PutItem', { TableName, Item, ...more });
const account = (id: string, euros: number | string) => ({ id: { S: id }, euros: { N: String(euros) } });
const byId = (items: readonly Record<string, any>[]) =>
  Object.fromEntries(items.map(({ id, euros }) => [id.S, Number(euros.N)]).sort());

describe('numbers', () => {
  const integer = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  const scale = fc.integer({ min: -7, max: 7 });

  test('add and compare without loss, as whole numbers of the smallest unit do', () => {
    const units = (value: bigint, exponent: number) => value * 10n ** BigInt(exponent + 7);
    fc.assert(
      fc.property(integer, scale, integer, scale, (a, i, b, j) => {
        fc.pre(String(units(a, i) + units(b, j)).replace(/^-|0+$/g, '').length <= 38);
        const sum = addNumbers(`${a}e${i}`, `${b}e${j}`);
        expect(compareNumbers(sum, `${units(a, i) + units(b, j)}e-7`)).toBe(0);
        const [x, y] = [units(a, i), units(b, j)];
        expect(Math.sign(compareNumbers(`${a}e${i}`, `${b}e${j}`))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
      { seed: 7 },
    );
  });

  test.each([
    ['1e126', 'Number overflow'],
    ['1e-131', 'Number underflow'],
    ['1'.repeat(39), '38 significant digits'],
    ['1e999999999', 'cannot be converted'],
    ['one', 'cannot be converted'],
  ])('%s is refused: %s', async (N, why) => {
    await made();
    expect(await refused('PutItem', { TableName: 'accounts', Item: { id: { S: 'a' }, n: { N } } })).toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(why),
    });
  });

  test('come back without superfluous zeroes, and find the item that they are the key of', async () => {
    await made(CARTS);
    await put({ customer: { S: 'c' }, line: { N: '1.0' }, sum: { N: '0012.3400' } }, {}, 'carts');
    const { Item } = await ask('GetItem', { TableName: 'carts', Key: { customer: { S: 'c' }, line: { N: '01e0' } } });
    expect(Item).toEqual({ customer: { S: 'c' }, line: { N: '1' }, sum: { N: '12.34' } });
  });
});

describe('a table', () => {
  test('is CREATING for a while, and its items cannot be reached then', async () => {
    const { TableDescription } = await ask('CreateTable', CARTS);
    expect(TableDescription).toMatchObject({
      TableStatus: 'CREATING',
      TableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/carts',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    });
    expect(await refused('PutItem', { TableName: 'carts', Item: {} })).toMatchObject({ code: 'ResourceNotFoundException' });
    await pass(30);
    expect((await ask('DescribeTable', { TableName: 'carts' })).Table).toMatchObject({
      TableStatus: 'ACTIVE',
      ItemCount: 0,
      GlobalSecondaryIndexes: [{ IndexName: 'by-sku', IndexStatus: 'ACTIVE' }],
    });
    expect(await refused('CreateTable', CARTS)).toMatchObject({ code: 'ResourceInUseException' });
  });

  test('belongs to its account and region', async () => {
    const arn = await made();
    expect((await ask('DescribeTable', { TableName: arn })).Table.TableName).toBe('accounts');
    expect(await refused('DescribeTable', { TableName: 'accounts' }, west)).toMatchObject({ code: 'ResourceNotFoundException' });
    expect(await refused('DescribeTable', { TableName: arn }, west)).toMatchObject({ code: 'ResourceNotFoundException' });
  });

  test('is protected, deleted, and only then gone', async () => {
    await made({ ...SIMPLE, DeletionProtectionEnabled: true } as typeof SIMPLE);
    expect(await refused('DeleteTable', { TableName: 'accounts' })).toMatchObject({ code: 'ValidationException' });
    await ask('UpdateTable', { TableName: 'accounts', DeletionProtectionEnabled: false });
    await pass(20);
    expect((await ask('DeleteTable', { TableName: 'accounts' })).TableDescription.TableStatus).toBe('DELETING');
    expect(await refused('CreateTable', SIMPLE)).toMatchObject({ code: 'ResourceInUseException' });
    await pass(20);
    expect(await refused('DescribeTable', { TableName: 'accounts' })).toMatchObject({ code: 'ResourceNotFoundException' });
    await ask('CreateTable', SIMPLE);
  });

  test('bears tags, which the tagging API finds', async () => {
    const arn = await made(CARTS);
    await ask('TagResource', { ResourceArn: arn, Tags: [{ Key: 'tier', Value: 'gold' }] });
    await ask('UntagResource', { ResourceArn: arn, TagKeys: ['app'] });
    expect((await ask('ListTagsOfResource', { ResourceArn: arn })).Tags).toEqual([{ Key: 'tier', Value: 'gold' }]);
    const found = await ask('GetResources', { TagFilters: [{ Key: 'tier' }] }, { service: 'tagging' });
    expect(found.ResourceTagMappingList).toMatchObject([{ ResourceARN: arn }]);
  });

  test('gets and loses an index', async () => {
    await made();
    await put({ id: { S: 'a' }, city: { S: 'Bern' } });
    const AttributeDefinitions = [...SIMPLE.AttributeDefinitions, { AttributeName: 'city', AttributeType: 'S' }];
    const Create = {
      IndexName: 'by-city',
      KeySchema: [{ AttributeName: 'city', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    };
    await ask('UpdateTable', { TableName: 'accounts', AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create }] });
    const query = {
      TableName: 'accounts',
      IndexName: 'by-city',
      KeyConditionExpression: 'city = :c',
      ExpressionAttributeValues: { ':c': { S: 'Bern' } },
    };
    expect(await refused('Query', query)).toMatchObject({ message: expect.stringContaining('backfilling') });
    await pass(20);
    expect((await ask('Query', query)).Count).toBe(1);
    await ask('UpdateTable', { TableName: 'accounts', GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-city' } }] });
    const { Table } = await ask('DescribeTable', { TableName: 'accounts' });
    expect(Table.AttributeDefinitions).toEqual(SIMPLE.AttributeDefinitions);
    expect(Table.GlobalSecondaryIndexes).toBeUndefined();
  });

  test.each<[string, object, string]>([
    [
      'an unused attribute',
      { AttributeDefinitions: [...SIMPLE.AttributeDefinitions, { AttributeName: 'x', AttributeType: 'S' }] },
      'Number of attributes in KeySchema',
    ],
    ['an undefined key', { AttributeDefinitions: [] }, 'Some index key attributes are not defined'],
    ['no capacity', { BillingMode: 'PROVISIONED' }, 'No provisioned throughput specified'],
    ['a bad name', { TableName: 'a b' }, 'failed to satisfy constraint'],
    ['a range key first', { KeySchema: [{ AttributeName: 'id', KeyType: 'RANGE' }] }, 'not a HASH key type'],
    [
      'a local index without a range key',
      { LocalSecondaryIndexes: [{ IndexName: 'l', KeySchema: SIMPLE.KeySchema, Projection: { ProjectionType: 'ALL' } }] },
      'does not have a range key',
    ],
  ])('is refused with %s', async (_, change, why) => {
    expect(await refused('CreateTable', { ...SIMPLE, ...change })).toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(why),
    });
  });
});

describe('an expression', () => {
  const item = {
    id: { S: 'a' },
    n: { N: '5' },
    wording: { S: 'héllo' },
    chain: { L: [{ S: 'x' }, { M: { deep: { N: '7' } } }, { S: 'z' }] },
    doc: { M: { 'a.b': { S: 'dotted' }, nil: { NULL: true } } },
    tags: { SS: ['red', 'blue'] },
    sizes: { NS: ['1', '2.5'] },
    octets: { B: new Uint8Array([1, 2, 3]) },
    yes: { BOOL: true },
  };
  const values = {
    ':five': { N: '5.0' },
    ':six': { N: '6' },
    ':x': { S: 'x' },
    ':he': { S: 'hé' },
    ':S': { S: 'S' },
    ':red': { S: 'red' },
    ':two': { N: '2.50' },
    ':bytes': { B: new Uint8Array([1, 2]) },
    ':seven': { N: '7' },
    ':d': { S: 'dotted' },
    ':three': { N: '3' },
  };
  const used = (text: string, all: object, mark: string) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => new RegExp(`${mark}${name.slice(1)}\\b`).test(text)));
  const named = (text: string) => {
    const ExpressionAttributeValues = used(text, values, ':');
    const ExpressionAttributeNames = used(text, { '#ab': 'a.b' }, '#');
    return {
      ...(Object.keys(ExpressionAttributeValues).length > 0 ? { ExpressionAttributeValues } : {}),
      ...(Object.keys(ExpressionAttributeNames).length > 0 ? { ExpressionAttributeNames } : {}),
    };
  };

  test.each([
    ['n = :five', true],
    ['n <> :five', false],
    ['absent <> :five', true],
    ['absent < :five', false],
    ['n < :six AND NOT n > :six', true],
    ['n BETWEEN :five AND :six', true],
    ['n IN (:six, :five)', true],
    ['attribute_exists(chain[1].deep)', true],
    ['attribute_not_exists(chain[3])', true],
    ['chain[1].deep = :seven', true],
    ['doc.#ab = :d', true],
    ['attribute_type(id, :S)', true],
    ['begins_with(wording, :he)', true],
    ['begins_with(octets, :bytes)', true],
    ['contains(tags, :red)', true],
    ['contains(sizes, :two)', true],
    ['contains(chain, :x)', true],
    ['contains(wording, :he)', true],
    ['size(chain) = :three', true],
    ['size(absent) = :three', false],
    ['n = :six OR n = :five AND id = :x', false],
    ['(n = :six OR n = :five) AND contains(tags, :red)', true],
    ['NOT (n = :five)', false],
    ['n = id', false],
    [':five = n', true],
  ])('%s is %s', async (ConditionExpression, met) => {
    await made();
    await put(item);
    const check = { TableName: 'accounts', Key: { id: { S: 'a' } }, ConditionExpression, ...named(ConditionExpression) };
    if (met) await ask('DeleteItem', check);
    else expect(await refused('DeleteItem', check)).toMatchObject({ code: 'ConditionalCheckFailedException' });
    expect(state().items('accounts')).toHaveLength(met ? 0 : 1);
  });

  test.each([
    ['n = :unknown', 'attribute value: :unknown'],
    ['#gone = n', 'attribute name: #gone'],
    ['status = n', 'reserved keyword: status'],
    ['n = = n', 'Syntax error; token: "=", near: "= = n"'],
    ['n', 'Syntax error; token: "<EOF>"'],
    ['((n = id))', 'redundant parentheses'],
    ['exists(n)', 'Invalid function name; function: exists'],
    ['if_not_exists(n, n) = n', 'not allowed in a condition expression'],
    ['contains(n)', 'Incorrect number of operands'],
    ['n = id; DROP', 'Syntax error'],
    ['', 'can not be empty'],
  ])('%s is refused: %s', async (ConditionExpression, why) => {
    await made();
    expect(await refused('PutItem', { TableName: 'accounts', Item: { id: { S: 'a' } }, ConditionExpression })).toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(why),
    });
  });

  test('must use what it is given, and legacy parameters are not taken silently', async () => {
    await made();
    const Item = { id: { S: 'a' } };
    const idle = { ConditionExpression: 'n = :a', ExpressionAttributeValues: { ':a': { N: '1' }, ':b': { N: '2' } } };
    expect((await refused('PutItem', { TableName: 'accounts', Item, ...idle })).message).toContain(
      'unused in expressions: keys: {:b}',
    );
    const alone = { ExpressionAttributeNames: { '#a': 'a' } };
    expect((await refused('PutItem', { TableName: 'accounts', Item, ...alone })).message).toContain('when using expressions');
    expect(await refused('PutItem', { TableName: 'accounts', Item, Expected: {} })).toMatchObject({ code: 'NotImplemented' });
  });

  const update = async (UpdateExpression: string, more: object = {}) =>
    (
      await ask('UpdateItem', {
        TableName: 'accounts',
        Key: { id: { S: 'a' } },
        UpdateExpression,
        ReturnValues: 'ALL_NEW',
        ...more,
      })
    ).Attributes;

  test.each<[string, object, object]>([
    ['SET n = n + :one', { ':one': { N: '0.1' } }, { n: { N: '5.1' } }],
    ['SET n = n-:one', { ':one': { N: '10' } }, { n: { N: '-5' } }],
    [
      'SET fresh = if_not_exists(fresh, :v), n = if_not_exists(n, :v)',
      { ':v': { S: 'v' } },
      { fresh: { S: 'v' }, n: { N: '5' } },
    ],
    [
      'SET chain = list_append(:l, chain) REMOVE wording',
      { ':l': { L: [{ N: '0' }] } },
      { chain: { L: [{ N: '0' }, ...item.chain.L] }, wording: undefined },
    ],
    [
      'SET chain[9] = :v, chain[8] = :w',
      { ':v': { S: 'v' }, ':w': { S: 'w' } },
      { chain: { L: [...item.chain.L, { S: 'w' }, { S: 'v' }] } },
    ],
    ['SET chain[1].deep = :v', { ':v': { S: 'v' } }, { chain: { L: [{ S: 'x' }, { M: { deep: { S: 'v' } } }, { S: 'z' }] } }],
    ['REMOVE chain[0], chain[1].deep, chain[2]', {}, { chain: { L: [{ M: {} }] } }],
    ['SET n = id, id2 = n', {}, { n: { S: 'a' }, id2: { N: '5' } }],
    ['ADD n :v, tally :v', { ':v': { N: '2' } }, { n: { N: '7' }, tally: { N: '2' } }],
    [
      'ADD tags :t, more :t',
      { ':t': { SS: ['blue', 'green'] } },
      { tags: { SS: ['red', 'blue', 'green'] }, more: { SS: ['blue', 'green'] } },
    ],
    ['DELETE tags :t', { ':t': { SS: ['red', 'gone'] } }, { tags: { SS: ['blue'] } }],
    ['DELETE sizes :t', { ':t': { NS: ['1.0', '2.5'] } }, { sizes: undefined }],
  ])('%s', async (expression, given, changed) => {
    await made();
    await put(item);
    const more = Object.keys(given).length > 0 ? { ExpressionAttributeValues: given } : {};
    const wanted = Object.fromEntries(Object.entries({ ...item, ...changed }).filter(([, value]) => value !== undefined));
    expect(await update(expression, more)).toEqual(wanted);
  });

  test.each<[string, object, string]>([
    ['SET id = :v', { ':v': { S: 'b' } }, 'part of the key'],
    ['SET n = absent + :v', { ':v': { N: '1' } }, 'does not exist in the item'],
    ['SET n = n + :v', { ':v': { S: '1' } }, 'incorrect data type'],
    ['SET n = n + :v + :v', { ':v': { N: '1' } }, 'Syntax error'],
    ['SET absent.deep = :v', { ':v': { N: '1' } }, 'document path'],
    ['SET n = :v SET id2 = :v', { ':v': { N: '1' } }, 'can only be used once'],
    ['SET doc = :v, doc.nil = :v', { ':v': { N: '1' } }, 'overlap'],
    ['ADD wording :v', { ':v': { S: '1' } }, 'Incorrect operand type'],
    ['ADD wording :v', { ':v': { N: '1' } }, 'incorrect data type'],
    ['SET tags = :v', { ':v': { SS: [] } }, 'may not be empty'],
    ['SET tags = :v', { ':v': { SS: ['a', 'a'] } }, 'contains duplicates'],
    ['PUT n :v', { ':v': { N: '1' } }, 'Syntax error; token: "PUT"'],
  ])('%s is refused', async (expression, given, why) => {
    await made();
    await put(item);
    await expect(update(expression, { ExpressionAttributeValues: given })).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(why),
    });
    expect(state().items('accounts')).toEqual([item]);
  });

  test('answers with the images that it was asked for', async () => {
    await made();
    await put(item);
    const change = (ReturnValues: string) =>
      update('SET n = :five, chain[0] = :x', {
        ReturnValues,
        ExpressionAttributeValues: { ':five': { N: '5' }, ':x': { S: 'y' } },
      });
    expect(await change('UPDATED_OLD')).toEqual({ n: { N: '5' }, chain: { L: [{ S: 'x' }] } });
    expect(await change('UPDATED_NEW')).toEqual({ n: { N: '5' }, chain: { L: [{ S: 'y' }] } });
    expect(await change('NONE')).toBeUndefined();
    const failing = { ConditionExpression: 'attribute_not_exists(id)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    const error = await refused('PutItem', { TableName: 'accounts', Item: { id: { S: 'a' } }, ...failing });
    expect(error.fields.Item).toMatchObject({ id: { S: 'a' } });
  });

  test('projects paths, nested as they were', async () => {
    await made();
    await put(item);
    const { Item } = await ask('GetItem', {
      TableName: 'accounts',
      Key: { id: { S: 'a' } },
      ProjectionExpression: 'n, chain[2], chain[1].deep, doc.#ab, absent',
      ExpressionAttributeNames: { '#ab': 'a.b' },
    });
    expect(Item).toEqual({
      n: { N: '5' },
      chain: { L: [{ M: { deep: { N: '7' } } }, { S: 'z' }] },
      doc: { M: { 'a.b': { S: 'dotted' } } },
    });
  });
});

describe('queries and scans', () => {
  const line = (customer: string, number: number, sku = `sku-${number % 3}`, more: object = {}) => ({
    customer: { S: customer },
    line: { N: String(number) },
    sku: { S: sku },
    ...more,
  });
  const carts = (operation: string, input: object) => ask(operation, { TableName: 'carts', ...input });
  const ofCustomer = { KeyConditionExpression: 'customer = :c', ExpressionAttributeValues: { ':c': { S: 'a' } } };
  const lines = ({ Items }: { Items: Record<string, any>[] }) => Items.map((found) => Number(found['line'].N));

  async function all(operation: string, input: object): Promise<Record<string, any>[]> {
    const items: Record<string, any>[] = [];
    for (let ExclusiveStartKey: object | undefined; ; ) {
      const page = await carts(operation, { ...input, ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}) });
      items.push(...page.Items);
      ExclusiveStartKey = page.LastEvaluatedKey;
      if (!ExclusiveStartKey) return items;
    }
  }

  beforeEach(async () => {
    await made(CARTS);
    for (const number of [10, 9, 100, 2, 1.5, -3]) await put(line('a', number), {}, 'carts');
    await put(line('b', 1), {}, 'carts');
  });

  test('a query sorts numbers as numbers, either way', async () => {
    expect(lines(await carts('Query', ofCustomer))).toEqual([-3, 1.5, 2, 9, 10, 100]);
    expect(lines(await carts('Query', { ...ofCustomer, ScanIndexForward: false, Limit: 2 }))).toEqual([100, 10]);
  });

  test.each([
    ['line >= :n', '9', [9, 10, 100]],
    [':n > line', '2', [-3, 1.5]],
    ['line BETWEEN :n AND :n', '10', [10]],
  ])('a query with %s', async (condition, N, found) => {
    const answer = await carts('Query', {
      KeyConditionExpression: `customer = :c AND ${condition}`,
      ExpressionAttributeValues: { ':c': { S: 'a' }, ':n': { N } },
    });
    expect(lines(answer)).toEqual(found);
  });

  test('pages neither repeat nor skip, although items come and go between them', async () => {
    for (const ScanIndexForward of [true, false]) {
      const first = await carts('Query', { ...ofCustomer, Limit: 2, ScanIndexForward });
      await carts('DeleteItem', { Key: first.LastEvaluatedKey });
      const rest = await carts('Query', { ...ofCustomer, ScanIndexForward, ExclusiveStartKey: first.LastEvaluatedKey });
      const whole = [...lines(first), ...lines(rest)];
      expect(new Set(whole).size).toBe(whole.length);
      expect(whole).toEqual(whole.toSorted((a, b) => (ScanIndexForward ? a - b : b - a)));
      await put(line('a', Number(first.LastEvaluatedKey.line.N)), {}, 'carts');
      expect(whole).toHaveLength(6);
    }
  });

  test('a filter comes after the count, and may not speak of keys', async () => {
    const filtered = await carts('Query', {
      ...ofCustomer,
      FilterExpression: 'sku = :s',
      ExpressionAttributeValues: { ...ofCustomer.ExpressionAttributeValues, ':s': { S: 'sku-1' } },
    });
    expect(filtered).toMatchObject({ Count: 2, ScannedCount: 6 });
    const wrong = { ...ofCustomer, FilterExpression: 'size(line) > :c' };
    expect((await refused('Query', { TableName: 'carts', ...wrong })).message).toContain('non-primary key attributes');
  });

  test.each([
    ['line = :c', 'missed key schema element: customer'],
    ['customer > :c', 'not supported'],
    ['customer = :c OR line = :c', 'Invalid operator'],
    ['customer = :c AND sku = :c', 'missed key schema element: line'],
    ['customer = :c AND line = :c', 'does not match schema type'],
  ])('%s is no key condition', async (KeyConditionExpression, why) => {
    const query = { TableName: 'carts', KeyConditionExpression, ExpressionAttributeValues: { ':c': { S: 'a' } } };
    expect((await refused('Query', query)).message).toContain(why);
  });

  test('an index holds only items with its key, shows only what it projects, and is not read consistently', async () => {
    await put({ customer: { S: 'a' }, line: { N: '7' } }, {}, 'carts');
    await put(line('z', 1, 'sku-0', { note: { S: 'hidden' } }), {}, 'carts');
    const query = {
      IndexName: 'by-sku',
      KeyConditionExpression: 'sku = :s',
      ExpressionAttributeValues: { ':s': { S: 'sku-0' } },
    };
    const { Items } = await carts('Query', query);
    expect(Items).toContainEqual({ customer: { S: 'z' }, line: { N: '1' }, sku: { S: 'sku-0' } });
    expect((await carts('Scan', { IndexName: 'by-sku', Select: 'COUNT' })).Count).toBe(8);
    expect((await refused('Query', { TableName: 'carts', ...query, ConsistentRead: true })).message).toContain(
      'Consistent reads',
    );
    const mistyped = { ...line('q', 1), sku: { N: '1' } };
    expect((await refused('PutItem', { TableName: 'carts', Item: mistyped })).message).toContain('IndexName: by-sku');
  });

  test('a scan sees everything once, by pages and by segments, and a page ends at a mebibyte', async () => {
    const big = 'x'.repeat(300_000);
    for (let i = 0; i < 8; i++) await put(line(`big-${i}`, i, 'sku', { big: { S: big } }), {}, 'carts');
    expect((await carts('Scan', {})).Items.length).toBeLessThan(15);
    const key = ({ customer, line: number }: Record<string, any>) => `${customer.S}/${number.N}`;
    const whole = (await all('Scan', {})).map(key);
    expect(new Set(whole).size).toBe(15);
    expect((await all('Scan', { Limit: 1 })).map(key)).toEqual(whole);
    const segments = await Promise.all([0, 1, 2].map((Segment) => all('Scan', { Segment, TotalSegments: 3 })));
    expect(segments.flat().map(key).sort()).toEqual(whole.toSorted());
  });
});

describe('batches and transactions', () => {
  test('a batch reads and writes many, each once', async () => {
    await made();
    const PutRequest = (id: string) => ({ PutRequest: { Item: account(id, 1) } });
    await ask('BatchWriteItem', { RequestItems: { accounts: ['a', 'b', 'c'].map(PutRequest) } });
    await ask('BatchWriteItem', { RequestItems: { accounts: [{ DeleteRequest: { Key: { id: { S: 'b' } } } }] } });
    const Keys = ['a', 'b', 'c'].map((S) => ({ id: { S } }));
    const { Responses, UnprocessedKeys } = await ask('BatchGetItem', { RequestItems: { accounts: { Keys } } });
    expect(byId(Responses.accounts)).toEqual({ a: 1, c: 1 });
    expect(UnprocessedKeys).toEqual({});
    const twice = { RequestItems: { accounts: ['a', 'a'].map(PutRequest) } };
    expect((await refused('BatchWriteItem', twice)).message).toContain('duplicates');
    const many = { RequestItems: { accounts: Array.from({ length: 26 }, (_, i) => PutRequest(`m${i}`)) } };
    expect((await refused('BatchWriteItem', many)).message).toContain('Too many items');
  });

  const transfer = (from: string, to: string, N: string, more: object = {}) => ({
    TransactItems: [
      {
        Update: {
          TableName: 'accounts',
          Key: { id: { S: from } },
          UpdateExpression: 'SET euros = euros - :n',
          ConditionExpression: 'euros >= :n',
          ExpressionAttributeValues: { ':n': { N } },
        },
      },
      {
        Update: {
          TableName: 'accounts',
          Key: { id: { S: to } },
          UpdateExpression: 'SET euros = euros + :n',
          ExpressionAttributeValues: { ':n': { N } },
        },
      },
    ],
    ...more,
  });

  test('a transaction is all or nothing, also where a part of it cannot be computed', async () => {
    await made();
    await put(account('a', 10));
    await put(account('b', 0));
    await ask('TransactWriteItems', transfer('a', 'b', '4'));
    expect(byId(state().items('accounts') as never)).toEqual({ a: 6, b: 4 });
    const poor = await refused('TransactWriteItems', transfer('a', 'b', '7'));
    expect(poor).toMatchObject({
      code: 'TransactionCanceledException',
      message: expect.stringContaining('[ConditionalCheckFailed, None]'),
    });
    expect(poor.fields['CancellationReasons']).toMatchObject([{ Code: 'ConditionalCheckFailed' }, { Code: 'None' }]);
    expect((await refused('TransactWriteItems', transfer('a', 'nobody', '1'))).message).toContain('[None, ValidationError]');
    expect(byId(state().items('accounts') as never)).toEqual({ a: 6, b: 4 });
  });

  test('a token stands for its transaction for ten minutes', async () => {
    await made();
    await put(account('a', 10));
    await put(account('b', 0));
    const once = transfer('a', 'b', '1', { ClientRequestToken: 'token' });
    await ask('TransactWriteItems', once);
    await ask('TransactWriteItems', once);
    expect(byId(state().items('accounts') as never)).toEqual({ a: 9, b: 1 });
    expect(await refused('TransactWriteItems', transfer('a', 'b', '2', { ClientRequestToken: 'token' }))).toMatchObject({
      code: 'IdempotentParameterMismatchException',
    });
    await pass(601);
    await ask('TransactWriteItems', once);
    expect(byId(state().items('accounts') as never)).toEqual({ a: 8, b: 2 });
  });

  test('a check alone writes nothing, and reads together are of one instant', async () => {
    await made();
    await put(account('a', 10));
    const ConditionCheck = { TableName: 'accounts', Key: { id: { S: 'b' } }, ConditionExpression: 'attribute_not_exists(id)' };
    await ask('TransactWriteItems', {
      TransactItems: [{ ConditionCheck }, { Put: { TableName: 'accounts', Item: account('c', 1) } }],
    });
    const Get = (S: string) => ({ Get: { TableName: 'accounts', Key: { id: { S } } } });
    const { Responses } = await ask('TransactGetItems', { TransactItems: [Get('a'), Get('b'), Get('c')] });
    expect(Responses).toEqual([{ Item: account('a', 10) }, {}, { Item: account('c', 1) }]);
    const changes = state().table('accounts').history.between(0, Number.POSITIVE_INFINITY);
    expect(changes.map(({ key }) => key)).toHaveLength(2);
  });
});

describe('point-in-time recovery', () => {
  const restored = async (input: object, place = home) => {
    await ask('RestoreTableToPointInTime', { SourceTableName: 'accounts', TargetTableName: 'again', ...input }, { place });
    await pass(700);
    return byId(state(place).items('again') as never);
  };

  test('its window reaches to five minutes ago', async () => {
    await made(SIMPLE, { recovery: true });
    await pass(3600);
    const { ContinuousBackupsDescription } = await ask('DescribeContinuousBackups', { TableName: 'accounts' });
    const { LatestRestorableDateTime } = ContinuousBackupsDescription.PointInTimeRecoveryDescription;
    expect(now() - LatestRestorableDateTime.getTime()).toBeGreaterThanOrEqual(300_000);
    expect(now() - LatestRestorableDateTime.getTime()).toBeLessThan(302_000);
  });

  test('a table comes back as it was at a second, with the settings of now and without what AWS leaves behind', async () => {
    await made(
      {
        ...SIMPLE,
        Tags: [{ Key: 'app', Value: 'shop' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
      } as typeof SIMPLE,
      { recovery: true },
    );
    await ask('UpdateTimeToLive', { TableName: 'accounts', TimeToLiveSpecification: { Enabled: true, AttributeName: 'until' } });
    await put(account('a', 1));
    await put(account('b', 1));
    await pass(10);
    const at = second();
    await pass(10);
    await put(account('a', 2));
    await ask('DeleteItem', { TableName: 'accounts', Key: { id: { S: 'b' } } });
    await pass(400);
    expect(await restored({ RestoreDateTime: at })).toEqual({ a: 1, b: 1 });
    const { Table } = await ask('DescribeTable', { TableName: 'again' });
    expect(Table.RestoreSummary).toMatchObject({ RestoreDateTime: at, RestoreInProgress: false });
    expect(Table.StreamSpecification).toBeUndefined();
    expect(await ask('ListTagsOfResource', { ResourceArn: Table.TableArn })).toEqual({ Tags: [] });
    expect((await ask('DescribeTimeToLive', { TableName: 'again' })).TimeToLiveDescription.TimeToLiveStatus).toBe('DISABLED');
    const backups = await ask('DescribeContinuousBackups', { TableName: 'again' });
    expect(backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus).toBe('DISABLED');
  });

  test('also in another region, while the source is alive', async () => {
    const SourceTableArn = await made(SIMPLE, { recovery: true });
    await put(account('a', 1));
    await pass(400);
    const input = { SourceTableName: undefined, SourceTableArn, UseLatestRestorableTime: true };
    expect(await restored(input, west)).toEqual({ a: 1 });
    world.dark.add(home.region);
    await expect(restored({ ...input, TargetTableName: 'third' }, west)).rejects.toMatchObject({ code: 'InternalServerError' });
  });

  test('refuses what is outside of the window, off, or there already', async () => {
    await made();
    const restore = { SourceTableName: 'accounts', TargetTableName: 'again', RestoreDateTime: new Date(now()) };
    expect(await refused('RestoreTableToPointInTime', restore)).toMatchObject({
      code: 'PointInTimeRecoveryUnavailableException',
    });
    await ask('UpdateContinuousBackups', {
      TableName: 'accounts',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 1 },
    });
    const began = second();
    await pass(3 * 86_400);
    expect(await refused('RestoreTableToPointInTime', { ...restore, RestoreDateTime: began })).toMatchObject({
      code: 'InvalidRestoreTimeException',
    });
    expect(await refused('RestoreTableToPointInTime', { ...restore, RestoreDateTime: new Date(now()) })).toMatchObject({
      code: 'InvalidRestoreTimeException',
    });
    const there = { ...restore, TargetTableName: 'accounts', RestoreDateTime: new Date(now() - 600_000) };
    expect(await refused('RestoreTableToPointInTime', there)).toMatchObject({ code: 'TableAlreadyExistsException' });
    expect(await refused('DescribeContinuousBackups', { TableName: 'nothing' })).toMatchObject({
      code: 'TableNotFoundException',
    });
  });

  test('the truth is known to the millisecond, also of a table that is gone', async () => {
    await made();
    const truth: [number, Record<string, number>][] = [];
    const held: Record<string, number> = {};
    for (let i = 0; i < 40; i++) {
      const id = `i${i % 7}`;
      if (i % 5 === 4) {
        await ask('DeleteItem', { TableName: 'accounts', Key: { id: { S: id } } });
        delete held[id];
      } else {
        await put(account(id, i));
        held[id] = i;
      }
      truth.push([now(), Object.fromEntries(Object.entries(held).sort())]);
    }
    await ask('DeleteTable', { TableName: 'accounts' });
    await pass(60);
    for (const [at, wanted] of truth) expect(byId(state().itemsAt('accounts', new Date(at)) as never)).toEqual(wanted);
    expect(state().itemsAt('accounts', new Date(now()))).toEqual([]);
  });
});

describe('exports', () => {
  const BUCKET = 'exports-west';
  const bucketIn = (place: Place) =>
    ask(
      'CreateBucket',
      {
        Bucket: BUCKET,
        ...(place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region } }),
      },
      { service: 's3', place },
    );
  const object = (key: string) => {
    const body = world.state<S3State>('s3', west).object(BUCKET, key);
    if (!body) throw new Error(`There is no ${key}.`);
    return Buffer.from(body);
  };
  const keys = () => world.state<S3State>('s3', west).peek(BUCKET)?.keys ?? [];
  const exported = async (input: object): Promise<SDK.ExportDescription> => {
    const { ExportDescription } = await ask('ExportTableToPointInTime', { S3Bucket: BUCKET, ...input });
    await pass(1000);
    return (await ask('DescribeExport', { ExportArn: ExportDescription.ExportArn })).ExportDescription;
  };
  const summaryOf = ({ ExportManifest = '' }: SDK.ExportDescription) => JSON.parse(object(ExportManifest).toString());
  const linesOf = (description: SDK.ExportDescription): any[] => {
    const files = object(summaryOf(description).manifestFilesS3Key).toString().trim().split('\n');
    expect(files).toHaveLength(4);
    return files
      .map((file) => JSON.parse(file))
      .flatMap(({ dataFileS3Key, itemCount }) => {
        const found = gunzipSync(object(dataFileS3Key)).toString().split('\n').filter(Boolean);
        expect(found).toHaveLength(itemCount);
        return found.map((text) => JSON.parse(text));
      });
  };

  test('land in a bucket of another region as the table was at the second, the summary last', async () => {
    const TableArn = await made(SIMPLE, { recovery: true });
    await bucketIn(west);
    for (let i = 0; i < 50; i++) await put({ ...account(`i${i}`, i), raw: { B: new Uint8Array([i, 255]) } });
    await pass(5);
    const ExportTime = second();
    await pass(5);
    await put(account('late', 1));
    await pass(400);
    const description = await exported({ TableArn, ExportTime, S3Prefix: 'a/b/' });
    expect(description).toMatchObject({ ExportStatus: 'COMPLETED', ItemCount: 50, ExportTime, ExportType: 'FULL_EXPORT' });
    const lines = linesOf(description);
    expect(byId(lines.map(({ Item }) => Item))).toEqual(byId(state().itemsAt('accounts', ExportTime) as never));
    expect(Buffer.from(lines[0].Item.raw.B, 'base64')[1]).toBe(255);
    expect(description.ExportManifest).toMatch(/^a\/b\/AWSDynamoDB\/\d{14}-[0-9a-f]{8}\/manifest-summary\.json$/);
    expect(summaryOf(description)).toMatchObject({
      itemCount: 50,
      exportTime: ExportTime.toISOString(),
      outputFormat: 'DYNAMODB_JSON',
    });
    const bucket = world.state<S3State>('s3', west).peek(BUCKET)!;
    const last = keys().toSorted(
      (a, b) => bucket.versions(b)[0]!.appeared.getTime() - bucket.versions(a)[0]!.appeared.getTime(),
    )[0];
    expect(last).toBe(description.ExportManifest);
    expect(keys().map((key) => key.split('/').at(-1))).toContain('_started');
  });

  test('of a second in which writes fell hold all until some instant of it, a transaction whole or not at all', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      world = new World(services, { seed, latency: [1, 1] });
      const TableArn = await made(SIMPLE, { recovery: true });
      await bucketIn(home);
      await put(account('a', 0));
      await put(account('b', 0));
      await pass(2);
      const at = second();
      await world.clock.run({ until: at.getTime() + 200 });
      const Update = (id: string) => ({
        Update: {
          TableName: 'accounts',
          Key: { id: { S: id } },
          UpdateExpression: 'SET euros = :n',
          ExpressionAttributeValues: { ':n': { N: '1' } },
        },
      });
      await ask('TransactWriteItems', { TransactItems: [Update('a'), Update('b')] });
      await world.clock.run({ until: at.getTime() + 1000 });
      await put(account('c', 9));
      await pass(400);
      const { a, b, c } = byId(linesOf(await exported({ TableArn, ExportTime: at })).map(({ Item }) => Item));
      expect(c).toBeUndefined();
      seen.add(`${a}${b}`);
    }
    expect([...seen].sort()).toEqual(['00', '11']);
  });

  test('an increment holds the last state of what changed, and what is gone by its key', async () => {
    const TableArn = await made(SIMPLE, { recovery: true });
    await bucketIn(home);
    await put(account('changed', 1));
    await put(account('deleted', 1));
    await put(account('same', 1));
    await pass(2);
    const ExportFromTime = second();
    await pass(2);
    await put(account('changed', 2));
    await put(account('changed', 3));
    await put(account('fleeting', 1));
    for (const S of ['deleted', 'fleeting']) await ask('DeleteItem', { TableName: 'accounts', Key: { id: { S } } });
    await put(account('new', 1));
    await pass(900);
    const ExportToTime = second();
    await pass(400);
    const description = await exported({
      TableArn,
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: { ExportFromTime, ExportToTime, ExportViewType: 'NEW_AND_OLD_IMAGES' },
    });
    const byKey = Object.fromEntries(linesOf(description).map((line) => [line.Keys.id.S, line]));
    expect(Object.keys(byKey).sort()).toEqual(['changed', 'deleted', 'new']);
    expect(byKey['changed']).toMatchObject({ OldImage: account('changed', 1), NewImage: account('changed', 3) });
    expect(byKey['deleted'].NewImage).toBeUndefined();
    expect(Number(byKey['new'].Metadata.WriteTimestampMicros.N) / 1000).toBeGreaterThan(ExportFromTime.getTime());
    expect(summaryOf(description)).toMatchObject({ exportType: 'INCREMENTAL_EXPORT', outputView: 'NEW_AND_OLD_IMAGES' });
  });

  test('a token asked again is the same export for eight hours', async () => {
    const TableArn = await made(SIMPLE, { recovery: true });
    await bucketIn(home);
    await pass(400);
    const input = { TableArn, S3Bucket: BUCKET, ClientToken: 'token', ExportTime: new Date(now() - 310_000) };
    const first = (await ask('ExportTableToPointInTime', input)).ExportDescription;
    const again = (await ask('ExportTableToPointInTime', input)).ExportDescription;
    expect(again.ExportArn).toBe(first.ExportArn);
    expect(await refused('ExportTableToPointInTime', { ...input, S3Prefix: 'other' })).toMatchObject({
      code: 'ExportConflictException',
    });
    expect((await ask('ListExports', { TableArn })).ExportSummaries).toMatchObject([{ ExportArn: first.ExportArn }]);
    await pass(8 * 3600);
    expect((await ask('ExportTableToPointInTime', input)).ExportDescription.ExportArn).not.toBe(first.ExportArn);
  });

  test('refuse a time outside of the window, and a table without recovery', async () => {
    const TableArn = await made();
    const input = { TableArn, S3Bucket: BUCKET };
    expect(await refused('ExportTableToPointInTime', input)).toMatchObject({ code: 'PointInTimeRecoveryUnavailableException' });
    await ask('UpdateContinuousBackups', {
      TableName: 'accounts',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    await pass(400);
    for (const ExportTime of [new Date(now()), new Date(now() - 86_400_000)])
      expect(await refused('ExportTableToPointInTime', { ...input, ExportTime })).toMatchObject({
        code: 'InvalidExportTimeException',
      });
  });

  test('fail with a reason when the bucket is missing, closed or dark, and outlast a fault of S3', async () => {
    const TableArn = await made(SIMPLE, { recovery: true });
    await pass(400);
    expect(await exported({ TableArn })).toMatchObject({ ExportStatus: 'FAILED', FailureCode: 'S3NoSuchBucket' });
    await bucketIn({ ...west, account: '999900001111' });
    expect(await exported({ TableArn })).toMatchObject({ ExportStatus: 'FAILED', FailureCode: 'S3AccessDenied' });
    world.state<S3State>('s3', west).delete(BUCKET);
    await bucketIn(west);
    let faults = 0;
    world.faults = ({ operation }) => (operation === 'PutObject' && faults++ % 2 === 0 ? errorBefore : undefined);
    expect(await exported({ TableArn })).toMatchObject({ ExportStatus: 'COMPLETED' });
    expect(faults).toBeGreaterThan(1);
    world.dark.add(west.region);
    const failed = await exported({ TableArn });
    expect(failed).toMatchObject({ ExportStatus: 'FAILED', FailureMessage: expect.stringContaining('dark') });
  });

  test('come back by an import, with global indexes', async () => {
    const TableArn = await made({ ...CARTS, TableName: 'carts' }, { recovery: true });
    await bucketIn(home);
    const full = {
      customer: { S: 'c' },
      line: { N: '1' },
      sku: { S: 's' },
      raw: { BS: [new Uint8Array([0, 200])] },
      nested: { L: [{ M: { b: { B: new Uint8Array([7]) } } }] },
    };
    await put(full, {}, 'carts');
    await put({ customer: { S: 'c' }, line: { N: '2' } }, {}, 'carts');
    await pass(400);
    const description = await exported({ TableArn });
    const { TableName: _, Tags: __, ...definition } = CARTS;
    const S3KeyPrefix = `${description.ExportManifest?.replace('manifest-summary.json', 'data/')}`;
    const input = {
      S3BucketSource: { S3Bucket: BUCKET, S3KeyPrefix },
      InputFormat: 'DYNAMODB_JSON',
      InputCompressionType: 'GZIP',
      TableCreationParameters: { ...definition, TableName: 'imported' },
      ClientToken: 'import',
    };
    const { ImportTableDescription } = await ask('ImportTable', input);
    expect((await ask('ImportTable', input)).ImportTableDescription.ImportArn).toBe(ImportTableDescription.ImportArn);
    expect(ImportTableDescription).toMatchObject({ ImportStatus: 'IN_PROGRESS' });
    await pass(700);
    const done = (await ask('DescribeImport', { ImportArn: ImportTableDescription.ImportArn })).ImportTableDescription;
    expect(done).toMatchObject({ ImportStatus: 'COMPLETED', ImportedItemCount: 2, ErrorCount: 0 });
    expect(state().items('imported')).toContainEqual(full);
    const bySku = { KeyConditionExpression: 'sku = :s', ExpressionAttributeValues: { ':s': { S: 's' } } };
    expect((await ask('Query', { TableName: 'imported', IndexName: 'by-sku', ...bySku })).Count).toBe(1);
  });

  test('an import counts what it cannot read, and fails where there is nothing to read', async () => {
    await bucketIn(home);
    const lines = [JSON.stringify({ Item: account('a', 1) }), 'not JSON', JSON.stringify({ Item: { euros: { N: '1' } } })];
    await ask('PutObject', { Bucket: BUCKET, Key: 'in/x.json', Body: Buffer.from(lines.join('\n')) }, { service: 's3' });
    const importOf = async (S3KeyPrefix: string, TableName: string) => {
      const input = {
        S3BucketSource: { S3Bucket: BUCKET, S3KeyPrefix },
        InputFormat: 'DYNAMODB_JSON',
        TableCreationParameters: { ...SIMPLE, TableName },
      };
      const { ImportTableDescription } = await ask('ImportTable', input);
      await pass(700);
      return (await ask('DescribeImport', { ImportArn: ImportTableDescription.ImportArn })).ImportTableDescription;
    };
    expect(await importOf('in/', 'first')).toMatchObject({ ImportStatus: 'COMPLETED', ImportedItemCount: 1, ErrorCount: 2 });
    expect(await importOf('nowhere/', 'second')).toMatchObject({ ImportStatus: 'FAILED' });
    expect((await ask('ListTables', {})).TableNames).toEqual(['first']);
  });
});

describe('backups', () => {
  test('are of some instant within a minute, outlive the table and restore its indexes', async () => {
    await made(CARTS);
    await put({ customer: { S: 'c' }, line: { N: '1' }, sku: { S: 's' } }, {}, 'carts');
    await pass(100);
    const { BackupDetails } = await ask('CreateBackup', { TableName: 'carts', BackupName: 'nightly' });
    expect(BackupDetails).toMatchObject({ BackupStatus: 'CREATING', BackupType: 'USER' });
    await pass(100);
    await put({ customer: { S: 'late' }, line: { N: '1' } }, {}, 'carts');
    await pass(60);
    const { BackupDescription } = await ask('DescribeBackup', { BackupArn: BackupDetails.BackupArn });
    expect(BackupDescription).toMatchObject({
      BackupDetails: { BackupStatus: 'AVAILABLE' },
      SourceTableDetails: { ItemCount: 1 },
    });
    await ask('DeleteTable', { TableName: 'carts' });
    await pass(60);
    expect((await ask('ListBackups', { TableName: 'carts' })).BackupSummaries).toHaveLength(1);
    await ask('RestoreTableFromBackup', { BackupArn: BackupDetails.BackupArn, TargetTableName: 'carts' });
    await pass(700);
    expect((await ask('DescribeTable', { TableName: 'carts' })).Table.GlobalSecondaryIndexes).toHaveLength(1);
    expect(state().items('carts')).toEqual([{ customer: { S: 'c' }, line: { N: '1' }, sku: { S: 's' } }]);
    await ask('DeleteBackup', { BackupArn: BackupDetails.BackupArn });
    expect(await refused('DescribeBackup', { BackupArn: BackupDetails.BackupArn })).toMatchObject({
      code: 'BackupNotFoundException',
    });
  });

  test('do not agree with the instant of the request: the seed chooses', async () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      world = new World(services, { seed });
      await made();
      await put(account('a', 0));
      await pass(100);
      let BackupArn = '';
      for (let i = 1; i < 120; i++) {
        await put(account('a', i));
        await pass(1);
        if (i === 60) BackupArn = (await ask('CreateBackup', { TableName: 'accounts', BackupName: 'b' })).BackupDetails.BackupArn;
      }
      await pass(200);
      await ask('RestoreTableFromBackup', { BackupArn, TargetTableName: 'again' });
      await pass(700);
      seen.add(byId(state().items('again') as never)['a'] as number);
    }
    expect(Math.min(...seen)).toBeLessThan(50);
    expect(Math.max(...seen)).toBeGreaterThan(61);
  });

  test('a deleted table with recovery leaves one for 35 days', async () => {
    await made(SIMPLE, { recovery: true });
    await put(account('a', 1));
    await ask('DeleteTable', { TableName: 'accounts' });
    const list = async () => (await ask('ListBackups', { BackupType: 'SYSTEM' })).BackupSummaries;
    expect(await list()).toMatchObject([{ BackupName: 'accounts$DeletedTableBackup', BackupStatus: 'AVAILABLE' }]);
    await pass(36 * 86_400);
    expect(await list()).toEqual([]);
  });
});

test('the same seed gives the same answers', async () => {
  const run = async () => {
    world = new World(services, { seed: 'again' });
    const TableArn = await made(SIMPLE, { recovery: true });
    await ask('CreateBucket', { Bucket: 'same-bucket' }, { service: 's3' });
    await put(account('a', 1));
    await pass(400);
    await ask('ExportTableToPointInTime', { TableArn, S3Bucket: 'same-bucket' });
    await pass(1000);
    return [world.journal.digest(), ...(world.state<S3State>('s3', home).peek('same-bucket')?.keys ?? [])];
  };
  expect(await run()).toEqual(await run());
});
