import { refuse } from '../../../world/service.ts';
import { Database, type Executed } from './database.ts';
import type { Statement } from './statement.ts';
import type { Store } from './store.ts';

/** Up to so many statements are run again for each further one; beyond, a copy is cheaper. */
const RUN_AGAIN = 16;

/**
 * What one client does between BeginTransaction and its end, so that it sees its own writes and nobody else sees them: its statements are run on
 * the database and undone, as often as it asks; once another commits, on a copy of what was there before. It commits if what it saw still holds:
 * otherwise it is run again on what is there now, and where any answer differs it is refused, as PostgreSQL refuses at the isolation level
 * SERIALIZABLE (PostgreSQL, "Transaction Isolation").
 */
export class Transaction {
  readonly store: Store;
  #copy: Database | undefined;
  readonly #began: number;
  readonly #done: { readonly statement: Statement; readonly executed: Executed }[] = [];
  readonly #leave: () => void;
  /** When it was last used, in milliseconds since the epoch. */
  usedAt: number;

  constructor(store: Store, now: number) {
    this.store = store;
    this.#began = store.version;
    this.#leave = store.beforeCommit(() => this.#part());
    this.usedAt = now;
  }

  run(statements: readonly Statement[]): Executed[] {
    return statements.map((statement) => {
      if (this.#done.length >= RUN_AGAIN) this.#part();
      const executed = this.#copy ? this.#copy.run(statement) : this.store.tryOut([...this.#statements(), statement]);
      this.#done.push({ statement, executed });
      return executed;
    });
  }

  commit(now: number): void {
    this.#end();
    if (!this.#done.some(({ executed }) => executed.wrote)) return;
    const moved = this.store.version !== this.#began;
    const seen = this.#done.map(({ executed }) => answerOf(executed));
    this.store.commit(this.#statements(), now, (again) => {
      if (moved && again.some((executed, i) => answerOf(executed) !== seen[i]))
        refuse('DatabaseErrorException', 'ERROR: could not serialize access due to concurrent update; SQLState: 40001');
    });
  }

  rollback(): void {
    this.#end();
  }

  #statements(): Statement[] {
    return this.#done.map(({ statement }) => statement);
  }

  /** From now on it goes on alone, from what is there and what it has done. */
  #part(): void {
    if (this.#copy) return;
    this.#copy = new Database(this.store.image());
    for (const statement of this.#statements()) this.#copy.run(statement);
  }

  #end(): void {
    this.#leave();
    this.#copy?.close();
  }
}

const answerOf = ({ rows, changes, lastId }: Executed): string =>
  JSON.stringify([rows, changes, lastId], (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
