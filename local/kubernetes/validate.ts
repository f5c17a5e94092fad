import { at, isObject, type JsonObject, plain, same, textAt } from './json.ts';
import { type Cause, forbiddenField, immutable, required } from './problem.ts';
import { bytesOf } from './quantity.ts';
import { selects } from './select.ts';
import { type ResourceType, typeKey } from './types.ts';

type Check = (object: any) => readonly Cause[];

const needs =
  (...fields: readonly string[]): Check =>
  (object) =>
    fields.flatMap((field) =>
      field.split('.').reduce((value, name) => value?.[name], object) === undefined ? [required(field)] : [],
    );

const both =
  (...checks: readonly Check[]): Check =>
  (object) =>
    checks.flatMap((check) => check(object));

/** A workload whose template does not match its own selector would make Pods for ever (Kubernetes, "Deployments", "Selector"). */
const workload: Check = both(needs('spec.selector', 'spec.template'), ({ spec }) =>
  spec?.selector && !selects(spec.selector, spec.template?.metadata?.labels)
    ? [
        {
          reason: 'FieldValueInvalid',
          field: 'spec.template.metadata.labels',
          message: `Invalid value: ${JSON.stringify(spec.template?.metadata?.labels ?? null)}: \`selector\` does not match template \`labels\``,
        },
      ]
    : [],
);

const RULES: Readonly<Record<string, Check>> = {
  'apps/daemonsets': workload,
  'apps/deployments': workload,
  'apps/replicasets': workload,
  'apps/statefulsets': workload,
  'batch/cronjobs': needs('spec.schedule', 'spec.jobTemplate'),
  'batch/jobs': both(needs('spec.template'), jobSelector),
  'apiextensions.k8s.io/customresourcedefinitions': both(
    needs('spec.group', 'spec.names.plural', 'spec.names.kind', 'spec.scope', 'spec.versions'),
    ({ metadata, spec }) =>
      metadata?.name === `${spec?.names?.plural}.${spec?.group}`
        ? []
        : [
            {
              reason: 'FieldValueInvalid',
              field: 'metadata.name',
              message: `Invalid value: "${metadata?.name}": must be spec.names.plural+"."+spec.group`,
            },
          ],
  ),
  persistentvolumeclaims: needs('spec.accessModes', 'spec.resources.requests.storage'),
  persistentvolumes: needs('spec.capacity.storage', 'spec.accessModes'),
  pods: needs('spec.containers'),
  'rbac.authorization.k8s.io/clusterrolebindings': needs('roleRef.name'),
  'rbac.authorization.k8s.io/rolebindings': needs('roleRef.name'),
  services: ({ spec }) =>
    spec?.type !== 'ExternalName' && !spec?.ports?.length && spec?.clusterIP !== 'None' ? [required('spec.ports')] : [],
  'storage.k8s.io/storageclasses': needs('provisioner'),
};

/** A Job keeps the selector that was made for it; another's would count another's Pods (Kubernetes, "Jobs", "Specifying your own Pod selector"). */
function jobSelector({ metadata, spec }: any): readonly Cause[] {
  const labels = spec?.template?.metadata?.labels ?? {};
  const wanted = { 'controller-uid': metadata?.uid, 'job-name': metadata?.name };
  const marks = Object.entries(wanted).flatMap(([name, value]) =>
    [name, `batch.kubernetes.io/${name}`].map((label) => [label, value]),
  );
  const foreign = spec?.manualSelector === true ? [] : marks.filter(([label, value]) => (labels[label] ?? value) !== value);
  const causes = foreign.map(([label, value]) => ({
    reason: 'FieldValueInvalid',
    field: `spec.template.metadata.labels[${label}]`,
    message: `Invalid value: ${JSON.stringify(labels[label])}: must be '${value}'`,
  }));
  if (!spec?.selector || selects(spec.selector, labels)) return causes;
  return [
    ...causes,
    { reason: 'FieldValueInvalid', field: 'spec.selector', message: 'Invalid value: `selector` not auto-generated' },
  ];
}

export const mistakesIn = (type: ResourceType, object: JsonObject): readonly Cause[] =>
  RULES[typeKey(type)]?.(plain(object)) ?? [];

