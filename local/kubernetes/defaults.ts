import { at, isList, isObject, type Json, type JsonObject, json, listAt, type Path, set, textAt, without } from './json.ts';
import { type ResourceType, typeKey } from './types.ts';

type Fill = (object: JsonObject) => JsonObject;

/** Sets what is not there. */
const filled =
  (path: Path, value: unknown): Fill =>
  (object) =>
    at(object, ...path) === undefined ? set(object, path, json(value)) : object;

const all =
  (...fills: readonly Fill[]): Fill =>
  (object) =>
    fills.reduce((done, fill) => fill(done), object);

/** Does something to every object of a list, where there is one. */
const each =
  (path: Path, fill: Fill): Fill =>
  (object) => {
    const list = at(object, ...path);
    return isList(list)
      ? set(
          object,
          path,
          list.map((item) => (isObject(item) ? fill(item) : item)),
        )
      : object;
  };

/** Does something to the object at a path, where there is one. */
const within =
  (path: Path, fill: Fill): Fill =>
  (object) => {
    const inner = at(object, ...path);
    return isObject(inner) ? set(object, path, fill(inner)) : object;
  };

const container: Fill = all(each(['ports'], filled(['protocol'], 'TCP')), (object) => {
  const image = textAt(object, 'image') ?? '';
  const latest = !image.includes('@') && (/:latest$/.test(image) || !/:[^/]+$/.test(image));
  return filled(['imagePullPolicy'], latest ? 'Always' : 'IfNotPresent')(object);
});

const podSpec = (restartPolicy: string | undefined): Fill =>
  all(
    each(['containers'], container),
    each(['initContainers'], container),
    ...(restartPolicy ? [filled(['restartPolicy'], restartPolicy)] : []),
    filled(['terminationGracePeriodSeconds'], 30),
    filled(['dnsPolicy'], 'ClusterFirst'),
    filled(['schedulerName'], 'default-scheduler'),
  );

const template = (restartPolicy: string | undefined = 'Always'): Fill =>
  within(['spec', 'template', 'spec'], podSpec(restartPolicy));

/** Secrets are written as text by people and kept as base64 (Kubernetes, "Secrets": stringData is write-only). */
function encodeSecret(object: JsonObject): JsonObject {
  const text = at(object, 'stringData');
  if (!isObject(text)) return object;
  return [...text].reduce<JsonObject>(
    (done, [name, value]) => set(done, ['data', name], Buffer.from(String(value)).toString('base64')),
    without(object, ['stringData']),
  );
}

const apiGroupOf = (subject: JsonObject): Fill =>
  textAt(subject, 'kind') === 'ServiceAccount' ? (same) => same : filled(['apiGroup'], 'rbac.authorization.k8s.io');
const subjects = each(['subjects'], (subject) => apiGroupOf(subject)(subject));

function definitionNames(object: JsonObject): JsonObject {
  const kind = textAt(object, 'spec', 'names', 'kind') ?? '';
  return all(
    filled(['spec', 'names', 'singular'], kind.toLowerCase()),
    filled(['spec', 'names', 'listKind'], `${kind}List`),
    filled(['spec', 'conversion'], { strategy: 'None' }),
  )(object);
}

const volumeClaim = filled(['spec', 'volumeMode'], 'Filesystem');

/** Annotations that did, before there was a field, what the field does now (Kubernetes, "Storage Classes", "Deprecated annotations"). */
const CLASS_ANNOTATION = ['metadata', 'annotations', 'volume.beta.kubernetes.io/storage-class'];

const claimClass: Fill = (object) => {
  const named = textAt(object, ...CLASS_ANNOTATION);
  return named === undefined ? object : filled(['spec', 'storageClassName'], named)(object);
};

