import type { Place } from '../../functions/domain.ts';
import { queried } from '../../local/services/rds/sql/store.ts';
import type { ShopDoor, Site } from './door.ts';
import { type Reading, type StoredHalf, sumOf } from './store.ts';

export const SCHEMA = [
  'CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents >= 0), placed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)',
  'CREATE TABLE payments (transfer TEXT PRIMARY KEY, does TEXT NOT NULL, order_id TEXT NOT NULL REFERENCES orders (id), cents INTEGER NOT NULL, other TEXT NOT NULL)',
  'CREATE TABLE maintenance (cut TEXT PRIMARY KEY, restore_point TEXT NOT NULL)',
];

type Parameters = Readonly<Record<string, string | number>>;

/** One database of the shop's, asked through the RDS Data API, which for instances is an extension of the local AWS. */
export class Sql {
  readonly #aws: ShopDoor;
  readonly #database: { readonly resourceArn: string; readonly secretArn: string };

  constructor({ aws, place }: Pick<Site, 'aws' | 'place'>, instance: string) {
    this.#aws = aws;
    const secretArn = `arn:aws:secretsmanager:${place.region}:${place.account}:secret:shop-orders`;
    this.#database = { resourceArn: arnOf(place, instance), secretArn };
  }

  /** How many rows it changed. */
  async change(sql: string, parameters: Parameters = {}, transactionId?: string): Promise<number> {
    const asked = { ...this.#database, sql, parameters: parametersOf(parameters), ...(transactionId ? { transactionId } : {}) };
    return (await this.#aws.executeSql(asked)).numberOfRecordsUpdated ?? 0;
  }

  async rows(sql: string, parameters: Parameters = {}): Promise<Row[]> {
    const asked = { ...this.#database, sql, parameters: parametersOf(parameters), formatRecordsAs: 'JSON' as const };
    return JSON.parse((await this.#aws.executeSql(asked)).formattedRecords ?? '[]') as Row[];
  }

  async begin(): Promise<string> {
    return (await this.#aws.beginSql(this.#database)).transactionId!;
  }

  async commit(transactionId: string): Promise<void> {
    await this.#aws.commitSql({ ...this.#database, transactionId });
  }

  async rollBack(transactionId: string): Promise<void> {
    await this.#aws.rollBackSql({ ...this.#database, transactionId });
  }
}

const parametersOf = (parameters: Parameters) =>
  Object.entries(parameters).map(([name, value]) => ({
    name,
    value: typeof value === 'number' ? { longValue: value } : { stringValue: value },
  }));

/** Everything that the database holds, in one shape. */
const EVERYTHING = [
  "SELECT 'maintenance' AS what, cut AS id, restore_point AS who, 0 AS cents, '' AS other, '' AS more FROM maintenance",
  "SELECT 'order', id, customer, cents, '', placed FROM orders",
  "SELECT 'payment', transfer, does, cents, other, order_id FROM payments",
].join(' UNION ALL ');
const COLUMNS = ['what', 'id', 'who', 'cents', 'other', 'more'] as const;
/** The Data API answers up to 1 MiB at a time (Aurora guide, "Using RDS Data API", "Limitations"). */
const PAGE = 2000;

interface Row {
  readonly what: string;
  readonly id: string;
  readonly who: string;
  readonly cents: number;
  readonly other: string;
  readonly more: string;
}

export async function everyRow(sql: Sql): Promise<Row[]> {
  const rows: Row[] = [];
  for (let page: Row[] | undefined; page === undefined || page.length === PAGE; rows.push(...page))
    page = await sql.rows(`${EVERYTHING} ORDER BY 1, 2 LIMIT ${PAGE} OFFSET :from`, { from: rows.length });
  return rows;
}

export const rowsIn = (image: Uint8Array): Row[] =>
  queried(image, `${EVERYTHING} ORDER BY 1, 2`).rows.map(
    (row) =>
      Object.fromEntries(
        COLUMNS.map((name, i) => [name, typeof row[i] === 'bigint' ? Number(row[i]) : row[i]]),
      ) as unknown as Row,
  );

export function readRows(rows: readonly Row[]): Reading {
  const kept = rows.filter(({ what }) => what !== 'maintenance');
  const halves = kept.flatMap(({ what, id, who, cents, other }): StoredHalf[] =>
    what === 'payment' ? [{ transfer: id, does: who as StoredHalf['does'], other, cents }] : [],
  );
  return {
    held: new Map(kept.map((row) => [`${row.what} ${row.id}`, JSON.stringify(COLUMNS.map((name) => row[name]))])),
    halves,
    cents: sumOf(kept.map(({ what, cents }) => (what === 'order' ? cents : 0))),
    frozen: kept.length < rows.length,
  };
}

export const arnOf = ({ account, region }: Place, name: string): string => `arn:aws:rds:${region}:${account}:db:${name}`;
