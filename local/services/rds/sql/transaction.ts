import { refuse } from '../../../world/service.ts';
import { Database, type Executed } from './database.ts';
import type { Statement } from './statement.ts';
import type { Store } from './store.ts';

/**
 * What one client does between BeginTransaction and its end, on a copy of its own, so that it sees its own writes and nobody else sees them.
 * It commits if what it saw still holds: otherwise it is run again on what is there now, and where any answer differs it is refused, as
 * PostgreSQL refuses at the isolation level SERIALIZABLE (PostgreSQL, "Transaction Isolation").
 */
export class Transaction {
  readonly store: Store;
  readonly #copy: Database;
  readonly #began: number;
  readonly #done: { readonly statement: Statement; readonly executed: Executed }[] = [];
  /** When it was last used, in milliseconds since the epoch. */
  usedAt: number;

  constructor(store: Store, now: number) {
    this.store = store;
    this.#copy = new Database(store.image());
    this.#began = store.version;
    this.usedAt = now;
  }

  run(statements: readonly Statement[]): Executed[] {
    return statements.map((statement) => {
      const executed = this.#copy.run(statement);
      this.#done.push({ statement, executed });
      return executed;
    });
  }

  commit(now: number): void {
    this.#copy.close();
    if (!this.#done.some(({ executed }) => executed.wrote)) return;
    const moved = this.store.version !== this.#began;
    const statements = this.#done.map(({ statement }) => statement);
    const seen = this.#done.map(({ executed }) => answerOf(executed));
    this.store.commit(statements, now, (again) => {
      if (moved && again.some((executed, i) => answerOf(executed) !== seen[i]))
        refuse('DatabaseErrorException', 'ERROR: could not serialize access due to concurrent update; SQLState: 40001');
    });
  }

  rollback(): void {
    this.#copy.close();
  }
}

const answerOf = ({ rows, changes, lastId }: Executed): string =>
  JSON.stringify([rows, changes, lastId], (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
