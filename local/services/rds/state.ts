import { createHash } from 'node:crypto';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Backup } from './backup.ts';
import type { ClusterBackup } from './clusters/backup.ts';
import type { Cluster } from './clusters/cluster.ts';
import type { ClusterSnapshot } from './clusters/snapshot.ts';
import type { Export } from './exports/task.ts';
import type { OptionGroup, ParameterGroup, SubnetGroup } from './groups/group.ts';
import type { Instance, Tags } from './instance.ts';
import type { Snapshot } from './snapshot.ts';
import type { Executed } from './sql/database.ts';
import { queried } from './sql/store.ts';

/** The types of RDS's ARNs (Service Authorization Reference, "Amazon RDS"). */
type Type =
  | 'db'
  | 'snapshot'
  | 'auto-backup'
  | 'cluster'
  | 'cluster-snapshot'
  | 'cluster-auto-backup'
  | 'cluster-pg'
  | 'pg'
  | 'subgrp'
  | 'og';

/** Everything of RDS in a region of an account. */
export class RdsState {
  readonly instances = new Map<string, Instance>();
  readonly snapshots = new Map<string, Snapshot>();
  /** Automated backups that are not an instance's own: replicated from elsewhere, or retained of an instance that is gone. */
  readonly backups = new Map<string, Backup>();
  readonly clusters = new Map<string, Cluster>();
  readonly clusterSnapshots = new Map<string, ClusterSnapshot>();
  /** Automated backups that were retained of a cluster that is gone. */
  readonly clusterBackups = new Map<string, ClusterBackup>();
  readonly clusterParameterGroups = new Map<string, ParameterGroup>();
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

  arn(type: Type, name: string): string {
    return `arn:aws:rds:${this.place.region}:${this.place.account}:${type}:${name}`;
  }

  /** What is called so, by identifier or ARN, in any case (RDS API, DBInstanceIdentifier: "stored as a lowercase string"). */
  #idOf(type: Type, name: string | undefined): string {
    const prefix = this.arn(type, '');
    return ((name ?? '').startsWith(prefix) ? (name as string).slice(prefix.length) : (name ?? '')).toLowerCase();
  }

  peek(name: string | undefined): Instance | undefined {
    return this.instances.get(this.#idOf('db', name));
  }

  peekCluster(name: string | undefined): Cluster | undefined {
    return this.clusters.get(this.#idOf('cluster', name));
  }

  cluster(name: string | undefined): Cluster {
    return this.peekCluster(name) ?? refuse('DBClusterNotFoundFault', `DBCluster ${name} not found.`, { status: 404 });
  }

  clusterSnapshot(name: string | undefined): ClusterSnapshot {
    return (
      this.clusterSnapshots.get(this.#idOf('cluster-snapshot', name)) ??
      refuse('DBClusterSnapshotNotFoundFault', `DBClusterSnapshot ${name} not found.`, { status: 404 })
    );
  }

  instance(name: string | undefined): Instance {
    return this.peek(name) ?? refuse('DBInstanceNotFoundFault', `DBInstance ${name} not found.`, { status: 404 });
  }

  /** An instance that the Data API, or whoever looks from outside, names. */
  byArn(arn: string): Instance | undefined {
    return this.peek(arn);
  }

  snapshot(name: string | undefined): Snapshot {
    return (
      this.snapshots.get(this.#idOf('snapshot', name)) ??
      refuse('DBSnapshotNotFoundFault', `DBSnapshot ${name} not found.`, { status: 404 })
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

  /** `name.unique.region…` of an instance; of a cluster `name.cluster-unique…`, and `name.cluster-ro-unique…` of its readers. */
  address(id: string, of: '' | 'cluster-' | 'cluster-ro-' = ''): string {
    const { account, region } = this.place;
    const unique = createHash('sha256').update(`${account}/${region}`).digest('hex');
    return `${id}.${of}c${BigInt(`0x${unique.slice(0, 14)}`).toString(36)}.${region}.rds.amazonaws.com`;
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
      ...[...this.clusters.values()].map((one): [string, Cluster] => [this.arn('cluster', one.id), one]),
      ...[...this.clusterSnapshots.values()].map((one): [string, ClusterSnapshot] => [this.arn('cluster-snapshot', one.id), one]),
      ...[...this.clusterBackups.values()].map((one): [string, ClusterBackup] => [this.arn('cluster-auto-backup', one.id), one]),
      ...[...this.clusterParameterGroups.values()].map((one): [string, ParameterGroup] => [
        this.arn('cluster-pg', one.name),
        one,
      ]),
      ...[...this.parameterGroups.values()].map((one): [string, ParameterGroup] => [this.arn('pg', one.name), one]),
      ...[...this.subnetGroups.values()].map((one): [string, SubnetGroup] => [this.arn('subgrp', one.name), one]),
      ...[...this.optionGroups.values()].map((one): [string, OptionGroup] => [this.arn('og', one.name), one]),
    ]);
  }
}
