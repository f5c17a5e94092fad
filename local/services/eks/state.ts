import type * as SDK from '@aws-sdk/client-eks';
import { bootstrap } from '../../kubernetes/bootstrap.ts';
import { Cluster } from '../../kubernetes/cluster.ts';
import { control } from '../../kubernetes/controllers/index.ts';
import { join, type Machine } from '../../kubernetes/controllers/nodes.ts';
import type { Rights } from '../../kubernetes/index.ts';
import { refuse, type StateContext } from '../../world/service.ts';
import type { Caller, Place, World } from '../../world/world.ts';
import type { Ec2State } from '../ec2/state.ts';

export type Tags = Record<string, string>;

export interface Nodegroup {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly role: string;
  readonly createdAt: Date;
  readonly labels: Tags;
  readonly instanceTypes: readonly string[];
  scaling: SDK.NodegroupScalingConfig;
  status: SDK.NodegroupStatus;
  tags: Tags;
}

export interface Entry {
  readonly principal: string;
  readonly id: string;
  readonly type: string;
  readonly createdAt: Date;
  readonly username: string | undefined;
  groups: readonly string[];
  tags: Tags;
  readonly policies: Map<string, SDK.AssociatedAccessPolicy>;
}

export interface Association {
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly createdAt: Date;
  role: string;
  tags: Tags;
}

export interface Addon {
  readonly name: string;
  readonly version: string;
  readonly role: string | undefined;
  readonly createdAt: Date;
  status: SDK.AddonStatus;
  tags: Tags;
}

/** A cluster as EKS keeps it; its objects are its own API server's. */
export interface Kept {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly createdAt: Date;
  readonly serviceCidr: string;
  readonly token: string | undefined;
  readonly encryption: SDK.EncryptionConfig[] | undefined;
  network: SDK.VpcConfigRequest;
  authenticationMode: SDK.AuthenticationMode;
  logging: SDK.Logging | undefined;
  version: string;
  status: SDK.ClusterStatus;
  tags: Tags;
  api?: Cluster;
  readonly nodegroups: Map<string, Nodegroup>;
  readonly entries: Map<string, Entry>;
  readonly associations: Map<string, Association>;
  readonly addons: Map<string, Addon>;
  readonly updates: Map<string, SDK.Update>;
}

const ANSWERING: readonly SDK.ClusterStatus[] = ['ACTIVE', 'UPDATING'];

export class EksState {
  readonly clusters = new Map<string, Kept>();
  readonly world: World;
  readonly place: Place;

  constructor({ account, region, world }: StateContext) {
    this.place = { account, region };
    this.world = world;
  }

  find(name: string | undefined): Kept {
    return this.clusters.get(name ?? '') ?? refuse('ResourceNotFoundException', `No cluster found for name: ${name}.`);
  }

  /** A cluster that can be changed. */
  active(name: string | undefined): Kept {
    const cluster = this.find(name);
    if (cluster.status !== 'ACTIVE')
      refuse('ResourceInUseException', `Cluster ${cluster.name} is ${cluster.status}, not ACTIVE.`);
    return cluster;
  }

  arn(type: string, ...path: readonly string[]): string {
    return `arn:aws:eks:${this.place.region}:${this.place.account}:${[type, ...path].join('/')}`;
  }

  /** The API server begins to answer, with what every cluster has. */
  open(cluster: Kept): void {
    const { name, version, serviceCidr } = cluster;
    cluster.api = new Cluster({ world: this.world, place: this.place, name, version, serviceCidr });
    control(cluster.api);
    bootstrap(cluster.api);
    cluster.status = 'ACTIVE';
    this.equip(cluster);
  }

  close(cluster: Kept): void {
    if (cluster.api) cluster.api.stopped = true;
    this.clusters.delete(cluster.name);
  }

