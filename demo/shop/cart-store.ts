import { when } from '../../functions/aws/errors.ts';
import type { DynamoDbState } from '../../local/services/dynamodb/state.ts';
import type { Random } from '../../local/world/random.ts';
import { COUNTER, cart, type Item, MAINTENANCE, readItems } from './cart-items.ts';
import { type ShopDoor, type Site, until } from './door.ts';
import type { Reading, Sort, Store, Transfer } from './store.ts';
import type { Trace } from './traces.ts';

/** The table of carts: each transfer moves a balance, leaves a record and is counted, in one transaction. */
class CartStore implements Store {
  readonly #table: string;
  readonly #site: Site;
  readonly #aws: ShopDoor;
  readonly #carts: readonly string[];

  constructor(site: Site, table: string, carts: readonly string[]) {
    this.#table = table;
    this.#site = site;
    this.#aws = site.aws;
    this.#carts = carts;
  }

  /** Puts the carts into the table, and the counter. */
  async fill(random: Random): Promise<void> {
    const items: Item[] = [{ id: { S: COUNTER }, count: { N: '0' } }, ...this.#carts.map((id) => cart(id, random))];
    await Promise.all(items.map((Item) => this.#aws.putItem({ TableName: this.#table, Item })));
  }

  payer(random: Random, cents: number) {
    return { payer: random.pick(this.#carts), cents };
  }

  debit({ id, payer, cents, to }: Transfer): Promise<boolean> {
    return this.#move({ cart: payer, cents: -cents, transfer: id, does: 'debit', other: to });
  }

  async credit({ id, cents, from }: Transfer, random: Random): Promise<void> {
    await this.#move({ cart: random.pick(this.#carts), cents, transfer: id, does: 'credit', other: from });
  }

  async position(): Promise<string> {
    const { Item } = await this.#aws.getItem({ TableName: this.#table, Key: { id: { S: COUNTER } }, ConsistentRead: true });
    return `transfers ${Item?.['count']?.N ?? 0}`;
  }

  truthAt(at: Date): Reading {
    const { world, place } = this.#site;
    return readItems(world.state<DynamoDbState>('dynamodb', place).itemsAt(this.#table, at) as readonly Item[]);
  }

  async #move({ cart, cents, transfer, does, other }: CartMove): Promise<boolean> {
    const id = `transfer#${transfer}`;
    const TableName = this.#table;
    try {
      await this.#aws.transact({
        TransactItems: [
          {
            Update: {
              TableName,
              Key: { id: { S: cart } },
              UpdateExpression: 'SET balance = balance + :cents, touched = :transfer',
              ConditionExpression: 'balance >= :least',
              ExpressionAttributeValues: {
                ':cents': { N: String(cents) },
                ':least': { N: String(Math.max(0, -cents)) },
                ':transfer': { S: transfer },
              },
            },
          },
          {
            Put: {
              TableName,
              Item: {
                id: { S: id },
                kind: { S: 'transfer' },
                does: { S: does },
                cart: { S: cart },
                cents: { N: String(Math.abs(cents)) },
                other: { S: other },
              },
              ConditionExpression: 'attribute_not_exists(id)',
            },
          },
          {
            Update: {
              TableName,
              Key: { id: { S: COUNTER } },
              UpdateExpression: 'ADD #count :one',
              ExpressionAttributeNames: { '#count': 'count' },
              ExpressionAttributeValues: { ':one': { N: '1' } },
            },
          },
        ],
      });
      return true;
    } catch (error) {
      return await when('TransactionCanceledException', (cancelled) => this.#moved(id, cancelled))(error);
    }
  }

  /** A cancelled transaction was done before (its answer was lost), or the cart has not enough, or another was in the way. */
  async #moved(id: string, cancelled: Error): Promise<boolean> {
    const { Item } = await this.#aws.getItem({ TableName: this.#table, Key: { id: { S: id } }, ConsistentRead: true });
    if (Item) return true;
    const reasons = (cancelled as Error & { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? [];
    if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;
    throw Object.assign(new Error(cancelled.message), { name: 'TransactionInProgressException' });
  }
}

interface CartMove {
  readonly cart: string;
  readonly cents: number;
  readonly transfer: string;
  readonly does: 'debit' | 'credit';
  readonly other: string;
}

async function scan(aws: ShopDoor, TableName: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let from: { ExclusiveStartKey?: Item } | undefined = {}; from; ) {
    const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await aws.scan({ TableName, ConsistentRead: true, ...from });
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey ? { ExclusiveStartKey: page.LastEvaluatedKey } : undefined;
  }
  return items;
}

/** The control item of a table. */
const controlItem = ({ aws }: Site, TableName: string): Trace => {
  const Key = { id: { S: MAINTENANCE } };
  return {
    where: `the item ${MAINTENANCE} of ${TableName}`,
    leave: async ({ cut, restorePoint }) => {
      await aws.putItem({ TableName, Item: { ...Key, cut: { S: cut }, restorePoint: { S: restorePoint } } });
    },
    undo: async () => {
      await aws.deleteItem({ TableName, Key });
    },
    stands: async () => (await aws.getItem({ TableName, Key, ConsistentRead: true })).Item !== undefined,
  };
};

async function make({ aws, clock }: Site): Promise<string> {
  const TableName = 'shop-carts';
  await aws.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'kind', AttributeType: 'S' },
    ],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-kind',
        KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    Tags: [{ Key: 'app', Value: 'shop' }],
  });
  await active({ aws, clock }, TableName);
  await aws.updateContinuousBackups({ TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
  await aws.updateTimeToLive({ TableName, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } });
  return TableName;
}

const active = ({ aws, clock }: Pick<Site, 'aws' | 'clock'>, TableName: string): Promise<true> =>
  until(clock, 2, async () => (await aws.describeTable({ TableName })).Table?.TableStatus === 'ACTIVE' || undefined, 2000);

/** Its log can be asked for any second; this is the one that the schedule of its own backups would ask for. */
async function backUp({ aws, clock }: Site, SourceTableName: string, label: string): Promise<() => Promise<string>> {
  const RestoreDateTime = new Date(Math.floor(clock.now() / 1000) * 1000);
  const TargetTableName = `${SourceTableName}-${label}`;
  return async () => {
    await until(clock, 15, async () => {
      const { ContinuousBackupsDescription } = await aws.describeContinuousBackups({ TableName: SourceTableName });
      const latest = ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.LatestRestorableDateTime;
      return (latest !== undefined && latest >= RestoreDateTime) || undefined;
    });
    await aws.restoreTable({ SourceTableName, TargetTableName, RestoreDateTime });
    await active({ aws, clock }, TargetTableName);
    return TargetTableName;
  };
}

async function eat({ aws }: Site, TableName: string): Promise<string> {
  const { Items = [] } = await aws.scan({
    TableName,
    FilterExpression: 'begins_with(id, :cart)',
    ExpressionAttributeValues: { ':cart': { S: 'cart-' } },
    ProjectionExpression: 'id',
  });
  await Promise.all(Items.map((item) => aws.deleteItem({ TableName, Key: { id: item['id']! } })));
  return `${Items.length} carts were deleted from ${TableName}.`;
}

export const carts: Sort<'table'> = {
  word: 'table',
  arn: ({ account, region }, name) => `arn:aws:dynamodb:${region}:${account}:table/${name}`,
  make,
  async open(name, { site, stock, random }) {
    const store = new CartStore(
      site,
      name,
      Array.from({ length: stock.carts }, (_, i) => `cart-${i + 1}`),
    );
    await store.fill(random);
    return store;
  },
  read: async ({ aws }, name) => readItems(await scan(aws, name)),
  trace: controlItem,
  eat,
  backUp,
};
