import { open, type Verb, verb } from '../../functions/aws/verb.ts';
import type { Artifact, Cut, Item, Place, PointName, Rename, Resource, Restored } from '../../functions/domain.ts';
import namespaces from '../../functions/kinds/application/eks-namespace/index.ts';
import type { CaptureWork, Passage, RestoreWork } from '../../functions/kinds/kind.ts';
import { type Ask, type Cluster, connect, connecting } from '../../functions/kubernetes/client.ts';
import { splitList } from '../../functions/kubernetes/list.ts';
import { read } from '../../functions/kubernetes/object.ts';
import { stage, type TestStage } from '../stage.ts';

const POINT: PointName = { application: 'shop', slot: '20261122T040000Z-hourly', attempt: 1 };

/** Two clusters, `shop` at home and `standby` in the vault's region, and the kind's verbs between them. All times are virtual. */
export class Clusters {
  readonly stage: TestStage;
  readonly home: Cluster;
  readonly west: Cluster;
  #cuts = 0;

  constructor(stage: TestStage, home: Cluster, west: Cluster) {
    this.stage = stage;
    this.home = home;
    this.west = west;
  }

  static async make(seed: string): Promise<Clusters> {
    const made = await stage({ seed });
    const [home, west] = await Promise.all([
      made.settle(clusterAt(made, made.home.place, 'shop')),
      made.settle(clusterAt(made, made.vault.place, 'standby')),
    ]);
    return new Clusters(made, home, west);
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.stage.settle(work);
  }

  ask<In, Out>(of: Verb<any, In, Out>, here: Place, input: In): Promise<Out> {
    const { transport, clock, home } = this.stage;
    return this.settle(open(of, transport, clock, { here, home: home.place })(input));
  }

  /** Makes an object; its text goes out as it is. */
  create(cluster: Cluster, path: string, body: string, contentType = 'application/json'): Promise<string> {
    return this.settle(must(cluster, { method: 'POST', path, body, contentType }));
  }

  change(cluster: Cluster, path: string, body: object): Promise<string> {
    return this.settle(
      must(cluster, { method: 'PATCH', path, body: JSON.stringify(body), contentType: 'application/merge-patch+json' }),
    );
  }

  get(cluster: Cluster, path: string): Promise<string> {
    return this.settle(cluster.get(path)).then(({ text }) => text);
  }

  async items(cluster: Cluster, path: string): Promise<readonly string[]> {
    return splitList(await this.get(cluster, path)).items;
  }

  async resource(namespace: string): Promise<Resource> {
    const { metadata } = read(await this.get(this.home, `/api/v1/namespaces/${namespace}`));
    return {
      kind: namespaces.name,
      id: `${this.home.arn}/${namespace}`,
      name: namespace,
      createdAt: new Date(metadata!.creationTimestamp!).toISOString(),
      place: this.stage.home.place,
      facts: {},
    };
  }

  async captureWork(namespace: string): Promise<CaptureWork> {
    const cut: Cut = { id: `cut-${++this.#cuts}`, begun: new Date(this.stage.clock.now()).toISOString() };
    return { point: POINT, resource: await this.resource(namespace), cut, vault: this.stage.home };
  }

  /** Captures a namespace; `meanwhile` happens between fixing the revision and reading what was at it. */
  async capture(namespace: string, meanwhile: () => Promise<unknown> = async () => {}): Promise<Artifact> {
    return this.#captureWork(await this.captureWork(namespace), meanwhile);
  }

  async #captureWork(work: CaptureWork, meanwhile: () => Promise<unknown>): Promise<Artifact> {
    const place = this.stage.home.place;
    const [begun] = await this.ask(namespaces.capture.start, place, [work]);
    await meanwhile();
    if (begun?.state !== 'started') throw new Error(JSON.stringify(begun));
    const [item] = await this.ask(namespaces.capture.settle, place, [{ ...work, handle: begun.handle }]);
    if (item?.state !== 'done') throw new Error(JSON.stringify(item));
    return item.result;
  }

  async copy(artifact: Artifact): Promise<Artifact> {
    const { vault } = this.stage;
    const resource = await this.resource(artifact.resource.split('/').at(-1)!);
    const work = { point: POINT, resource, cut: { id: 'cut-1', begun: '' }, artifact, vault };
    const item = await this.drive(namespaces.copy, work, vault.place);
    if (item.state !== 'done') throw new Error(JSON.stringify(item));
    return item.result;
  }

  async restoreWork(
    artifact: Artifact,
    namespace: string,
    more: { restore?: string; renames?: readonly Rename[] } = {},
  ): Promise<RestoreWork> {
    const { home, vault } = this.stage;
    const away = artifact.place.region === vault.place.region;
    const resource = await this.resource(artifact.resource.split('/').at(-1)!);
    const at = away ? vault : home;
    return {
      point: POINT,
      resource,
      artifact,
      vault: at,
      target: { place: at.place, cluster: away ? 'standby' : 'shop', subnets: [], securityGroups: [], zones: [] },
      restore: more.restore ?? 'r1',
      namespaces: { [resource.name]: namespace },
      renames: more.renames ?? [],
    };
  }

  /** Drives a passage as the machine does, for at most half an hour. */
  async drive<W, Done>(passage: Passage<W, Done>, work: W, place: Place): Promise<Item<Done>> {
    let [item] = await this.ask(passage.start, place, [work]);
    for (let rounds = 0; item?.state === 'started' && rounds < 120; rounds++) {
      await this.settle(this.stage.clock.sleep(15_000));
      [item] = await this.ask(passage.settle, place, [{ ...work, handle: JSON.parse(JSON.stringify(item.handle)) }]);
    }
    return item!;
  }

  async restore(
    artifact: Artifact,
    namespace: string,
    more: { restore?: string; renames?: readonly Rename[] } = {},
  ): Promise<Restored> {
    const work = await this.restoreWork(artifact, namespace, more);
    const item = await this.drive(namespaces.restore, work, work.target.place);
    if (item.state !== 'done') throw new Error(JSON.stringify(item));
    return item.result;
  }
}

async function clusterAt({ world, transport, clock, home }: TestStage, place: Place, name: string): Promise<Cluster> {
  const resourcesVpcConfig = { subnetIds: ['subnet-0a', 'subnet-0b'] };
  const input = { name, roleArn: `arn:aws:iam::${place.account}:role/eks-cluster`, resourcesVpcConfig };
  await world.call({ place, service: 'eks', operation: 'CreateCluster', input });
  for (;;) {
    const { cluster } = await world.call({ place, service: 'eks', operation: 'DescribeCluster', input: { name } });
    if (cluster.status === 'ACTIVE') break;
    await clock.sleep(30_000);
  }
  const reach = verb(connecting, (aws, _: undefined, scene) => connect(aws, name, scene));
  return open(reach, transport, clock, { here: place, home: home.place })(undefined);
}

async function must(cluster: Cluster, ask: Ask): Promise<string> {
  const reply = await cluster.ask(ask);
  if (reply.status >= 400) throw cluster.refusal(ask, reply);
  return reply.text;
}
