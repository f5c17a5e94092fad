import { freeAddress, isWithin } from './addresses.ts';
import type { Cluster } from './cluster.ts';
import { at, isList, type Json, type JsonObject, json, listAt, objectAt, objectOf, set, textAt } from './json.ts';
import { type Cause, forbidden, invalid } from './problem.ts';
import { builtIn, type ResourceType, typeKey } from './types.ts';

/** What a new object gets from, or is refused for, what else is in its cluster. */
type Admit = (cluster: Cluster, object: JsonObject, type: ResourceType) => JsonObject;

const nameOf = (object: JsonObject): string => textAt(object, 'metadata', 'name') ?? '';

const NODE_PORTS = [30_000, 32_767] as const;

/** Addresses and ports of a Service; what it asks for must be free and in range (Kubernetes, "Virtual IPs", "Service ClusterIP allocation"). */
const service: Admit = (cluster, object, type) => {
  const kind = textAt(object, 'spec', 'type');
  if (kind === 'ExternalName') return object;
  const others = cluster.all(type).map(({ view }) => view.spec ?? {});
  const asked = textAt(object, 'spec', 'clusterIP') ?? '';
  const listed = listAt(object, 'spec', 'clusterIPs');
  if (!asked && listed.length > 0)
    throw refused(type, object, 'spec.clusterIPs', 'must be empty when `clusterIP` is not specified', listed);
  const address = asked || allocated(cluster, object, type, others);
  if (asked && asked !== 'None') requireFree(cluster, object, type, asked, others);
  const addressed = [
    [['spec', 'clusterIP'], address],
    [['spec', 'clusterIPs'], [address]],
    [['spec', 'ipFamilies'], ['IPv4']],
    [['spec', 'ipFamilyPolicy'], 'SingleStack'],
  ] as const;
  const done = addressed.reduce<JsonObject>(
    (sum, [path, value]) => (at(sum, ...path) ? sum : set(sum, path, json(value))),
    object,
  );
  return kind === 'NodePort' || kind === 'LoadBalancer' ? withNodePorts(cluster, done, type, others) : done;
};

function allocated(cluster: Cluster, object: JsonObject, type: ResourceType, others: readonly { clusterIP?: string }[]): string {
  const taken = new Set(others.flatMap(({ clusterIP }) => clusterIP ?? []));
  const free = freeAddress(cluster.serviceCidr, taken, cluster.random.integer(10, 60_000));
  if (!free) throw refused(type, object, 'spec.clusterIPs', 'failed to allocate an IP: range is full', []);
  return free;
}

function requireFree(
  cluster: Cluster,
  object: JsonObject,
  type: ResourceType,
  address: string,
  others: readonly { clusterIP?: string }[],
): void {
  const { serviceCidr } = cluster;
  if (!isWithin(address, serviceCidr)) {
    const why = `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${serviceCidr}`;
    throw refused(type, object, 'spec.clusterIPs', why, [address]);
  }
  if (others.some(({ clusterIP }) => clusterIP === address)) {
    throw refused(type, object, 'spec.clusterIPs', `failed to allocate IP ${address}: provided IP is already allocated`, [
      address,
    ]);
  }
}

function withNodePorts(
  cluster: Cluster,
  object: JsonObject,
  type: ResourceType,
  others: readonly { ports?: { nodePort?: number }[] }[],
): JsonObject {
  const taken = new Set(others.flatMap(({ ports = [] }) => ports.flatMap(({ nodePort }) => nodePort ?? [])));
  return listAt(object, 'spec', 'ports').reduce<JsonObject>((done, port, i) => {
    const asked = at(port, 'nodePort');
    if (typeof asked === 'number') {
      if (taken.has(asked)) throw refused(type, object, `spec.ports[${i}].nodePort`, 'provided port is already allocated', asked);
      taken.add(asked);
      return done;
    }
    let chosen = cluster.random.integer(...NODE_PORTS);
    while (taken.has(chosen)) chosen = chosen === NODE_PORTS[1] ? NODE_PORTS[0] : chosen + 1;
    taken.add(chosen);
    return set(done, ['spec', 'ports', i, 'nodePort'], chosen);
  }, object);
}

