import type * as SDK from '@aws-sdk/client-dynamodb';
import { refuse } from '../../world/service.ts';
import { compare, type Item, keyText, sizeOf, stored, type Value, validation } from './value.ts';

/** One change, in the order of acceptance: what PITR remembers. */
export interface Change {
  readonly at: number;
  /** Changes of one transaction share this. */
  readonly transaction?: string;
  readonly key: string;
  /** Absent for a delete. */
  readonly item?: Item;
}

export interface Schema {
  readonly hash: string;
  readonly range?: string;
}

/** A table's definition, its items, and the log of every change to them. */
export class Table {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly schema: Schema;
  attributes: readonly SDK.AttributeDefinition[];
  globalIndexes: readonly SDK.GlobalSecondaryIndex[];
  readonly localIndexes: readonly SDK.LocalSecondaryIndex[];
  billing: SDK.BillingMode;
  throughput: SDK.ProvisionedThroughput | undefined;
  stream: (SDK.StreamSpecification & { readonly label: string }) | undefined;
  encryption: SDK.SSESpecification | undefined;
  deletionProtection: boolean;
  tableClass: SDK.TableClass;
  status: SDK.TableStatus = 'CREATING';
  tags: Record<string, string>;
  ttl: SDK.TimeToLiveSpecification | undefined;
  /** Since when point-in-time recovery is on, and how many days back it reaches. */
  recovery: { readonly since: number; readonly days: number } | undefined;
  restoredFrom: SDK.RestoreSummary | undefined;
  readonly #items = new Map<string, Item>();
  readonly #log: Change[] = [];

  constructor(
    made: Pick<
      Table,
      'name' | 'id' | 'arn' | 'createdAt' | 'schema' | 'attributes' | 'globalIndexes' | 'localIndexes' | 'billing' | 'tags'
    > &
      Partial<Table>,
  ) {
    this.name = made.name;
    this.id = made.id;
    this.arn = made.arn;
    this.createdAt = made.createdAt;
    this.schema = made.schema;
    this.attributes = made.attributes;
    this.globalIndexes = made.globalIndexes;
    this.localIndexes = made.localIndexes;
    this.billing = made.billing;
    this.tags = made.tags;
    this.throughput = made.throughput;
    this.stream = made.stream;
    this.encryption = made.encryption;
    this.deletionProtection = made.deletionProtection ?? false;
    this.tableClass = made.tableClass ?? 'STANDARD';
  }

  /** Under which text an item is kept; refuses one whose key is missing or of another type. */
  keyOf(item: Item, { exact = false } = {}): string {
    const { hash, range } = this.schema;
    for (const name of range ? [hash, range] : [hash]) {
      const type = this.attributes.find(({ AttributeName }) => AttributeName === name)?.AttributeType as string;
      const value = item[name] as Record<string, unknown> | undefined;
      if (value === undefined)
        validation(
          exact
            ? 'The provided key element does not match the schema'
            : `One or more parameter values were invalid: Missing the key ${name} in the item`,
        );
      if (value?.[type] === undefined)
        validation(
          exact
            ? 'The provided key element does not match the schema'
            : `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type}`,
        );
      if (value?.[type] === '')
        validation(
          'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ' +
            name,
        );
    }
    if (exact && Object.keys(item).length !== (range ? 2 : 1)) validation('The provided key element does not match the schema');
    return `${keyText(item[hash])}\u0000${range ? keyText(item[range]) : ''}`;
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  get count(): number {
    return this.#items.size;
  }

  write(key: string, item: Item | undefined, at: number, transaction?: string): void {
    const kept = item && (Object.fromEntries(Object.entries(item).map(([name, value]) => [name, stored(value)])) as Item);
    if (kept && sizeOf(kept) > 400 * 1024) validation('Item size has exceeded the maximum allowed size');
    if (kept) this.#items.set(key, kept);
    else this.#items.delete(key);
    this.#log.push({ at, key, ...(kept ? { item: kept } : {}), ...(transaction === undefined ? {} : { transaction }) });
  }

  /** Every item as it was when the changes that `included` accepts had been made. */
  itemsWhere(included: (change: Change) => boolean): Item[] {
    const items = new Map<string, Item>();
    for (const change of this.#log) {
      if (!included(change)) continue;
      if (change.item) items.set(change.key, change.item);
      else items.delete(change.key);
    }
    return [...items.values()];
  }

  changesBetween(from: number, to: number): Change[] {
    return this.#log.filter(({ at }) => at >= from && at < to);
  }

  /** The schema of an index, or of the table itself. */
  index(name: string | undefined): { schema: Schema; has: (item: Item) => boolean } {
    if (name === undefined) return { schema: this.schema, has: () => true };
    const found = [...this.globalIndexes, ...this.localIndexes].find(({ IndexName }) => IndexName === name);
    if (!found) validation(`The table does not have the specified index: ${name}`);
    const schema = schemaOf(found!.KeySchema);
    return { schema, has: (item) => item[schema.hash] !== undefined && (!schema.range || item[schema.range] !== undefined) };
  }
}

export function schemaOf(keys: readonly SDK.KeySchemaElement[] | undefined): Schema {
  const hash = keys?.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
  const range = keys?.find(({ KeyType }) => KeyType === 'RANGE')?.AttributeName;
  if (hash === undefined)
    return refuse('ValidationException', 'Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  return { hash, ...(range === undefined ? {} : { range }) };
}

/** Sorts as a query answers: by the range key, then by whole key so that paging is stable. */
export const byRange =
  ({ range }: Schema, keyOf: (item: Item) => string) =>
  (a: Item, b: Item): number => {
    const order = range ? compare(a[range] as Value, b[range] as Value) : 0;
    return order || (keyOf(a) < keyOf(b) ? -1 : 1);
  };
