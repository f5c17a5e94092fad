import type * as SDK from '@aws-sdk/client-dynamodb';
import { History } from './history.ts';
import { Index, type Schema, schemaOf } from './indexes.ts';
import { invalidValue, validation } from './refusals.ts';
import { type Item, keyText, type ScalarType, sizeOf, storedItem, typeOf, type Value } from './value.ts';

const LARGEST_ITEM = 400 * 1024;
const LARGEST_KEY = { hash: 2048, range: 1024 } as const;

/** What of a table can be said before it is made, and is restored with it. Never changed, only replaced. */
export interface Definition {
  readonly name: string;
  readonly keySchema: readonly SDK.KeySchemaElement[];
  readonly attributes: readonly SDK.AttributeDefinition[];
  readonly globalIndexes: readonly SDK.GlobalSecondaryIndex[];
  readonly localIndexes: readonly SDK.LocalSecondaryIndex[];
  readonly billing: SDK.BillingMode;
  readonly throughput: SDK.ProvisionedThroughput | undefined;
  /** The ARN of a KMS key; undefined where DynamoDB's own key encrypts. */
  readonly encryptionKey: string | undefined;
  readonly tableClass: SDK.TableClass;
}

/** A table's definition, its items, and the history of every change to them. */
export class Table {
  definition: Definition;
  readonly id: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly schema: Schema;
  readonly history = new History();
  status: SDK.TableStatus = 'CREATING';
  /** When it went, for those who look from outside. */
  deletedAt: number | undefined;
  /** Indexes that are being filled. */
  readonly filling = new Set<string>();
  stream: (SDK.StreamSpecification & { readonly label: string }) | undefined;
  deletionProtection = false;
  tags: Record<string, string> = {};
  ttl: SDK.TimeToLiveSpecification | undefined;
  /** Since when point-in-time recovery is on, and how many days back it reaches. */
  recovery: { readonly since: number; readonly days: number } | undefined;
  restoredFrom: SDK.RestoreSummary | undefined;
  readonly #items = new Map<string, Item>();
  readonly #partitions = new Map<string, Set<string>>();
  #bytes = 0;
  #scanOrder: readonly string[] | undefined;

  constructor(definition: Definition, { id, arn, createdAt }: Pick<Table, 'id' | 'arn' | 'createdAt'>) {
    this.definition = definition;
    this.id = id;
    this.arn = arn;
    this.createdAt = createdAt;
    this.schema = schemaOf(definition.keySchema);
  }

  get name(): string {
    return this.definition.name;
  }

  typeOf(attribute: string): ScalarType {
    return this.definition.attributes.find(({ AttributeName }) => AttributeName === attribute)?.AttributeType as ScalarType;
  }

  /** Under which text the item with this key is kept; refuses anything that is not exactly a key. */
  keyOfKey(key: Item): string {
    const { hash, range } = this.schema;
    const names = range === undefined ? [hash] : [hash, range];
    const exact = Object.keys(key).length === names.length;
    if (!exact || names.some((name) => !key[name] || typeOf(key[name]) !== this.typeOf(name)))
      validation('The provided key element does not match the schema');
    return this.#text(key);
  }

  /** Under which text an item is kept; refuses one without its key attributes. */
  keyOf(item: Item): string {
    const { hash, range } = this.schema;
    for (const name of range === undefined ? [hash] : [hash, range]) {
      const value = item[name];
      if (!value) return invalidValue(`Missing the key ${name} in the item`);
      if (typeOf(value) !== this.typeOf(name))
        invalidValue(`Type mismatch for key ${name} expected: ${this.typeOf(name)} actual: ${typeOf(value)}`);
    }
    return this.#text(item);
  }

