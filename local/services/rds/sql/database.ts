import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { replaceAmbient } from './functions.ts';
import { type Statement, sqlError, type Value } from './statement.ts';

export interface Column {
  readonly name: string;
  readonly table: string | null;
  readonly type: string | null;
}

/** What running a statement gave. */
export interface Executed {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
  /** Whether it changed anything: then it belongs into the log. */
  readonly wrote: boolean;
  readonly changes: number;
  /** The row that an insert made; 0 for everything else. */
  readonly lastId: bigint;
}

const DEFINES = /^(create|alter|drop)\b/i;
const INSERTS = /^(insert|replace)\b/i;

/** A database in memory. What it holds follows from its image and the statements run on it, and from nothing else. */
export class Database {
  readonly #sqlite: DatabaseSync;
  readonly #counts: StatementSync;
  #running: Statement = { sql: '', parameters: {}, at: 0, seed: '' };

  /** Opens a copy of an image, or an empty database. */
  constructor(image?: Uint8Array) {
    this.#sqlite = new DatabaseSync(':memory:');
    if (image) this.#sqlite.deserialize(image);
    replaceAmbient(this.#sqlite, () => this.#running);
    this.#counts = this.#sqlite.prepare('SELECT total_changes() AS total, changes() AS last, last_insert_rowid() AS id');
    this.#counts.setReadBigInts(true);
  }

  /** Runs one statement. What SQLite refuses is an error of the database. */
  run(statement: Statement): Executed {
    this.#running = statement;
    const before = this.#total();
    const prepared = guarded(() => this.#sqlite.prepare(statement.sql));
    prepared.setReadBigInts(true);
    prepared.setReturnArrays(true);
    prepared.setAllowUnknownNamedParameters(true);
    const rows = guarded(() => prepared.all(statement.parameters as never)) as unknown as Value[][];
    const columns = prepared.columns().map(({ name, table, type }) => ({ name, table, type }));
    const { total, last, id } = this.#counts.get() as { total: bigint; last: bigint; id: bigint };
    const changed = total !== before;
    return {
      columns,
      rows,
      wrote: changed || DEFINES.test(statement.sql),
      changes: changed ? Number(last) : 0,
      lastId: INSERTS.test(statement.sql) ? id : 0n,
    };
  }

  /** Runs all of them or, where one fails or `check` throws, none. */
  runTogether(statements: readonly Statement[], check: (executed: readonly Executed[]) => void = () => {}): Executed[] {
    this.#sqlite.exec('BEGIN');
    try {
      const executed = statements.map((statement) => this.run(statement));
      check(executed);
      this.#sqlite.exec('COMMIT');
      return executed;
    } catch (error) {
      this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  /** What the last of some statements gives after the others; then all is as it was. */
  tryOut(statements: readonly Statement[]): Executed {
    this.#sqlite.exec('BEGIN');
    try {
      return statements.map((statement) => this.run(statement)).at(-1)!;
    } finally {
      this.#sqlite.exec('ROLLBACK');
    }
  }

  /** Everything that it holds, as bytes. */
  image(): Uint8Array {
    return this.#sqlite.serialize();
  }

  close(): void {
    this.#sqlite.close();
  }

  #total(): bigint {
    return (this.#counts.get() as { total: bigint }).total;
  }
}

function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    return sqlError((error as Error).message);
  }
}
