import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { sha256, stagingBucket } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { definitionOf } from './definition.ts';
import { describeTable, describing } from './discover.ts';
import { tableArn, tableNameOf } from './table.ts';

const { again, read } = calls('dynamodb', DynamoDBClient);

const seeding = {
  ...describing,
  create: again(CreateTableCommand),
  put: again(PutItemCommand),
  setBackups: again(UpdateContinuousBackupsCommand),
  setTimeToLive: again(UpdateTimeToLiveCommand),
};

/** One table as most are, and one with a local index, which only writes can bring back. */
async function seed(aws: Door<typeof seeding>, { name, tags }: Seed, scene: Scene): Promise<Seeded> {
  const names = [`${name}-carts`, `${name}-orders`];
  await Promise.all(names.map((table, i) => makeTable(aws, table, tags, i === 1, scene)));
  return { ids: names.map((table) => tableArn(scene.here, table)) };
}

async function makeTable(
  aws: Door<typeof seeding>,
  TableName: string,
  tags: Seed['tags'],
  local: boolean,
  { clock }: Scene,
): Promise<void> {
  await aws.create({
    TableName,
    AttributeDefinitions: ['id', 'line', 'owner'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: keys('id', 'line'),
    BillingMode: 'PAY_PER_REQUEST',
    GlobalSecondaryIndexes: [{ IndexName: 'by-owner', KeySchema: keys('owner', 'id'), Projection: { ProjectionType: 'ALL' } }],
    ...(local
      ? {
          LocalSecondaryIndexes: [
            { IndexName: 'by-line-owner', KeySchema: keys('id', 'owner'), Projection: { ProjectionType: 'KEYS_ONLY' as const } },
          ],
        }
      : {}),
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    Tags: Object.entries({ ...tags, table: TableName }).map(([Key, Value]) => ({ Key, Value })),
  });
  await waitFor(
    clock,
    `Table ${TableName}`,
    async () => (await describeTable(aws, TableName))?.table.TableStatus === 'ACTIVE' || undefined,
  );
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 14 };
  await aws.setBackups({ TableName, PointInTimeRecoverySpecification });
  await aws.setTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'until' } });
  for (let i = 0; i < 30; i++) await aws.put({ TableName, Item: itemOf(i) });
}

const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  { AttributeName: range, KeyType: 'RANGE' as const },
];

/** Every type, with what is easily lost on the way: 38 digits, bytes, empty strings, nesting. */
const itemOf = (i: number): Record<string, AttributeValue> => ({
  id: { S: `item-${i % 10}` },
  line: { S: String(i) },
  owner: { S: `owner-${i % 3}` },
  amount: { N: '12345678901234567890.123456789012345678' },
  bytes: { B: Buffer.from([0, i, 255, 128]) },
  several: { BS: [Buffer.from([i]), Buffer.from([i, i])] },
  numbers: { NS: ['1', '2.5', String(i + 100)] },
  nothing: { NULL: true },
  empty: { S: '' },
  deep: { M: { list: { L: [{ N: String(i) }, { BOOL: false }, { B: Buffer.from('x') }] } } },
});

const reading = { ...describing, scan: read(ScanCommand) };

/** Every item, and all of the definition but what a name decides. */
async function fingerprint(aws: Door<typeof reading>, arn: string): Promise<string> {
  const TableName = tableNameOf(arn);
  const described = await describeTable(aws, TableName);
  const { tags, ...definition } = definitionOf(described!);
  const own = Object.entries(tags).filter(([key]) => !Object.values<string>(TAG).includes(key));
  const items: string[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await aws.scan({ TableName, ConsistentRead: true, ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}) });
    for (const item of page.Items ?? []) items.push(JSON.stringify(plain(item)));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return JSON.stringify([definition, own.sort(), items.length, sha256(items.sort().join('\n'))]);
}

/** In one order, bytes as text, sets sorted. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, /^[SNB]S$/.test(key) ? (plain(one) as string[]).toSorted() : plain(one)]),
  );
}

export default proof({
  seed: verb(seeding, seed),
  mutate: verb({ put: again(PutItemCommand) }, async (aws, arn) => {
    await aws.put({ TableName: tableNameOf(arn), Item: { ...itemOf(3), owner: { S: 'someone else' } } });
    await aws.put({ TableName: tableNameOf(arn), Item: { id: { S: 'late' }, line: { S: 'late' }, owner: { S: 'late' } } });
  }),
  fingerprint: verb(reading, fingerprint),
  destroy: verb({ remove: again(DeleteTableCommand), ...describing }, async (aws, arn, { clock }) => {
    const TableName = tableNameOf(arn);
    await aws.remove({ TableName }).catch(when('ResourceNotFoundException', () => undefined));
    await waitFor(clock, `The end of ${TableName}`, async () => ((await describeTable(aws, TableName)) ? undefined : true));
  }),
  /** An export that someone else put into the same bucket, under a key of their own. */
  foreign: verb({ put: calls('s3', S3Client).again(PutObjectCommand) }, async (aws, arn, { here }) => {
    const Bucket = stagingBucket(here);
    const prefix = `reports/${tableNameOf(arn)}/daily/1/table`;
    await aws.put({ Bucket, Key: `${prefix}/AWSDynamoDB/1/manifest-summary.json`, Body: '{}' });
    return `arn:aws:s3:::${Bucket}/${prefix}`;
  }),
});
