import { rfc3339 } from '../world/clock.ts';
import type { Random } from '../world/random.ts';
import type { Place, World } from '../world/world.ts';
import { type JsonObject, listAt, set, textAt } from './json.ts';
import { notFound } from './problem.ts';
import { Store, type Stored } from './store.ts';
import { BUILT_IN, type ResourceType, typeKey } from './types.ts';

export interface ClusterOptions {
  readonly world: World;
  readonly place: Place;
  readonly name: string;
  readonly version: string;
  /** Addresses of Services (EKS API, `serviceIpv4Cidr`). */
  readonly serviceCidr: string;
}

/** An object was written, or is gone. */
export interface Change {
  readonly type: ResourceType;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

/** Where an object is. */
export interface Location {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface Found extends Location {
  readonly stored: Stored;
}

export const keyOf = (type: ResourceType, namespace: string | undefined, name: string): string =>
  type.namespaced ? `${namespace}/${name}` : name;

/** One cluster: its objects, the types that it serves, and who wants to know what changes. */
export class Cluster {
  readonly world: World;
  readonly place: Place;
  readonly name: string;
  /** Of Kubernetes, `1.33`. */
  version: string;
  readonly serviceCidr: string;
  readonly store: Store;
  readonly random: Random;
  /** A cluster that was deleted does nothing any more. */
  stopped = false;
  readonly #custom = new Map<string, readonly ResourceType[]>();
  #types: readonly ResourceType[] = BUILT_IN;
  readonly #byUid = new Map<string, Location>();
  readonly #dependents = new Map<string, Map<string, Location>>();
  readonly #listeners: ((change: Change) => void)[] = [];

  constructor({ world, place, name, version, serviceCidr }: ClusterOptions) {
    this.world = world;
    this.place = place;
    this.name = name;
    this.version = version;
    this.serviceCidr = serviceCidr;
    this.store = new Store(() => world.clock.now());
    this.random = world.random.stream(`kubernetes/${place.account}/${place.region}/${name}`);
  }

  /** What its clients trust; nobody checks it, for a cluster is served in plain HTTP on loopback. */
  get authority(): string {
    const text = Buffer.from(`simulated authority of cluster ${this.name}`).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
  }

  now(): number {
    return this.world.clock.now();
  }

  /** Now, in the grain of Kubernetes' timestamps (API, `metav1.Time`: RFC 3339 in whole seconds). */
  timestamp(offsetSeconds = 0): string {
    return rfc3339(new Date(this.now() + offsetSeconds * 1000));
  }

  /** Later, unless the cluster is gone by then. The answer cancels it. */
  after(seconds: number, run: () => void): () => void {
    return this.world.clock.after(seconds * 1000, () => {
      if (!this.stopped) run();
    });
  }

  /** Every type that is served: a cluster's own, then those that definitions add. */
  get types(): readonly ResourceType[] {
    return this.#types;
  }

  typeOf(group: string, version: string, resource: string): ResourceType | undefined {
    return this.types.find((type) => type.group === group && type.version === version && type.resource === resource);
  }

  /** The type of an object by what it says of itself. */
  typeOfKind(apiVersion: string, kind: string): ResourceType | undefined {
    return this.types.find(
      (type) => type.kind === kind && apiVersion === (type.group ? `${type.group}/${type.version}` : type.version),
    );
  }

  /** Serves the types of a definition from now on, in place of those that it had; none to serve them no longer. */
  serve(definition: string, types: readonly ResourceType[]): void {
    if (types.length > 0) this.#custom.set(definition, types);
    else this.#custom.delete(definition);
    this.#types = this.#custom.size === 0 ? BUILT_IN : [...BUILT_IN, ...[...this.#custom.values()].flat()];
  }

  find(type: ResourceType, namespace: string | undefined, name: string): Stored | undefined {
    return this.store.get(typeKey(type), keyOf(type, namespace, name));
  }

  /** The object of that name; a 404 where there is none. */
  get(type: ResourceType, namespace: string | undefined, name: string): Stored {
    const stored = this.find(type, namespace, name);
    if (!stored) throw notFound(type, name);
    return stored;
  }

  /** All objects of a type, in the order of their names. */
  all(type: ResourceType, namespace?: string): Stored[] {
    const prefix = type.namespaced && namespace !== undefined ? { prefix: `${namespace}/` } : {};
    return Array.from(this.store.range(typeKey(type), prefix), ([, stored]) => stored);
  }

  byUid(uid: string): Location | undefined {
    return this.#byUid.get(uid);
  }

  /** What names an object as its owner, by its uid. */
  dependentsOf(uid: string): Found[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])].flatMap((location) => {
      const stored = this.find(location.type, location.namespace, location.name);
      return stored ? [{ ...location, stored }] : [];
    });
  }

  /** Writes an object as it is, at the next revision, and tells everybody. */
  put(type: ResourceType, object: JsonObject): Stored {
    const location = locationOf(type, object);
    const before = this.find(type, location.namespace, location.name);
    const after = this.store.put(typeKey(type), keyOf(type, location.namespace, location.name), (revision) =>
      set(object, ['metadata', 'resourceVersion'], String(revision)),
    );
    this.#settle({ type, before, after }, location);
    return after;
  }

  /** Keeps an object exactly as it is, its revision included. Nobody is told: it stays so until somebody changes it. */
  seed(type: ResourceType, object: JsonObject): Stored {
    const location = locationOf(type, object);
    const revision = Number(textAt(object, 'metadata', 'resourceVersion') ?? this.store.revision + 1);
    this.#remember(object, location);
    return this.store.seed(typeKey(type), keyOf(type, location.namespace, location.name), object, revision);
  }

  /** Takes an object out of the store, whatever its finalizers say. */
  erase(type: ResourceType, { object }: Stored): void {
    const location = locationOf(type, object);
    const before = this.find(type, location.namespace, location.name);
    if (!before) return;
    this.store.remove(typeKey(type), keyOf(type, location.namespace, location.name));
    this.#settle({ type, before, after: undefined }, location);
  }

  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  #remember(object: JsonObject, location: Location): void {
    const uid = textAt(object, 'metadata', 'uid');
    if (uid !== undefined) this.#byUid.set(uid, location);
    for (const owner of ownersOf(object)) {
      if (!this.#dependents.has(owner)) this.#dependents.set(owner, new Map());
      this.#dependents.get(owner)!.set(titleOfLocation(location), location);
    }
  }

  #forget(object: JsonObject, location: Location): void {
    this.#byUid.delete(textAt(object, 'metadata', 'uid') ?? '');
    for (const owner of ownersOf(object)) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(titleOfLocation(location));
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }

  #settle(change: Change, location: Location): void {
    if (change.before) this.#forget(change.before.object, location);
    if (change.after) this.#remember(change.after.object, location);
    this.announce(change);
  }

  /** Tells whoever listens. */
  announce(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const ownersOf = (object: JsonObject): string[] =>
  listAt(object, 'metadata', 'ownerReferences').flatMap((owner) => textAt(owner, 'uid') ?? []);

const titleOfLocation = ({ type, namespace, name }: Location): string => `${typeKey(type)} ${keyOf(type, namespace, name)}`;

export const locationOf = (type: ResourceType, object: JsonObject): Location => ({
  type,
  namespace: type.namespaced ? textAt(object, 'metadata', 'namespace') : undefined,
  name: textAt(object, 'metadata', 'name') ?? '',
});
