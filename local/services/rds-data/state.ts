import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { type Cluster, membersOf } from '../rds/clusters/cluster.ts';
import { isUp, type Settings } from '../rds/instance.ts';
import type { Store } from '../rds/sql/store.ts';
import type { Transaction } from '../rds/sql/transaction.ts';
import type { RdsState } from '../rds/state.ts';

/** A transaction ends after three minutes without use, and after 24 hours in any case (RDS Data API, BeginTransaction). */
const IDLE_MILLIS = 180_000;

interface Asked {
  readonly resourceArn?: string | undefined;
  readonly secretArn?: string | undefined;
  readonly database?: string | undefined;
}

/** What answers statements: an instance, or a cluster through its writer. */
export interface Served {
  readonly id: string;
  readonly status: string;
  readonly store: Store;
  readonly settings: Pick<Settings, 'engine' | 'database'>;
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

  /** What is asked, if it can be and has that database. A cluster answers where its HTTP endpoint is enabled and its writer is up (Aurora guide, "Using RDS Data API"). */
  served({ resourceArn, secretArn, database }: Asked): Served {
    const rds = this.world.state<RdsState>('rds', this.#place);
    const cluster = rds.peekCluster(resourceArn);
    const instance = cluster?.settings.httpEndpoint ? writerAsked(cluster, rds) : rds.peek(resourceArn);
    if (!instance || ('cluster' in instance && instance.cluster) || !resourceArn?.startsWith('arn:'))
      return refuse('BadRequestException', `HttpEndpoint is not enabled for ${resourceArn}, or it does not exist here`);
    if (!secretArn) refuse('BadRequestException', 'secretArn is missing');
    if (!isUp(instance))
      refuse('DatabaseUnavailableException', `The database ${instance.id} is ${instance.status}.`, { status: 504 });
    const { settings } = instance;
    if (database !== undefined && database !== settings.database && database !== settings.engine)
      refuse('DatabaseNotFoundException', `database "${database}" does not exist`, { status: 404 });
    return instance;
  }

  transaction(id: string | undefined, instance: Served): Transaction {
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

const writerAsked = (cluster: Cluster, rds: RdsState): Served => ({
  id: cluster.id,
  status: isUp(cluster) ? (membersOf(cluster, rds)[0]?.status ?? 'without instances') : cluster.status,
  store: cluster.store,
  settings: cluster.settings,
});