  #text(item: Item): string {
    const { hash, range } = this.schema;
    checkKey(hash, item[hash] as Value, LARGEST_KEY.hash);
    if (range === undefined) return partitionText(item[hash] as Value);
    checkKey(range, item[range] as Value, LARGEST_KEY.range);
    return partitionText(item[hash] as Value) + keyText(item[range]);
  }

  /** An item as it will be stored; refuses what this table cannot keep. */
  storable(item: Item): Item {
    const kept = storedItem(item);
    this.check(kept);
    return kept;
  }

  check(item: Item): void {
    if (sizeOf(item) > LARGEST_ITEM) validation('Item size has exceeded the maximum allowed size');
    for (const { IndexName, KeySchema } of [...this.definition.globalIndexes, ...this.definition.localIndexes]) {
      for (const { AttributeName: name = '' } of KeySchema ?? []) {
        const value = item[name];
        if (value && typeOf(value) !== this.typeOf(name)) {
          invalidValue(
            `Type mismatch for Index Key ${name} Expected: ${this.typeOf(name)} Actual: ${typeOf(value)} IndexName: ${IndexName}`,
          );
        }
      }
    }
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

  get bytes(): number {
    return this.#bytes;
  }

  /** Every item with this hash key, in no order. */
  partition(hash: Value): readonly Item[] {
    return [...(this.#partitions.get(partitionText(hash)) ?? [])].map((key) => this.#items.get(key) as Item);
  }

  /** The keys of all items in the order of a scan: that of a hash of the partition's key, which callers do not know. */
  get scanOrder(): readonly string[] {
    this.#scanOrder ??= [...this.#items.keys()]
      .map((key) => ({ key, position: scanPosition(key) }))
      .sort((a, b) => (a.position < b.position ? -1 : 1))
      .map(({ key }) => key);
    return this.#scanOrder;
  }

  /** Stores an item that `storable` or `check` has let pass, or deletes it. */
  write(key: string, item: Item | undefined, at: number): void {
    const before = this.#items.get(key);
    if (!before && !item) return;
    this.#bytes += (item ? sizeOf(item) : 0) - (before ? sizeOf(before) : 0);
    if (item) this.#items.set(key, item);
    else this.#items.delete(key);
    if (!before || !item) this.#place(key, item !== undefined);
    this.history.note({ at: Math.floor(at), key, ...(item ? { item } : {}) });
  }

  /** Keeps the partitions as the keys are. */
  #place(key: string, present: boolean): void {
    this.#scanOrder = undefined;
    const hash = partitionOf(key);
    const partition = this.#partitions.get(hash) ?? new Set();
    if (present) this.#partitions.set(hash, partition.add(key));
    else if (partition.delete(key) && partition.size === 0) this.#partitions.delete(hash);
  }

  fill(items: readonly Item[], at: number): void {
    for (const item of items) this.write(this.keyOf(item), item, at);
  }

  index(name: string | undefined): Index {
    return Index.of(this, name);
  }
}

function checkKey(name: string, { S, B }: Value, largest: number): void {
  const bytes = S === undefined ? B?.length : Buffer.byteLength(S);
  if (bytes === 0)
    validation(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${S === undefined ? 'binary' : 'string'} value. Key: ${name}`,
    );
  if (bytes !== undefined && bytes > largest)
    invalidValue(
      `Size of ${largest === LARGEST_KEY.hash ? 'hashkey' : 'rangekey'} has exceeded the maximum size limit of${largest} bytes`,
    );
}

/** A hash key's text behind its length, so that no hash key and range key together look like others. */
function partitionText(hash: Value): string {
  const text = keyText(hash);
  return `${text.length}:${text}`;
}

function partitionOf(key: string): string {
  const colon = key.indexOf(':');
  return key.slice(0, colon + 1 + Number(key.slice(0, colon)));
}

/** Where an item comes in a scan. */
export const scanPosition = (key: string): string => `${scanHash(key).toString(16).padStart(8, '0')}${key}`;

/** FNV-1a of the partition's key: items of one partition lie together. */
export function scanHash(key: string): number {
  const text = partitionOf(key);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
