import { Database, type Executed } from './database.ts';
import { History } from './history.ts';
import type { Statement } from './statement.ts';

/** What an instance holds, and held: a live database and its history. */
export class Store {
  history: History;
  /** Rises with every commit. */
  version = 0;
  #database: Database;
  readonly #watching = new Set<() => void>();

  constructor(now: number, image?: Uint8Array) {
    this.#database = new Database(image);
    this.history = new History(this.#database.image(), now);
  }

  image(): Uint8Array {
    return this.#database.image();
  }

  /** Begins with what an image holds, as a restored instance does; before that there was nothing. */
  fill(image: Uint8Array, now: number): void {
    this.#tell();
    this.#database.close();
    this.#database = new Database(image);
    this.history = new History(this.#database.image(), now);
    this.version++;
  }

  /** Runs statements together, and commits what they wrote unless `check` throws. */
  commit(statements: readonly Statement[], now: number, check: (executed: readonly Executed[]) => void = () => {}): Executed[] {
    this.#tell();
    const executed = this.#database.runTogether(statements, check);
    const wrote = statements.filter((_, i) => executed[i]?.wrote);
    if (wrote.length > 0) {
      this.version++;
      this.history.note({ at: now, statements: wrote }, this.#database);
    }
    return executed;
  }

  /** What the last of some statements would give after the others: nothing of it stays. */
  tryOut(statements: readonly Statement[]): Executed {
    return this.#database.tryOut(statements);
  }

  /** Has `told` run before anything changes, until what is answered is called. */
  beforeCommit(told: () => void): () => void {
    this.#watching.add(told);
    return () => void this.#watching.delete(told);
  }

  #tell(): void {
    for (const told of this.#watching) told();
  }

  /** Asks what is there now; writes are refused by not being kept. */
  query(sql: string): Executed {
    return queried(this.image(), sql);
  }

  close(): void {
    this.#database.close();
  }
}

/** Asks an image. */
export function queried(image: Uint8Array, sql: string): Executed {
  const database = new Database(image);
  try {
    return database.run({ sql, parameters: {}, at: 0, seed: 'query' });
  } finally {
    database.close();
  }
}
