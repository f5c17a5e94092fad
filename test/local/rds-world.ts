import type { RdsState } from '../../local/services/rds/state.ts';
import { loadServices, World } from '../../local/world/world.ts';

export const HOME = { account: '111122223333', region: 'us-east-1' };
export const WEST = { account: '111122223333', region: 'eu-west-1' };
const services = await loadServices();

/** A world with nothing in it but what a test of RDS asks for. */
export class RdsWorld {
  readonly world: World;

  constructor(seed: string) {
    this.world = new World(services, { seed });
  }

  call(operation: string, input: object = {}, place = HOME, service = 'rds'): Promise<any> {
    return this.world.clock.settle(this.world.call({ place, service, operation, input }));
  }

  state(place = HOME): RdsState {
    return this.world.state<RdsState>('rds', place);
  }

  advance(seconds: number): Promise<void> {
    return this.world.clock.advance(seconds * 1000);
  }

  get now(): number {
    return this.world.clock.now();
  }

  /** Lets time pass until something is so. */
  async until(so: () => Promise<boolean> | boolean): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      if (await so()) return;
      await this.advance(15);
    }
    throw new Error('It did not come to be so.');
  }

  available(id: string, place = HOME): Promise<void> {
    return this.until(() => this.state(place).instance(id).status === 'available');
  }

  async instance(id: string, more: object = {}, place = HOME): Promise<string> {
    const wanted = { Engine: 'postgres', DBInstanceClass: 'db.t4g.micro', DBName: 'shop', BackupRetentionPeriod: 7, ...more };
    const { DBInstance } = await this.call('CreateDBInstance', { DBInstanceIdentifier: id, ...wanted }, place);
    await this.available(id, place);
    return DBInstance.DBInstanceArn;
  }

  sql(resourceArn: string, sql: string, more: object = {}, place = HOME): Promise<any> {
    return this.call('ExecuteStatement', { resourceArn, secretArn: 'arn:secret', sql, ...more }, place, 'rds-data');
  }

  /** What an instance holds of one table, as text. */
  rows(id: string, place = HOME, table = 'orders'): string[] {
    return this.state(place)
      .query(id, `SELECT * FROM ${table} ORDER BY 1`)
      .rows.map((row) => row.join('|'));
  }

  /** An instance with a table and one row, written a while ago. */
  async filled(id: string, more: object = {}): Promise<string> {
    const arn = await this.instance(id, more);
    await this.sql(arn, 'CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, amount INTEGER)');
    await this.sql(arn, "INSERT INTO orders (item, amount) VALUES ('first', 1)");
    await this.advance(600);
    return arn;
  }
}

export const second = (millis: number): Date => new Date(Math.floor(millis / 1000) * 1000);
