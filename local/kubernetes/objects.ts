import { admitted, keptBy, suffix } from './admission.ts';
import { accountFor } from './apply.ts';
import type { Cluster } from './cluster.ts';
import { begun, withDefaults } from './defaults.ts';
import { isReleased } from './deletion.ts';
import type { Writer } from './fields.ts';
import { at, isObject, type JsonObject, listAt, objectAt, same, set, textAt, without, write } from './json.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  immutable,
  invalid,
  notFound,
  Problem,
  required,
  STALE,
} from './problem.ts';
import { Stored } from './store.ts';
import { apiVersionOf, builtIn, type ResourceType } from './types.ts';
import { badName, forbiddenChanges, mistakesIn } from './validate.ts';
import { askWebhooks } from './webhooks.ts';

/** Who writes, and whether it is only to see what would come of it. */
export interface Intent {
  readonly writer: Writer;
  readonly dryRun?: boolean;
  /** The fields are accounted for already (server-side apply). */
  readonly accounted?: boolean;
}

/** What a server sets in `metadata`; what a client sends there is replaced or ignored (kubernetes.md §3.4). */
const SERVERS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'resourceVersion',
] as const;

/** Makes an object. Throws a Problem where it exists, may not be, or is none. */
export function create(
  cluster: Cluster,
  type: ResourceType,
  namespace: string | undefined,
  sent: JsonObject,
  intent: Intent,
): Stored {
  const named = withName(cluster, type, placed(type, namespace, typed(type, sent)));
  const name = textAt(named, 'metadata', 'name') ?? '';
  if (textAt(named, 'metadata', 'resourceVersion')) {
    throw new Problem(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
  }
  if (type.namespaced) requireNamespace(cluster, type, namespace!, name);
  const fresh = withDefaults(
    type,
    identified(cluster, type, intent.accounted ? named : without(named, ['metadata', 'managedFields'])),
  );
  const whole = begun(type, admitted(cluster, type, fresh));
  const wrong = [badName(type, name) ?? [], mistakesIn(type, whole)].flat();
  if (wrong.length > 0) throw invalid(type, name, wrong);
  askWebhooks(cluster, type, 'CREATE', whole);
  refuseNamesake(cluster, type, namespace, name);
  const accounted = intent.accounted ? whole : accountFor(type, undefined, whole, intent.writer);
  return intent.dryRun ? new Stored(accounted, 0) : cluster.put(type, accounted);
}

function typed(type: ResourceType, object: JsonObject): JsonObject {
  const apiVersion = textAt(object, 'apiVersion');
  const kind = textAt(object, 'kind');
  if (!kind || !apiVersion)
    throw badRequest(`Object '${kind ? 'apiVersion' : 'Kind'}' is missing in '${write(object).slice(0, 200)}'`);
  if (kind !== type.kind) throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${type.kind}`);
  if (apiVersion !== apiVersionOf(type)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(type)})`,
    );
  }
  return isObject(object.get('metadata')) ? object : set(object, ['metadata'], new Map());
}

function placed(type: ResourceType, namespace: string | undefined, object: JsonObject): JsonObject {
  const named = textAt(object, 'metadata', 'namespace');
  if (!type.namespaced) return without(object, ['metadata', 'namespace']);
  if (named && named !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return set(object, ['metadata', 'namespace'], namespace!);
}

function withName(cluster: Cluster, type: ResourceType, object: JsonObject): JsonObject {
  if (textAt(object, 'metadata', 'name')) return object;
  const prefix = textAt(object, 'metadata', 'generateName');
  if (!prefix) throw invalid(type, '', [required('metadata.name', 'name or generateName is required')]);
  return set(object, ['metadata', 'name'], prefix + suffix(cluster));
}

function requireNamespace(cluster: Cluster, type: ResourceType, namespace: string, name: string): void {
  const NAMESPACES = builtIn('namespaces');
  const found = cluster.find(NAMESPACES, undefined, namespace);
  if (!found) throw notFound(NAMESPACES, namespace);
  if (found.view.metadata.deletionTimestamp) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    throw forbidden(type, name, why, [cause]);
  }
}

function identified(cluster: Cluster, type: ResourceType, object: JsonObject): JsonObject {
  const bare = SERVERS.reduce<JsonObject>((done, field) => without(done, ['metadata', field]), object);
  const ours = [
    ['uid', cluster.random.uuid()],
    ['creationTimestamp', cluster.timestamp()],
    ...(type.generations ? [['generation', 1] as const] : []),
  ] as const;
  const known = ours.reduce<JsonObject>((done, [field, value]) => set(done, ['metadata', field], value), bare);
  return type.subresources.includes('status') ? without(known, ['status']) : known;
}

