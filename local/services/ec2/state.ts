import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Disk } from './disk.ts';
import type { Instance, SecurityGroup, Snapshot, Subnet, Tags, Volume, Vpc } from './records.ts';
import { zoneId } from './regions.ts';

export type { Instance, Snapshot, Volume } from './records.ts';

/** What EC2 keeps in one region of an account. */
export class Ec2State {
  readonly volumes = new Map<string, Volume>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly instances = new Map<string, Instance>();
  readonly vpcs = new Map<string, Vpc>();
  readonly subnets = new Map<string, Subnet>();
  readonly groups = new Map<string, SecurityGroup>();
  encryptionByDefault = false;
  /** ARN of the key that EBS encrypts under where none is named; undefined is AWS's own. */
  defaultKey: string | undefined;
  /** How many seconds a describe by filter may lag behind; the seed decides within. */
  visibilityLagSeconds: readonly [number, number] = [0, 3];
  readonly world: World;
  readonly #place: Place;
  readonly #made = new Map<string, { readonly asked: string; readonly what: unknown }>();

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.world = world;
  }

  /**
   * The bytes of a volume, as its host reads and writes them: no API of AWS offers this. Of a volume that is attached nowhere, whoever asks
   * stands for a host. A disk refuses once its volume is detached or deleted.
   */
  disk(volumeId: string): Disk {
    const volume = this.volumes.get(volumeId);
    const where = `${this.#place.account}/${this.#place.region}`;
    if (!volume) throw new Error(`There is no volume ${volumeId} in ${where}.`);
    if (volume.state !== 'available' && volume.state !== 'in-use')
      throw new Error(`Volume ${volumeId} in ${where} is ${volume.state}; nobody can read or write it.`);
    return volume.disk;
  }

  volume(id: string | undefined): Volume {
    return this.volumes.get(id ?? '') ?? refuse('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
  }

  /** A snapshot that this account owns. */
  snapshot(id: string | undefined): Snapshot {
    return this.snapshots.get(id ?? '') ?? refuse('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  }

  /** A snapshot that this account owns, or that another shares with it (EBS guide, "Share a snapshot"). */
  visible(id: string | undefined): Snapshot {
    return this.sharedWithUs().find((snapshot) => snapshot.id === id) ?? this.snapshot(id);
  }

  /** Snapshots in this region that other accounts share with this one, or with all. */
  sharedWithUs(): Snapshot[] {
    const { account, region } = this.#place;
    return this.world
      .places('ec2')
      .filter((place) => place.region === region && place.account !== account)
      .flatMap((place) => [...this.world.state<Ec2State>('ec2', place).snapshots.values()])
      .filter(({ sharedWith }) => sharedWith.includes(account) || sharedWith.includes('all'));
  }

  instance(id: string | undefined): Instance {
    return this.instances.get(id ?? '') ?? refuse('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  }

  vpc(id: string | undefined): Vpc {
    return this.vpcs.get(id ?? '') ?? refuse('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`);
  }

  subnet(id: string | undefined): Subnet {
    return this.subnets.get(id ?? '') ?? refuse('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
  }

  group(id: string | undefined): SecurityGroup {
    return this.groups.get(id ?? '') ?? refuse('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
  }

  attachedTo(instance: string): Volume[] {
    return [...this.volumes.values()].filter(({ attachments }) => attachments.some((one) => one.instance === instance));
  }

  get zones(): readonly string[] {
    return ['a', 'b', 'c'].map((letter) => `${this.#place.region}${letter}`);
  }

  /** A zone by its name or its id; undefined where neither is given. */
  zone(name: string | undefined, id?: string | undefined): string | undefined {
    if (name === undefined && id === undefined) return undefined;
    return (
      this.zones.find((zone) => zone === name || zoneId(zone) === id) ??
      refuse('InvalidZone.NotFound', `The zone '${name ?? id}' does not exist.`)
    );
  }

  /** What was made for a token before, else what is made now; a token with other parameters is refused (EC2 API, "Ensuring idempotency"). */
  once<T>(operation: string, { ClientToken, ...input }: { ClientToken?: string | undefined }, make: () => T): T {
    if (ClientToken === undefined) return make();
    const asked = JSON.stringify(Object.entries(input).sort());
    const known = this.#made.get(`${operation}/${ClientToken}`);
    if (known && known.asked !== asked)
      refuse('IdempotentParameterMismatch', `The client token '${ClientToken}' was used before with other parameters.`);
    if (known) return known.what as T;
    const what = make();
    this.#made.set(`${operation}/${ClientToken}`, { asked, what });
    return what;
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
    return this.#retag(arn, (before) => ({ ...before, ...tags }));
  }

  untagResource(arn: string, keys: readonly string[]): boolean {
    return this.#retag(arn, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))));
  }

  #retag(arn: string, change: (before: Tags) => Tags): boolean {
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    const of = this.#stores.find(([type, store]) => store.has(id) && this.arn(type, id) === arn);
    const found = of?.[1].get(id);
    if (found) found.tags = change(found.tags);
    return found !== undefined;
  }
}