/** What an API server fills in, as far as anything in a cluster acts on it; what only repeats the obvious is left as the client wrote it. */
const DEFAULTS: Readonly<Record<string, Fill>> = {
  'apps/daemonsets': all(
    template(),
    filled(['spec', 'updateStrategy'], { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }),
    filled(['spec', 'revisionHistoryLimit'], 10),
  ),
  'apps/deployments': all(
    template(),
    filled(['spec', 'replicas'], 1),
    filled(['spec', 'strategy'], { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }),
    filled(['spec', 'revisionHistoryLimit'], 10),
    filled(['spec', 'progressDeadlineSeconds'], 600),
  ),
  'apps/replicasets': all(template(), filled(['spec', 'replicas'], 1)),
  'apps/statefulsets': all(
    template(),
    filled(['spec', 'replicas'], 1),
    filled(['spec', 'podManagementPolicy'], 'OrderedReady'),
    filled(['spec', 'updateStrategy'], { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }),
    filled(['spec', 'revisionHistoryLimit'], 10),
    filled(['spec', 'persistentVolumeClaimRetentionPolicy'], { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    each(
      ['spec', 'volumeClaimTemplates'],
      all(
        filled(['kind'], 'PersistentVolumeClaim'),
        filled(['apiVersion'], 'v1'),
        volumeClaim,
        filled(['status'], { phase: 'Pending' }),
      ),
    ),
  ),
  'autoscaling/horizontalpodautoscalers': filled(['spec', 'minReplicas'], 1),
  'batch/cronjobs': all(
    within(['spec', 'jobTemplate', 'spec', 'template', 'spec'], podSpec(undefined)),
    filled(['spec', 'concurrencyPolicy'], 'Allow'),
    filled(['spec', 'suspend'], false),
    filled(['spec', 'successfulJobsHistoryLimit'], 3),
    filled(['spec', 'failedJobsHistoryLimit'], 1),
  ),
  'batch/jobs': all(
    template('Never'),
    filled(['spec', 'completions'], 1),
    filled(['spec', 'parallelism'], 1),
    filled(['spec', 'backoffLimit'], 6),
    filled(['spec', 'completionMode'], 'NonIndexed'),
    filled(['spec', 'suspend'], false),
  ),
  'apiextensions.k8s.io/customresourcedefinitions': definitionNames,
  namespaces: all(filled(['spec', 'finalizers'], ['kubernetes']), (object) =>
    set(object, ['metadata', 'labels', 'kubernetes.io/metadata.name'], textAt(object, 'metadata', 'name') ?? ''),
  ),
  persistentvolumeclaims: all(claimClass, volumeClaim),
  persistentvolumes: all(filled(['spec', 'persistentVolumeReclaimPolicy'], 'Retain'), volumeClaim, claimClass),
  pods: within(['spec'], podSpec('Always')),
  'rbac.authorization.k8s.io/clusterrolebindings': subjects,
  'rbac.authorization.k8s.io/rolebindings': subjects,
  replicationcontrollers: all(template(), filled(['spec', 'replicas'], 1)),
  secrets: all(encodeSecret, filled(['type'], 'Opaque')),
  services: all(
    filled(['spec', 'type'], 'ClusterIP'),
    filled(['spec', 'sessionAffinity'], 'None'),
    filled(['spec', 'internalTrafficPolicy'], 'Cluster'),
    each(
      ['spec', 'ports'],
      all(filled(['protocol'], 'TCP'), (port) => filled(['targetPort'], at(port, 'port') ?? null)(port)),
    ),
  ),
  'storage.k8s.io/storageclasses': all(filled(['reclaimPolicy'], 'Delete'), filled(['volumeBindingMode'], 'Immediate')),
};

export const withDefaults = (type: ResourceType, object: JsonObject): JsonObject => DEFAULTS[typeKey(type)]?.(object) ?? object;

/** The status that a new object begins with, and the finalizers that guard it from its first moment. */
const BEGINNINGS: Readonly<Record<string, { readonly status?: object; readonly finalizer?: string }>> = {
  namespaces: { status: { phase: 'Active' } },
  persistentvolumeclaims: { status: { phase: 'Pending' }, finalizer: 'kubernetes.io/pvc-protection' },
  persistentvolumes: { status: { phase: 'Pending' }, finalizer: 'kubernetes.io/pv-protection' },
  pods: { status: { phase: 'Pending' } },
  services: { status: { loadBalancer: {} } },
};

export function begun(type: ResourceType, object: JsonObject): JsonObject {
  const { status, finalizer } = BEGINNINGS[typeKey(type)] ?? {};
  const guarded = finalizer === undefined ? object : withFinalizer(object, finalizer);
  return status ? set(guarded, ['status'], json(status)) : guarded;
}

export function withFinalizer(object: JsonObject, finalizer: string): JsonObject {
  const known: readonly Json[] = listAt(object, 'metadata', 'finalizers');
  return known.includes(finalizer) ? object : set(object, ['metadata', 'finalizers'], [...known, finalizer]);
}

export function withoutFinalizer(object: JsonObject, ...gone: readonly string[]): JsonObject {
  const left = listAt(object, 'metadata', 'finalizers').filter((finalizer) => !gone.includes(String(finalizer)));
  const path = ['metadata', 'finalizers'];
  return left.length > 0 ? set(object, path, left) : without(object, path);
}