function refuseNamesake(cluster: Cluster, type: ResourceType, namespace: string | undefined, name: string): void {
  const found = cluster.find(type, namespace, name);
  if (found) throw alreadyExists(type, name, found.view.metadata.deletionTimestamp ? 'object is being deleted: ' : '');
}

/** Changes an object, or with `subresource: 'status'` its status alone. The answer is the object as it was where nothing changes. */
export function update(cluster: Cluster, type: ResourceType, live: Stored, sent: JsonObject, intent: Intent): Stored {
  const { name } = live.view.metadata;
  refuseStranger(type, live, sent);
  const ofStatus = intent.writer.subresource === 'status';
  const next = ofStatus ? withStatusOf(live.object, sent) : statusKept(type, live.object, updated(cluster, type, live, sent));
  if (!ofStatus) {
    const wrong = [...mistakesIn(type, next), ...forbiddenChanges(type, live.object, next)];
    if (wrong.length > 0) throw invalid(type, name, wrong);
    askWebhooks(cluster, type, 'UPDATE', next);
  }
  const accounted = intent.accounted ? next : accountFor(type, live.object, next, intent.writer);
  const counted = type.generations && !ofStatus && wantsOtherwise(live.object, accounted) ? nextGeneration(accounted) : accounted;
  if (isAsBefore(live.object, counted)) return live;
  if (intent.dryRun) return new Stored(counted, live.revision);
  const written = cluster.put(type, counted);
  if (written.view.metadata.deletionTimestamp && isReleased(type, written)) cluster.erase(type, written);
  return written;
}

function refuseStranger(type: ResourceType, live: Stored, sent: JsonObject): void {
  const { name, uid, resourceVersion } = live.view.metadata;
  const seen = textAt(sent, 'metadata', 'resourceVersion');
  if (seen && seen !== resourceVersion) throw conflict(type, name, STALE);
  const meant = textAt(sent, 'metadata', 'uid');
  if (meant && meant !== uid) {
    throw conflict(type, name, `Precondition failed: UID in precondition: ${meant}, UID in object meta: ${uid}`);
  }
}

/** What a client sent, with what only a server sets as it was; members that stay keep the place that the client gave them. */
function updated(cluster: Cluster, type: ResourceType, live: Stored, sent: JsonObject): JsonObject {
  const named = textAt(sent, 'metadata', 'name');
  if (named && named !== live.view.metadata.name) {
    throw badRequest(`the name of the object (${named}) does not match the name on the URL (${live.view.metadata.name})`);
  }
  const its = objectAt(live.object, 'metadata');
  const owned = ['name', 'namespace', ...SERVERS, ...(type.generations ? ['generation'] : [])];
  const next = owned.reduce<JsonObject>(
    (done, field) => (its.has(field) ? set(done, ['metadata', field], its.get(field)!) : without(done, ['metadata', field])),
    placed(type, textAt(live.object, 'metadata', 'namespace'), typed(type, sent)),
  );
  return keptBy(cluster, type, live.object, withDefaults(type, next));
}

function statusKept(type: ResourceType, live: JsonObject, next: JsonObject): JsonObject {
  if (!type.subresources.includes('status')) return next;
  const status = live.get('status');
  return status === undefined ? without(next, ['status']) : set(next, ['status'], status);
}

const withStatusOf = (live: JsonObject, sent: JsonObject): JsonObject => {
  const status = sent.get('status');
  return status === undefined ? without(live, ['status']) : set(live, ['status'], status);
};

/** Whether anything but metadata and status differs. */
function wantsOtherwise(live: JsonObject, next: JsonObject): boolean {
  const names = new Set([...live.keys(), ...next.keys()].filter((name) => name !== 'metadata' && name !== 'status'));
  return [...names].some((name) => !same(live.get(name), next.get(name)));
}

const nextGeneration = (object: JsonObject): JsonObject =>
  set(object, ['metadata', 'generation'], Number(at(object, 'metadata', 'generation') ?? 0) + 1);

/** Times of `managedFields` alone are no change (Kubernetes, "Server-Side Apply"), nor is another order of members. */
const isAsBefore = (live: JsonObject, next: JsonObject): boolean => same(untimed(live), untimed(next), { spelling: true });

const untimed = (object: JsonObject): JsonObject => {
  const entries = listAt(object, 'metadata', 'managedFields');
  const bare = entries.map((entry) => without(entry as JsonObject, ['time']));
  return entries.length > 0 ? set(object, ['metadata', 'managedFields'], bare) : object;
};

export const wrongUid = (type: ResourceType, name: string): Problem => invalid(type, name, [immutable('metadata.uid')]);
