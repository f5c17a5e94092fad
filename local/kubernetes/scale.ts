import { type JsonObject, objectOf, plain, set } from './json.ts';
import { badRequest, conflict, STALE } from './problem.ts';
import type { Stored } from './store.ts';
import type { ResourceType } from './types.ts';

const path = (text: string): string[] => text.replace(/^\./, '').split('.');

const pathsOf = ({ custom }: ResourceType): { spec: string[]; status: string[] } => ({
  spec: path(custom?.scale?.specReplicasPath ?? '.spec.replicas'),
  status: path(custom?.scale?.statusReplicasPath ?? '.status.replicas'),
});

const valueAt = (view: any, steps: readonly string[]): number => steps.reduce((value, step) => value?.[step], view) ?? 0;

/** How many there are and should be, for whatever can be scaled (Kubernetes API, "Scale"). */
export function scaleOf(type: ResourceType, { view }: Stored): JsonObject {
  const { spec, status } = pathsOf(type);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = view.metadata;
  const labels =
    view.spec?.selector?.matchLabels ?? (type.resource === 'replicationcontrollers' ? view.spec?.selector : undefined);
  const selector =
    labels &&
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  return objectOf({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(view, spec) },
    status: { replicas: valueAt(view, status), selector },
  });
}

/** The object with as many as a Scale wants. */
export function scaled(type: ResourceType, live: Stored, scale: JsonObject): JsonObject {
  const { metadata, spec } = plain(scale) as { metadata?: { resourceVersion?: string }; spec?: { replicas?: number } };
  const seen = metadata?.resourceVersion;
  if (seen && seen !== live.view.metadata.resourceVersion) throw conflict(type, live.view.metadata.name, STALE);
  const replicas = spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0)
    throw badRequest(`spec.replicas is ${replicas}, and must be a whole number, 0 or more`);
  return set(live.object, pathsOf(type).spec, replicas);
}