const refused = (type: ResourceType, object: JsonObject, field: string, why: string, value: Json) =>
  invalid(type, nameOf(object), [
    { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` } satisfies Cause,
  ]);

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** A claim that names no class gets the default one, where there is one (Kubernetes, "DefaultStorageClass"). */
const claim: Admit = (cluster, object) => {
  if (at(object, 'spec', 'storageClassName') !== undefined) return object;
  const classes = cluster.all(builtIn('storage.k8s.io/storageclasses'));
  const found = classes.find(({ view }) => view.metadata.annotations?.[DEFAULT_CLASS] === 'true');
  return found ? set(object, ['spec', 'storageClassName'], found.view.metadata.name) : object;
};

/** A Pod needs its ServiceAccount and its PriorityClass, and gets the account's token (Kubernetes, "Admission Control in Kubernetes"). */
const pod: Admit = (cluster, object, type) => withToken(cluster, withPriority(cluster, withAccount(cluster, object, type), type));

function withAccount(cluster: Cluster, object: JsonObject, type: ResourceType): JsonObject {
  const account = textAt(object, 'spec', 'serviceAccountName') || textAt(object, 'spec', 'serviceAccount') || 'default';
  const namespace = textAt(object, 'metadata', 'namespace') ?? '';
  if (!cluster.find(builtIn('serviceaccounts'), namespace, account)) {
    const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
    throw forbidden(type, nameOf(object), why);
  }
  return set(object, ['spec', 'serviceAccountName'], account);
}

function withPriority(cluster: Cluster, object: JsonObject, type: ResourceType): JsonObject {
  const name = textAt(object, 'spec', 'priorityClassName') ?? '';
  const classes = cluster.all(builtIn('scheduling.k8s.io/priorityclasses'));
  const found = classes.find(({ view }) => (name ? view.metadata.name === name : view.globalDefault === true));
  if (name && !found) throw forbidden(type, nameOf(object), `no PriorityClass with name ${name} was found`);
  const priority = (found?.view.value as number | undefined) ?? 0;
  const asked = at(object, 'spec', 'priority');
  if (asked !== undefined && asked !== priority) {
    throw forbidden(
      type,
      nameOf(object),
      `the integer value of priority (${asked}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  }
  return set(object, ['spec', 'priority'], priority);
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The projected token that every container finds (Kubernetes, "Configure Service Accounts for Pods"). */
function withToken(cluster: Cluster, object: JsonObject): JsonObject {
  const volumes = listAt(object, 'spec', 'volumes');
  const isMounted = volumes.some((volume) => textAt(volume, 'name')?.startsWith('kube-api-access-'));
  if (isMounted || at(object, 'spec', 'automountServiceAccountToken') === false) return object;
  const name = `kube-api-access-${suffix(cluster)}`;
  const volume = objectOf({
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 420,
    },
  });
  const mount = objectOf({ name, readOnly: true, mountPath: TOKEN_PATH });
  const mounted = ['containers', 'initContainers'].reduce<JsonObject>((done, list) => {
    const containers = at(done, 'spec', list);
    if (!isList(containers)) return done;
    const each = containers.map((one) => set(one as JsonObject, ['volumeMounts'], [...listAt(one, 'volumeMounts'), mount]));
    return set(done, ['spec', list], each);
  }, object);
  return set(mounted, ['spec', 'volumes'], [...volumes, volume]);
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters that make no word (apimachinery, `rand.SafeEncodeString`). */
export const suffix = (cluster: Cluster, length = 5): string =>
  Array.from({ length }, () => LETTERS[cluster.random.integer(0, LETTERS.length - 1)]).join('');

/** A Job counts the Pods that bear its uid. What it says already stays, and is refused where it is another's (Kubernetes, "Jobs", "Pod selector"). */
const job: Admit = (_, object) => {
  if (at(object, 'spec', 'manualSelector') === true) return object;
  const uid = textAt(object, 'metadata', 'uid') ?? '';
  const marks = [
    ['batch.kubernetes.io/controller-uid', uid],
    ['batch.kubernetes.io/job-name', nameOf(object)],
    ['controller-uid', uid],
    ['job-name', nameOf(object)],
  ] as const;
  const path = ['spec', 'template', 'metadata', 'labels'];
  const labelled = set(object, path, new Map([...marks, ...objectAt(object, ...path)]));
  const selector = ['spec', 'selector', 'matchLabels', 'batch.kubernetes.io/controller-uid'];
  return at(object, ...selector) === undefined ? set(labelled, selector, uid) : labelled;
};

/** A cluster's own classes are there from its beginning; nobody else's begin so. */
const priorityClass: Admit = (_, object, type) => {
  if (!nameOf(object).startsWith('system-')) return object;
  const why = 'priority class names with "system-" prefix are reserved for system use only';
  throw invalid(type, nameOf(object), [{ reason: 'FieldValueForbidden', field: 'metadata.name', message: `Forbidden: ${why}` }]);
};

const ADMISSIONS: Readonly<Record<string, Admit>> = {
  'batch/jobs': job,
  persistentvolumeclaims: claim,
  pods: pod,
  'scheduling.k8s.io/priorityclasses': priorityClass,
  services: service,
};

export const admitted = (cluster: Cluster, type: ResourceType, object: JsonObject): JsonObject =>
  ADMISSIONS[typeKey(type)]?.(cluster, object, type) ?? object;

/** What an update may leave out without losing it: what admission had set (API, "Service", clusterIP, and the like). */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  'batch/jobs': ['selector'],
  pods: ['serviceAccountName', 'priority'],
  services: ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'],
};

export function keptBy(cluster: Cluster, type: ResourceType, live: JsonObject, next: JsonObject): JsonObject {
  const kind = textAt(next, 'spec', 'type');
  if (typeKey(type) === 'services' && kind === 'ExternalName') return next;
  const whole = (KEPT[typeKey(type)] ?? []).reduce<JsonObject>((done, field) => {
    const was = at(live, 'spec', field);
    return was !== undefined && !at(done, 'spec', field) ? set(done, ['spec', field], was) : done;
  }, next);
  if (typeKey(type) !== 'services' || (kind !== 'NodePort' && kind !== 'LoadBalancer')) return whole;
  const uid = textAt(live, 'metadata', 'uid');
  const others = cluster.all(type).filter(({ view }) => view.metadata.uid !== uid);
  const ports = listAt(whole, 'spec', 'ports').map((port) => withPortOf(live, port));
  return withNodePorts(
    cluster,
    set(whole, ['spec', 'ports'], ports),
    type,
    others.map(({ view }) => view.spec ?? {}),
  );
}

/** The port of the same name and number keeps its node port. */
function withPortOf(live: JsonObject, port: Json): Json {
  const was = listAt(live, 'spec', 'ports').find(
    (one) => at(one, 'name') === at(port, 'name') && at(one, 'port') === at(port, 'port'),
  );
  const nodePort = at(was, 'nodePort');
  return nodePort === undefined || at(port, 'nodePort') !== undefined ? port : set(port as JsonObject, ['nodePort'], nodePort);
}
