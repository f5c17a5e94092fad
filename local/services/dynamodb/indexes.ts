import type * as SDK from '@aws-sdk/client-dynamodb';
import { validation } from './refusals.ts';
import type { Table } from './table.ts';
import type { Item } from './value.ts';

export interface Schema {
  readonly hash: string;
  readonly range?: string;
}

export function schemaOf(keys: readonly SDK.KeySchemaElement[] = []): Schema {
  const [first, second] = keys;
  if (first?.AttributeName === undefined || first.KeyType !== 'HASH')
    return validation('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  if (second === undefined) return { hash: first.AttributeName };
  if (second.AttributeName === undefined || second.KeyType !== 'RANGE')
    return validation('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type');
  return { hash: first.AttributeName, range: second.AttributeName };
}

export const keyNames = ({ hash, range }: Schema): string[] => (range === undefined ? [hash] : [hash, range]);

/** What a query or a scan reads: the table itself or one of its indexes. */
export class Index {
  readonly name: string | undefined;
  readonly schema: Schema;
  readonly global: boolean;
  readonly projection: SDK.Projection | undefined;
  readonly #table: Table;

  private constructor(table: Table, made: Pick<Index, 'name' | 'schema' | 'global' | 'projection'>) {
    this.#table = table;
    this.name = made.name;
    this.schema = made.schema;
    this.global = made.global;
    this.projection = made.projection;
  }

  static of(table: Table, name: string | undefined): Index {
    if (name === undefined) return new Index(table, { name, schema: table.schema, global: false, projection: undefined });
    const { globalIndexes, localIndexes } = table.definition;
    const found = [...globalIndexes, ...localIndexes].find(({ IndexName }) => IndexName === name);
    if (!found) return validation(`The table does not have the specified index: ${name}`);
    if (table.filling.has(name)) validation(`Cannot read from backfilling global secondary index: ${name}`);
    const global = globalIndexes.some(({ IndexName }) => IndexName === name);
    return new Index(table, { name, schema: schemaOf(found.KeySchema), global, projection: found.Projection });
  }

  /** Indexes are sparse: an item without the index's keys is not in it. */
  has(item: Item): boolean {
    return keyNames(this.schema).every((name) => item[name] !== undefined);
  }

  get whole(): boolean {
    return this.projection === undefined || this.projection.ProjectionType === 'ALL';
  }

  /** Of an item, what this index holds (DynamoDB guide, "Attribute projections"). */
  show(item: Item): Item {
    if (this.whole) return item;
    const shown = new Set([
      ...keyNames(this.schema),
      ...keyNames(this.#table.schema),
      ...(this.projection?.NonKeyAttributes ?? []),
    ]);
    return Object.fromEntries(Object.entries(item).filter(([name]) => shown.has(name)));
  }

  /** What says where in this index an item stands. */
  keyIn(item: Item): Item {
    const names = new Set([...keyNames(this.#table.schema), ...keyNames(this.schema)]);
    return Object.fromEntries([...names].flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
  }
}
