import type { Place } from '../../functions/domain.ts';
import type { Site } from './door.ts';

/** A Kubernetes object as its authors write it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

/** An API server's answer that is an error. */
export class ClusterRefusal extends Error {
  override readonly name = 'ClusterRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  HorizontalPodAutoscaler: 'horizontalpodautoscalers',
  PodDisruptionBudget: 'poddisruptionbudgets',
  NetworkPolicy: 'networkpolicies',
  StorageClass: 'storageclasses',
};
const CLUSTER_WIDE = new Set(['Namespace', 'PersistentVolume', 'StorageClass', 'CustomResourceDefinition', 'PriorityClass']);
const TOKEN_MINUTES = 10;

/** A cluster of the shop, as its pipeline and its processes talk to it. */
export class Cluster {
  readonly place: Place;
  readonly name: string;
  readonly #site: Site;
  #endpoint: Promise<string> | undefined;
  #token: { readonly text: Promise<string>; readonly until: number } | undefined;

  constructor(site: Site, name: string) {
    this.#site = site;
    this.place = site.place;
    this.name = name;
  }

  get arn(): string {
    return `arn:aws:eks:${this.place.region}:${this.place.account}:cluster/${this.name}`;
  }

  /** Makes an object what its manifest says (server-side apply). */
  apply(manifest: Manifest): Promise<unknown> {
    return this.request(
      'PATCH',
      `${pathOf(manifest)}?fieldManager=shop-pipeline&force=true`,
      manifest,
      'application/apply-patch+yaml',
    );
  }

  /** Changes some members of an object. */
  merge(path: string, change: object): Promise<unknown> {
    return this.request('PATCH', path, change, 'application/merge-patch+json');
  }

  /** One request; the answer's JSON. Throws ClusterRefusal for an error, with the server's own words. */
  async request(method: string, path: string, body?: object, contentType = 'application/json'): Promise<any> {
    const [endpoint, token] = await Promise.all([this.#where(), this.#bearer()]);
    const answer = await this.#site.transport.fetch({
      method,
      url: `${endpoint}${path}`,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...(body ? { 'content-type': contentType } : {}) },
      ...(body ? { body: new TextEncoder().encode(JSON.stringify(body)) } : {}),
    });
    const text = Buffer.from(answer.body).toString();
    if (answer.status < 300) return text ? JSON.parse(text) : undefined;
    throw new ClusterRefusal(answer.status, `${method} ${path} was refused with ${answer.status}: ${reasonIn(text)}`);
  }

  #where(): Promise<string> {
    this.#endpoint ??= this.#site.aws.describeCluster({ name: this.name }).then(({ cluster }) => cluster!.endpoint!);
    this.#endpoint.catch(() => {
      this.#endpoint = undefined;
    });
    return this.#endpoint;
  }

  #bearer(): Promise<string> {
    if (!this.#token || this.#token.until < this.#site.clock.now()) {
      this.#token = {
        text: this.#site.transport.clusterToken(this.name, this.place),
        until: this.#site.clock.now() + TOKEN_MINUTES * 60_000,
      };
    }
    return this.#token.text;
  }
}

/** Where an object lives: `/apis/apps/v1/namespaces/shop/deployments/web`. */
export function pathOf({ apiVersion, kind, metadata: { namespace, name } }: Manifest): string {
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}${/(s|x|ch)$/i.test(kind) ? 'es' : 's'}`;
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}${CLUSTER_WIDE.has(kind) ? '' : `/namespaces/${namespace}`}/${plural}/${name}`;
}

function reasonIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text || 'no reason was given.';
  }
}
