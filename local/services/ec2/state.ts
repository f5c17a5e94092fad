import type * as SDK from '@aws-sdk/client-ec2';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { Disk, type Pages } from './disk.ts';

export type Tags = Record<string, string>;

export interface Volume {
  readonly id: string;
  readonly size: number;
  readonly zone: string;
  readonly type: SDK.VolumeType;
  readonly iops: number | undefined;
  readonly throughput: number | undefined;
  readonly encrypted: boolean;
  readonly key: string | undefined;
  readonly snapshot: string | undefined;
  readonly createdAt: Date;
  readonly token: string | undefined;
  state: SDK.VolumeState;
  tags: Tags;
  readonly disk: Disk;
  attachment?: { readonly instance: string; readonly device: string; readonly at: Date; deleteOnTermination: boolean };
}

export interface Snapshot {
  readonly id: string;
  readonly volume: string;
  readonly size: number;
  readonly startedAt: Date;
  readonly description: string;
  readonly owner: string;
  readonly encrypted: boolean;
  readonly key: string | undefined;
  readonly pages: Pages;
  /** Snapshots of one volume, and what was started from them, have one lineage. */
  readonly lineage: string;
  /** From when a describe by filter may be counted on to find it. */
  readonly visibleAt: number;
  state: SDK.SnapshotState;
  message?: string;
  completedAt?: Date;
  tags: Tags;
  copy?: boolean;
  sharedWith: readonly string[];
  lock?: { readonly mode: SDK.LockMode; readonly createdAt: Date; readonly expiresAt: Date };
}

export interface Instance {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly image: string;
  readonly subnet: string | undefined;
  readonly launchedAt: Date;
  readonly address: string;
  state: SDK.InstanceStateName;
  tags: Tags;
  root?: string;
}

export const GIB = 2 ** 30;

export class Ec2State {
  readonly volumes = new Map<string, Volume>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly instances = new Map<string, Instance>();
  readonly vpcs = new Map<string, { readonly id: string; readonly cidr: string; tags: Tags }>();
  readonly subnets = new Map<string, { readonly id: string; readonly vpc: string; readonly cidr: string; readonly zone: string; tags: Tags }>();
  readonly groups = new Map<string, { readonly id: string; readonly vpc: string; readonly name: string; readonly description: string; tags: Tags }>();
  encryptionByDefault = false;
  defaultKey: string | undefined;
  /** How many seconds a describe by filter may lag behind; the seed decides within. */
  visibilityLagSeconds: readonly [number, number] = [0, 3];
  readonly world: World;
  readonly #place: Place;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.world = world;
  }

  /** The bytes of a volume, as its host reads and writes them: no API of AWS offers this. */
  disk(volumeId: string): Disk {
    const volume = this.volumes.get(volumeId);
    if (!volume || volume.state === 'creating') throw new Error(`There is no volume ${volumeId} in ${this.#place.account}/${this.#place.region} that could be read.`);
    return volume.disk;
  }

  volume(id: string | undefined): Volume {
    return this.volumes.get(id ?? '') ?? refuse('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
  }

  /** A snapshot of this account, or one that was shared with it. */
  snapshot(id: string | undefined): Snapshot {
    return this.snapshots.get(id ?? '') ?? refuse('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  }

  instance(id: string | undefined): Instance {
    return this.instances.get(id ?? '') ?? refuse('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  }

  get zones(): readonly string[] {
    return ['a', 'b', 'c'].map((letter) => `${this.#place.region}${letter}`);
  }

  arn(type: string, id: string): string {
    // Snapshots have an empty account field (service authorization reference, EC2).
    return `arn:aws:ec2:${this.#place.region}:${type === 'snapshot' ? '' : this.#place.account}:${type}/${id}`;
  }

  /** Everything that can bear tags, by its id. */
  tagged(id: string): { tags: Tags } | undefined {
    return this.#stores.map(([, store]) => store.get(id)).find((found) => found !== undefined);
  }

  get #stores(): readonly (readonly [string, ReadonlyMap<string, { tags: Tags }>])[] {
    return [
      ['volume', this.volumes],
      ['snapshot', this.snapshots],
      ['instance', this.instances],
      ['vpc', this.vpcs],
      ['subnet', this.subnets],
      ['security-group', this.groups],
    ];
  }

  allTagged(): { readonly type: string; readonly id: string; readonly tags: Tags }[] {
    return this.#stores.flatMap(([type, store]) => [...store].map(([id, { tags }]) => ({ type, id, tags })));
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return this.allTagged().map(({ type, id, tags }) => ({ arn: this.arn(type, id), tags }));
  }

  tagResource(arn: string, tags: Readonly<Tags>): boolean {
    const found = this.allTagged().find(({ type, id }) => this.arn(type, id) === arn);
    if (found) Object.assign(found.tags, tags);
    return found !== undefined;
  }
}