  /** A Node for each zone of each node group; a cluster without any has one in every zone, as if EKS saw to them (EKS guide, "EKS Auto Mode"). */
  equip(cluster: Kept): void {
    const groups = [...cluster.nodegroups.values()].filter(({ status }) => status === 'ACTIVE' || status === 'UPDATING');
    const machines =
      groups.length === 0
        ? this.#zones.map((zone, i) => this.#machine(zone, i))
        : groups.flatMap((group, i) =>
            this.#zonesOf(group.subnets).map((zone, j) =>
              this.#machine(zone, 16 * (i + 1) + j, { 'eks.amazonaws.com/nodegroup': group.name, ...group.labels }),
            ),
          );
    if (cluster.api) join(cluster.api, machines);
  }

  #machine(zone: string, number: number, labels: Tags = {}): Machine {
    return { name: `ip-10-0-${number}-10.${this.place.region}.compute.internal`, zone, labels };
  }

  get #zones(): readonly string[] {
    return ['a', 'b', 'c'].map((letter) => `${this.place.region}${letter}`);
  }

  /** Subnets that the local EC2 does not know may be anywhere in the region. */
  #zonesOf(subnets: readonly string[]): readonly string[] {
    const known = this.world.services.has('ec2') ? this.world.state<Ec2State>('ec2', this.place).subnets : undefined;
    const zones = subnets.map((subnet) => known?.get(subnet)?.zone);
    return zones.length > 0 && zones.every((zone) => zone !== undefined) ? [...new Set(zones)] : this.#zones;
  }

  apiOf(name: string): Cluster | undefined {
    const cluster = this.clusters.get(name);
    return cluster && ANSWERING.includes(cluster.status) ? cluster.api : undefined;
  }

  /** Everybody of the cluster's own account is its administrator; others need an access entry. */
  rightsOf(name: string, { account, arn }: Caller): Rights | undefined {
    if (account === this.place.account) return { access: 'all' };
    const entries = [...this.find(name).entries.values()].filter((entry) => isMeant(entry.principal, account, arn));
    if (entries.length === 0) return undefined;
    const policies = entries.flatMap((entry) => [...entry.policies.values()]);
    const widest = policies.find(isForAll) ?? policies.find(isForReading);
    const namespaces = widest?.accessScope?.type === 'namespace' ? (widest.accessScope.namespaces ?? []) : undefined;
    const access = !widest ? 'none' : isForAll(widest) ? 'all' : 'read';
    return { access, ...(namespaces ? { namespaces } : {}) };
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return [...this.#bearers()].map(([arn, { tags }]) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Tags>): boolean {
    const found = this.tagged(arn);
    if (found) Object.assign(found.tags, tags);
    return found !== undefined;
  }

  /** What bears tags, by its ARN. */
  tagged(arn: string): { tags: Tags } | undefined {
    return new Map(this.#bearers()).get(arn);
  }

  *#bearers(): Iterable<[string, { tags: Tags }]> {
    for (const cluster of this.clusters.values()) {
      yield [this.arn('cluster', cluster.name), cluster];
      for (const group of cluster.nodegroups.values()) yield [this.arn('nodegroup', cluster.name, group.name, group.id), group];
      for (const entry of cluster.entries.values()) yield [this.arn('access-entry', cluster.name, entry.id), entry];
      for (const one of cluster.associations.values()) yield [this.arn('podidentityassociation', cluster.name, one.id), one];
      for (const addon of cluster.addons.values()) yield [this.arn('addon', cluster.name, addon.name), addon];
    }
  }
}

/** A session of a role is that role; an account's root is everybody of it, since the local AWS knows no other users. */
function isMeant(principal: string, account: string, arn: string): boolean {
  const role = /^arn:aws[\w-]*:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (arn.endsWith(':root')) return principal.split(':')[4] === account;
  return (
    principal === arn ||
    (role !== null && principal.startsWith(`arn:aws:iam::${role[1]}:role/`) && principal.endsWith(`/${role[2]}`))
  );
}

/** EKS guide, "Review access policy permissions". */
const isForAll = ({ policyArn = '' }: SDK.AssociatedAccessPolicy): boolean =>
  /\/AmazonEKS(ClusterAdmin|Admin|Edit)Policy$/.test(policyArn);
const isForReading = ({ policyArn = '' }: SDK.AssociatedAccessPolicy): boolean =>
  /\/AmazonEKS(AdminView|View)Policy$/.test(policyArn);
