import { createHash } from 'node:crypto';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Backup } from './backup.ts';
import type { Export } from './exports/task.ts';
import type { OptionGroup, ParameterGroup, SubnetGroup } from './groups/group.ts';
import type { Instance, Tags } from './instance.ts';
import type { Snapshot } from './snapshot.ts';
import type { Executed } from './sql/database.ts';
import { queried } from './sql/store.ts';

/** Everything of RDS in a region of an account. */
export class RdsState {
  readonly instances = new Map<string, Instance>();
  readonly snapshots = new Map<string, Snapshot>();
  /** Automated backups that are not an instance's own: replicated from elsewhere, or retained of an instance that is gone. */
  readonly backups = new Map<string, Backup>();
  readonly parameterGroups = new Map<string, ParameterGroup>();
  readonly subnetGroups = new Map<string, SubnetGroup>();
  readonly optionGroups = new Map<string, OptionGroup>();
  readonly exports = new Map<string, Export>();
  readonly world: World;
  readonly place: Place;
  readonly #gone: { readonly instance: Instance; readonly at: number }[] = [];

  constructor({ account, region, world }: StateContext) {
    this.world = world;
    this.place = { account, region };
  }

  arn(type: 'db' | 'snapshot' | 'auto-backup' | 'pg' | 'subgrp' | 'og', name: string): string {
    return `arn:aws:rds:${this.place.region}:${this.place.account}:${type}:${name}`;
  }

  /** By identifier or ARN, in any case (RDS API, DBInstanceIdentifier: "stored as a lowercase string"). */
  peek(name: string | undefined): Instance | undefined {
    const prefix = this.arn('db', '');
    const id = (name ?? '').startsWith(prefix) ? (name as string).slice(prefix.length) : (name ?? '');
    return this.instances.get(id.toLowerCase());
  }

  instance(name: string | undefined): Instance {
    return this.peek(name) ?? refuse('DBInstanceNotFoundFault', `DBInstance ${name} not found.`, { status: 404 });
  }

  /** An instance that the Data API, or whoever looks from outside, names. */
  byArn(arn: string): Instance | undefined {
    return this.peek(arn);
  }

  snapshot(name: string | undefined): Snapshot {
    const prefix = this.arn('snapshot', '');
    const id = (name ?? '').startsWith(prefix) ? (name as string).slice(prefix.length) : (name ?? '');
    return (
      this.snapshots.get(id.toLowerCase()) ?? refuse('DBSnapshotNotFoundFault', `DBSnapshot ${name} not found.`, { status: 404 })
    );
  }

  remove(instance: Instance): void {
    this.#gone.push({ instance, at: this.world.clock.now() });
    this.instances.delete(instance.id);
  }

  /** Asks an instance's content from outside, now. */
  query(name: string, sql: string): Executed {
    return this.instance(name).store.query(sql);
  }

  /** Asks what an instance of this name truly held at an instant, to the millisecond. */
  queryAt(name: string, at: Date, sql: string): Executed {
    const time = at.getTime();
    const alive = [...this.#gone.filter((one) => one.at > time).map(({ instance }) => instance), ...this.instances.values()];
    const then = alive.find(({ id, createdAt }) => id === name && createdAt.getTime() <= time);
    if (!then) throw new Error(`There was no instance "${name}" at ${at.toISOString()}.`);
    return queried(then.store.history.at(time), sql);
  }

  address(id: string): string {
    const { account, region } = this.place;
    const unique = createHash('sha256').update(`${account}/${region}`).digest('hex');
    return `${id}.c${BigInt(`0x${unique.slice(0, 14)}`).toString(36)}.${region}.rds.amazonaws.com`;
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return [...this.#tagged()].map(([arn, { tags }]) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Tags): boolean {
    const found = this.tagged(arn);
    if (found) found.tags = { ...found.tags, ...tags };
    return found !== undefined;
  }

  /** What bears tags, by ARN. */
  tagged(arn: string | undefined): { tags: Tags } | undefined {
    return this.#tagged().get(arn ?? '');
  }

  #tagged(): Map<string, { tags: Tags }> {
    return new Map<string, { tags: Tags }>([
      ...[...this.instances.values()].map((one): [string, Instance] => [this.arn('db', one.id), one]),
      ...[...this.snapshots.values()].map((one): [string, Snapshot] => [this.arn('snapshot', one.id), one]),
      ...[...this.backups.values()].map((one): [string, Backup] => [this.arn('auto-backup', one.id), one]),
      ...[...this.parameterGroups.values()].map((one): [string, ParameterGroup] => [this.arn('pg', one.name), one]),
      ...[...this.subnetGroups.values()].map((one): [string, SubnetGroup] => [this.arn('subgrp', one.name), one]),
      ...[...this.optionGroups.values()].map((one): [string, OptionGroup] => [this.arn('og', one.name), one]),
    ]);
  }
}
