import type * as SDK from '@aws-sdk/client-dynamodb';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Backup } from './backups.ts';
import type { Table } from './table.ts';
import type { Item } from './value.ts';

/** Something asked for under a token, which answers the same to the same question for a while. */
export interface Asked<Description> {
  readonly description: Description;
  readonly token: string | undefined;
  readonly asked: string;
  readonly at: number;
}

/** The tables of a region of an account, what was exported and imported there, and the backups. */
export class DynamoDbState {
  readonly exports = new Map<string, Asked<SDK.ExportDescription>>();
  readonly imports = new Map<string, Asked<SDK.ImportTableDescription>>();
  readonly backups = new Map<string, Backup>();
  /** Tokens of transactions, for ten minutes (TransactWriteItems API, ClientRequestToken). */
  readonly transactions = new Map<string, { readonly asked: string; readonly at: number }>();
  readonly world: World;
  readonly place: Place;
  readonly #tables = new Map<string, Table>();
  readonly #gone: Table[] = [];

  constructor({ account, region, world }: StateContext) {
    this.world = world;
    this.place = { account, region };
  }

  get tables(): readonly Table[] {
    return [...this.#tables.values()];
  }

  arn(name: string): string {
    return `arn:aws:dynamodb:${this.place.region}:${this.place.account}:table/${name}`;
  }

  add(table: Table): void {
    this.#tables.set(table.name, table);
  }

  drop(table: Table): void {
    table.deletedAt = this.world.clock.now();
    this.#gone.push(table);
    this.#tables.delete(table.name);
  }

  /** A table of this place by name or ARN, if there is one. */
  peek(name: string | undefined): Table | undefined {
    const ours = this.arn('');
    if (name?.startsWith(ours)) return this.#tables.get(name.slice(ours.length).split('/')[0] as string);
    return this.#tables.get(name ?? '');
  }

  /** A table by name or ARN, whatever its status. */
  table(name: string | undefined): Table {
    return (
      this.peek(name) ?? refuse('ResourceNotFoundException', `Requested resource not found: Table: ${nameIn(name)} not found`)
    );
  }

  /** A table whose items can be read and written. */
  active(name: string | undefined): Table {
    const table = this.peek(name);
    if (!table || table.status === 'CREATING' || table.status === 'DELETING')
      return refuse('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  /** A table as the operations of backup and restore speak of it. */
  source(name: string | undefined): Table {
    return this.peek(name) ?? refuse('TableNotFoundException', `Table not found: ${nameIn(name)}`);
  }

  /** What a table holds now, for those who look from outside. */
  items(name: string): readonly Item[] {
    return this.table(name).items;
  }

  /** What the table of this name truly held at an instant, to the millisecond; nothing where there was none. */
  itemsAt(name: string, at: Date): readonly Item[] {
    const time = at.getTime();
    const then = [...this.#gone, ...this.tables].find(
      (table) => table.name === name && table.createdAt.getTime() <= time && time < (table.deletedAt ?? Number.POSITIVE_INFINITY),
    );
    return then ? [...then.history.at(time).values()] : [];
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return this.tables.map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const table = this.tables.find((one) => one.arn === arn);
    if (table) Object.assign(table.tags, tags);
    return table !== undefined;
  }
}

/** The state of the place that an ARN names, which must be alive, or the one at hand for a bare name. */
export function stateOf(arnOrName: string | undefined, here: DynamoDbState): DynamoDbState {
  const [, , , region, account] = arnOrName?.split(':') ?? [];
  if (!region || account !== here.place.account || region === here.place.region) return here;
  if (here.world.dark.has(region))
    return refuse('InternalServerError', `The source region ${region} is not available.`, { status: 500 });
  return here.world.state<DynamoDbState>('dynamodb', { account, region });
}

const nameIn = (text = ''): string => /:table\/([^/]+)/.exec(text)?.[1] ?? text;

/** How long a token of an export or an import stands for what it asked (ExportTableToPointInTime API, ClientToken). */
const TOKEN_MILLIS = 8 * 3_600_000;

/** What was asked under this token and not too long ago. */
export function earlier<Description>(
  known: ReadonlyMap<string, Asked<Description>>,
  token: string | undefined,
  now: number,
): Asked<Description> | undefined {
  if (token === undefined) return undefined;
  return [...known.values()].findLast((one) => one.token === token && now - one.at < TOKEN_MILLIS);
}
