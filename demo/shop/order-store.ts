import type { Instance } from '../../local/services/rds/instance.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import type { Random } from '../../local/world/random.ts';
import { type Site, until } from './door.ts';
import { arnOf, everyRow, readRows, rowsIn, SCHEMA, Sql } from './order-database.ts';
import { KEY_ALIAS, PARAMETER_GROUP, SUBNET_GROUP } from './region.ts';
import type { Making, Reading, Sort, Store, StoredHalf, Transfer } from './store.ts';
import type { Trace } from './traces.ts';

const ORDER_CENTS = 100_000;

/** The orders and what was paid for them and back, in PostgreSQL on RDS: one transaction moves an order's money and notes the payment. */
class OrderStore implements Store {
  readonly #sql: Sql;
  readonly #instance: Instance;
  /** What each order is thought to hold; the database knows. */
  readonly #paid = new Map<string, number>();
  /** What it held, by how many commits there had been. */
  readonly #truths = new Map<number, Reading>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(site: Site, instance: string) {
    this.#sql = new Sql(site, instance);
    this.#instance = site.world.state<RdsState>('rds', site.place).instance(instance);
  }

  /** Makes the tables, with some orders that are paid. */
  async fill(orders: number): Promise<void> {
    for (const sql of SCHEMA) await this.#sql.change(sql);
    for (let i = 1; i <= orders; i++) {
      await this.#place({ id: `opening-${i}`, customer: `customer-${i}`, cents: ORDER_CENTS });
      this.#paid.set(`opening-${i}`, ORDER_CENTS);
    }
  }

  payer(random: Random, cents: number) {
    const able = [...this.#paid.keys()];
    if (able.length === 0) return undefined;
    const payer = random.pick(able);
    return { payer, cents: Math.min(cents, this.#paid.get(payer)!) };
  }

  async debit({ id, payer, cents, to }: Transfer): Promise<boolean> {
    const payBack = (transaction: string) =>
      this.#sql.change(
        'UPDATE orders SET cents = cents - :cents WHERE id = :id AND cents >= :cents',
        { id: payer, cents },
        transaction,
      );
    const moved = await this.#move(payBack, { transfer: id, does: 'debit', other: to, cents }, payer);
    const left = (this.#paid.get(payer) ?? 0) - cents;
    if (!moved || left <= 0) this.#paid.delete(payer);
    else this.#paid.set(payer, left);
    return moved;
  }

  async credit({ id, cents, from }: Transfer, random: Random): Promise<void> {
    const order = { id: `order-${id}`, customer: `customer-${random.integer(1, 99)}`, cents };
    await this.#move(
      (transaction) => this.#place(order, transaction),
      { transfer: id, does: 'credit', other: from, cents },
      order.id,
    );
    this.#paid.set(order.id, cents);
  }

  async position(): Promise<string> {
    const [found] = await this.#sql.rows('SELECT COUNT(*) AS id FROM payments');
    return `payments ${found!.id}`;
  }

  truthAt(at: Date): Reading {
    const { history } = this.#instance.store;
    const commits = history.commitsUntil(at.getTime());
    const known = this.#truths.get(commits) ?? readRows(rowsIn(history.at(at.getTime())));
    this.#truths.set(commits, known);
    return known;
  }

  #place(
    order: { readonly id: string; readonly customer: string; readonly cents: number },
    transaction?: string,
  ): Promise<number> {
    return this.#sql.change(
      'INSERT INTO orders (id, customer, cents) VALUES (:id, :customer, :cents) ON CONFLICT (id) DO NOTHING',
      order,
      transaction,
    );
  }

  /** All or nothing. A payment that is there was noted by an earlier try, whose answer was lost. */
  #move(change: (transaction: string) => Promise<number>, half: StoredHalf, order: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const transaction = await this.#sql.begin();
      const changed = await change(transaction);
      const noted = await this.#sql.change(
        'INSERT INTO payments (transfer, does, order_id, cents, other) VALUES (:transfer, :does, :order, :cents, :other) ON CONFLICT (transfer) DO NOTHING',
        { ...half, order },
        transaction,
      );
      if (changed > 0 && noted > 0) await this.#sql.commit(transaction);
      else await this.#sql.rollBack(transaction);
      return changed > 0 || noted === 0;
    });
  }

  /** One connection: a transaction begins when the one before has ended. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

const traceIn = (site: Site, instance: string): Trace => {
  const sql = new Sql(site, instance);
  return {
    where: `the table maintenance of ${instance}`,
    leave: async ({ cut, restorePoint }) => {
      await sql.change('INSERT INTO maintenance (cut, restore_point) VALUES (:cut, :restorePoint) ON CONFLICT (cut) DO NOTHING', {
        cut,
        restorePoint,
      });
    },
    undo: async () => {
      await sql.change('DELETE FROM maintenance');
    },
    stands: async () => (await sql.rows('SELECT cut AS id FROM maintenance')).length > 0,
  };
};

/** With automated backups for as long as they can be kept, in the region where the shop could live too. */
async function make({ aws, clock, place }: Site, { key, standby, password }: Making): Promise<string> {
  const DBInstanceIdentifier = 'shop-orders';
  await aws.createInstance({
    DBInstanceIdentifier,
    Engine: 'postgres',
    EngineVersion: '16.4',
    DBInstanceClass: 'db.t4g.medium',
    AllocatedStorage: 20,
    DBName: 'shop',
    MasterUsername: 'shop',
    MasterUserPassword: password,
    StorageEncrypted: true,
    KmsKeyId: key,
    BackupRetentionPeriod: LOG_DAYS,
    DBParameterGroupName: PARAMETER_GROUP,
    DBSubnetGroupName: SUBNET_GROUP,
    MultiAZ: true,
    DeletionProtection: true,
    CopyTagsToSnapshot: true,
    Tags: [{ Key: 'app', Value: 'shop' }],
  });
  const DbiResourceId = await available({ aws, clock }, DBInstanceIdentifier);
  if (standby.place.account !== place.account) return DBInstanceIdentifier; // no log leaves its account
  await standby.aws.replicateBackups({
    SourceDBInstanceArn: arnOf(place, DBInstanceIdentifier),
    KmsKeyId: KEY_ALIAS,
    BackupRetentionPeriod: LOG_DAYS,
  });
  await until(clock, 60, async () => {
    const { DBInstanceAutomatedBackups = [] } = await standby.aws.describeBackups({ DbiResourceId });
    return DBInstanceAutomatedBackups[0]?.RestoreWindow?.LatestTime;
  });
  return DBInstanceIdentifier;
}
const LOG_DAYS = 35;

