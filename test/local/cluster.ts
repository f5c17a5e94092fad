import { type Cluster, clusterAt, serveKubernetes } from '../../local/kubernetes/index.ts';
import { loadServices, type Place, World, type WorldOptions } from '../../local/world/world.ts';

/** A world with one cluster in it, and a client that reads and writes bytes. */
export const HOME: Place = { account: '111122223333', region: 'us-east-1' };

export const services = await loadServices();

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The text parsed, for looking. */
  readonly json: any;
}

export interface Ask {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

export class Bench {
  readonly world: World;
  readonly place: Place;
  readonly name: string;

  constructor(world: World, place: Place, name: string) {
    this.world = world;
    this.place = place;
    this.name = name;
  }

  get cluster(): Cluster {
    return clusterAt(this.world, this.place, this.name);
  }

  call(service: string, operation: string, input: object, place = this.place): Promise<any> {
    return this.world.clock.settle(this.world.call({ place, service, operation, input }));
  }

  wait(seconds: number): Promise<void> {
    return this.world.clock.advance(seconds * 1000);
  }

  async ask(method: string, path: string, { body, type = 'application/json', headers = {} }: Ask = {}): Promise<Answer> {
    const { account, region } = this.place;
    const sent =
      body === undefined ? {} : { body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)) };
    const url = `/_eks/${account}/${region}/${this.name}${path}`;
    const request = { method, url, headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers }, ...sent };
    const answer = await this.world.clock.settle(serveKubernetes(this.world, request));
    const text = new TextDecoder().decode(answer.body);
    return { status: answer.status, text, headers: answer.headers, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  }

  get = (path: string): Promise<Answer> => this.ask('GET', path);
  post = (path: string, body: unknown): Promise<Answer> => this.ask('POST', path, { body });
  put = (path: string, body: unknown): Promise<Answer> => this.ask('PUT', path, { body });
  merge = (path: string, body: unknown): Promise<Answer> => this.ask('PATCH', path, { body, type: MERGE });
  apply = (path: string, manager: string, body: unknown, more = ''): Promise<Answer> =>
    this.ask('PATCH', `${path}?fieldManager=${manager}${more}`, { body, type: APPLY });
  delete = (path: string, body?: unknown): Promise<Answer> => this.ask('DELETE', path, body === undefined ? {} : { body });

  /** Makes a namespace, and waits until it is furnished. */
  async namespace(name: string): Promise<string> {
    await this.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await this.wait(1);
    return `/api/v1/namespaces/${name}`;
  }
}

export async function bench(options: WorldOptions = {}, input: object = {}): Promise<Bench> {
  const world = new World(services, { seed: 'kubernetes', ...options });
  const made = new Bench(world, HOME, 'shop');
  await made.call('eks', 'CreateCluster', {
    name: 'shop',
    version: '1.33',
    roleArn: `arn:aws:iam::${HOME.account}:role/cluster`,
    resourcesVpcConfig: { subnetIds: ['subnet-1'] },
    ...input,
  });
  await made.wait(16 * 60);
  return made;
}

export const configMap = (name: string, data: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

export const podSpec = (image = 'redis:7', more: object = {}): object => ({ containers: [{ name: 'main', image }], ...more });

export const deployment = (name: string, spec: object = {}, pod: object = podSpec()): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: pod }, ...spec },
});