/** A name as `metadata.name` may be (Kubernetes, "Object Names and IDs"); RBAC's are looser. */
export function badName({ group }: ResourceType, name: string): Cause | undefined {
  const pattern = group === 'rbac.authorization.k8s.io' ? /^(?!\.{1,2}$)[^/%]+$/ : /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
  if (pattern.test(name) && name.length <= 253) return undefined;
  return {
    reason: 'FieldValueInvalid',
    field: 'metadata.name',
    message: `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
  };
}

/** What an update may not change, once it is set (kubernetes.md §3.5): fields by their paths. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  'apps/daemonsets': ['spec.selector'],
  'apps/deployments': ['spec.selector'],
  'apps/replicasets': ['spec.selector'],
  'batch/jobs': ['spec.selector', 'spec.template', 'spec.completionMode', 'spec.completions'],
  'apiextensions.k8s.io/customresourcedefinitions': ['spec.group', 'spec.names.plural', 'spec.names.kind', 'spec.scope'],
  persistentvolumes: ['spec.nodeAffinity', 'spec.volumeMode'],
  'rbac.authorization.k8s.io/clusterrolebindings': ['roleRef'],
  'rbac.authorization.k8s.io/rolebindings': ['roleRef'],
  'scheduling.k8s.io/priorityclasses': ['value'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.clusterIPs'],
  'storage.k8s.io/storageclasses': ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'],
};

/** Of these specs nothing may change but what is named. */
const FIXED_BUT: Readonly<Record<string, { readonly free: readonly string[]; readonly why: string }>> = {
  'apps/statefulsets': {
    free: [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ],
    why: "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  },
  persistentvolumeclaims: {
    free: ['resources', 'volumeAttributesClassName'],
    why: 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
  },
  pods: {
    free: [
      'activeDeadlineSeconds',
      'tolerations',
      'terminationGracePeriodSeconds',
      'schedulingGates',
      'containers',
      'initContainers',
    ],
    why: 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds`',
  },
};

const SOURCES = ['csi', 'awsElasticBlockStore', 'nfs', 'hostPath', 'local', 'iscsi', 'fc'];

/** Why an update is none. */
export function forbiddenChanges(type: ResourceType, live: JsonObject, next: JsonObject): readonly Cause[] {
  const key = typeKey(type);
  const fixed = (FIXED[key] ?? []).flatMap((field) => {
    const path = field.split('.');
    const was = at(live, ...path);
    return was === undefined || same(was, at(next, ...path)) || isFreeNow(key, field, live, next) ? [] : [immutable(field)];
  });
  return [
    ...fixed,
    ...changesOfSpec(key, live, next),
    ...shrinking(key, live, next),
    ...changesOfSource(key, live, next),
    ...changesOfSealed(live, next),
  ];
}

/** A Service that becomes or was an ExternalName has no address to keep. */
const isFreeNow = (key: string, field: string, live: JsonObject, next: JsonObject): boolean =>
  key === 'services' &&
  field.startsWith('spec.clusterIP') &&
  [live, next].some((object) => at(object, 'spec', 'type') === 'ExternalName' || at(object, 'spec', 'clusterIP') === '');

function changesOfSpec(key: string, live: JsonObject, next: JsonObject): Cause[] {
  const rule = FIXED_BUT[key];
  const [was, is] = [at(live, 'spec'), at(next, 'spec')];
  if (!rule || !isObject(was) || !isObject(is)) return [];
  const names = new Set([...was.keys(), ...is.keys()]);
  const changed = [...names].filter((name) => !rule.free.includes(name) && !same(was.get(name), is.get(name)));
  if (key === 'persistentvolumeclaims' && changed.every((name) => name === 'volumeName') && !was.get('volumeName')) return [];
  if (key === 'pods' && changed.every((name) => name === 'nodeName') && !was.get('nodeName')) return [];
  return changed.length > 0 ? [forbiddenField('spec', rule.why)] : [];
}

const REQUEST = ['spec', 'resources', 'requests', 'storage'] as const;

function shrinking(key: string, live: JsonObject, next: JsonObject): Cause[] {
  if (key !== 'persistentvolumeclaims') return [];
  const [was, is] = [live, next].map((claim) => bytesOf(textAt(claim, ...REQUEST)));
  return was !== undefined && is !== undefined && is < was
    ? [forbiddenField(REQUEST.join('.'), 'field can not be less than status.capacity')]
    : [];
}

function changesOfSource(key: string, live: JsonObject, next: JsonObject): Cause[] {
  if (key !== 'persistentvolumes' || SOURCES.every((source) => same(at(live, 'spec', source), at(next, 'spec', source))))
    return [];
  return [forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')];
}

/** `immutable: true` on a ConfigMap or Secret (Kubernetes, "Immutable ConfigMaps"). */
function changesOfSealed(live: JsonObject, next: JsonObject): Cause[] {
  if (live.get('immutable') !== true) return [];
  return ['data', 'binaryData', 'immutable'].flatMap((field) =>
    same(live.get(field), next.get(field)) ? [] : [forbiddenField(field, `field is immutable when \`immutable\` is set`)],
  );
}