const available = ({ aws, clock }: Pick<Site, 'aws' | 'clock'>, DBInstanceIdentifier: string): Promise<string> =>
  until(clock, 30, async () => {
    const { DBInstances = [] } = await aws.describeInstance({ DBInstanceIdentifier });
    return DBInstances[0]?.DBInstanceStatus === 'available' ? DBInstances[0].DbiResourceId : undefined;
  });

/** Its log can be asked for any second; this is the one that the schedule of its own backups would ask for. */
async function backUp({ aws, clock }: Site, SourceDBInstanceIdentifier: string, label: string): Promise<() => Promise<string>> {
  const RestoreTime = new Date(Math.floor(clock.now() / 1000) * 1000);
  const TargetDBInstanceIdentifier = `${SourceDBInstanceIdentifier}-${label}`;
  return async () => {
    await until(clock, 15, async () => {
      const { DBInstances = [] } = await aws.describeInstance({ DBInstanceIdentifier: SourceDBInstanceIdentifier });
      return (DBInstances[0]?.LatestRestorableTime?.getTime() ?? 0) >= RestoreTime.getTime() || undefined;
    });
    await aws.restoreInstance({ SourceDBInstanceIdentifier, TargetDBInstanceIdentifier, RestoreTime });
    await available({ aws, clock }, TargetDBInstanceIdentifier);
    return TargetDBInstanceIdentifier;
  };
}

export const orders: Sort<'instance'> = {
  word: 'instance',
  arn: arnOf,
  make,
  async open(name, { site, stock }) {
    const store = new OrderStore(site, name);
    await store.fill(stock.orders);
    return store;
  },
  read: async (site, name) => readRows(await everyRow(new Sql(site, name))),
  trace: traceIn,
  async eat(site, name) {
    const count = await new Sql(site, name).change('UPDATE orders SET cents = 0');
    return `${count} orders in ${name} were emptied.`;
  },
  backUp,
};
