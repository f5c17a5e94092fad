import type * as SDK from '@aws-sdk/client-dynamodb';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import type { Table } from './table.ts';
import type { Item } from './value.ts';

export interface Export {
  readonly description: SDK.ExportDescription & { ExportStatus: SDK.ExportStatus };
  readonly token: string | undefined;
  readonly asked: string;
}

export interface Backup {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly table: Table;
  readonly items: readonly Item[];
}

export class DynamoDbState {
  readonly tables = new Map<string, Table>();
  readonly exports = new Map<string, Export>();
  readonly imports = new Map<string, SDK.ImportTableDescription>();
  readonly backups = new Map<string, Backup>();
  /** Tokens of transactions, for ten minutes (TransactWriteItems API, ClientRequestToken). */
  readonly transactions = new Map<string, { readonly asked: string; readonly until: number }>();
  readonly world: World;
  readonly #account: string;
  readonly #region: string;

  constructor({ account, region, world }: StateContext) {
    this.world = world;
    this.#account = account;
    this.#region = region;
  }

  arn(name: string): string {
    return `arn:aws:dynamodb:${this.#region}:${this.#account}:table/${name}`;
  }

  /** A table by name or ARN, whatever its status. */
  table(name: string | undefined): Table {
    const found = this.peek(name);
    return found ?? refuse('ResourceNotFoundException', `Requested resource not found: Table: ${nameIn(name ?? '')} not found`);
  }

  peek(name: string | undefined): Table | undefined {
    return this.tables.get(nameIn(name ?? ''));
  }

  /** A table whose items can be read and written. */
  active(name: string | undefined): Table {
    const table = this.peek(name);
    if (!table || table.status === 'CREATING') return refuse('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  /** What a table holds now, for those who look from outside. */
  items(name: string): readonly Item[] {
    return this.table(name).items;
  }

  /** What a table truly held at an instant, to the millisecond. */
  itemsAt(name: string, at: Date): readonly Item[] {
    return this.table(name).itemsWhere((change) => change.at <= at.getTime());
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.tables.values()].map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const table = [...this.tables.values()].find((one) => one.arn === arn);
    if (table) Object.assign(table.tags, tags);
    return table !== undefined;
  }
}

const nameIn = (text: string): string => /:table\/([^/]+)/.exec(text)?.[1] ?? text;
