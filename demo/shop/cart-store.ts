import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { when } from '../../functions/aws/errors.ts';
import type { Random } from '../../local/world/random.ts';
import type { ShopDoor } from './door.ts';
import type { Store, Transfer } from './stores.ts';

export type Item = Record<string, AttributeValue>;

/** Keys of items in the table. */
export const COUNTER = 'control#transfers';
export const MAINTENANCE = 'control#maintenance';

/** The table of carts: each transfer moves a balance, leaves a record and is counted, in one transaction. */
export class CartStore implements Store {
  readonly name = 'table';
  readonly resource: string;
  readonly table: string;
  readonly #aws: ShopDoor;
  readonly #carts: readonly string[];

  constructor(options: { resource: string; table: string; aws: ShopDoor; carts: readonly string[] }) {
    this.resource = options.resource;
    this.table = options.table;
    this.#aws = options.aws;
    this.#carts = options.carts;
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
    const { Item } = await this.#aws.getItem({ TableName: this.table, Key: { id: { S: COUNTER } }, ConsistentRead: true });
    return `transfers ${Item?.['count']?.N ?? 0}`;
  }

  async #move({ cart, cents, transfer, does, other }: CartMove): Promise<boolean> {
    const id = `transfer#${transfer}`;
    const TableName = this.table;
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
    const { Item } = await this.#aws.getItem({ TableName: this.table, Key: { id: { S: id } }, ConsistentRead: true });
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
