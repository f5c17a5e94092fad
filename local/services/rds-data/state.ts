import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { type Instance, isUp } from '../rds/instance.ts';
import type { Transaction } from '../rds/sql/transaction.ts';
import type { RdsState } from '../rds/state.ts';

/** A transaction ends after three minutes without use, and after 24 hours in any case (RDS Data API, BeginTransaction). */
const IDLE_MILLIS = 180_000;

interface Asked {
  readonly resourceArn?: string | undefined;
  readonly secretArn?: string | undefined;
  readonly database?: string | undefined;
}

/** The transactions that are open in a region of an account. */
export class DataState {
  readonly transactions = new Map<string, Transaction>();
  readonly world: World;
  readonly #place: Place;

  constructor({ account, region, world }: StateContext) {
    this.world = world;
    this.#place = { account, region };
  }

  /** The instance that is asked, if it can be and has that database. */
  instance({ resourceArn, secretArn, database }: Asked): Instance {
    const instance = this.world.state<RdsState>('rds', this.#place).peek(resourceArn);
    if (!instance || !resourceArn?.startsWith('arn:'))
      return refuse('BadRequestException', `HttpEndpoint is not enabled for ${resourceArn}, or it does not exist here`);
    if (!secretArn) refuse('BadRequestException', 'secretArn is missing');
    if (!isUp(instance))
      refuse('DatabaseUnavailableException', `The database ${instance.id} is ${instance.status}.`, { status: 504 });
    const { settings } = instance;
    if (database !== undefined && database !== settings.database && database !== settings.engine)
      refuse('DatabaseNotFoundException', `database "${database}" does not exist`, { status: 404 });
    return instance;
  }

  transaction(id: string | undefined, instance: Instance): Transaction {
    const found = this.transactions.get(id ?? '');
    const now = this.world.clock.now();
    if (!found || found.store !== instance.store || now - found.usedAt > IDLE_MILLIS) {
      if (found) this.end(id as string).rollback();
      return refuse('TransactionNotFoundException', `Transaction ${id} is not found`, { status: 404 });
    }
    found.usedAt = now;
    return found;
  }

  end(id: string): Transaction {
    const found = this.transactions.get(id) as Transaction;
    this.transactions.delete(id);
    return found;
  }
}
