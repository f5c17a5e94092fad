import { millis } from '../../../aws/clock.ts';
import type { Instant } from '../../../domain.ts';
import type { Cluster } from '../../../kubernetes/client.ts';
import { listAt, newestRevision } from '../../../kubernetes/list.ts';
import { type ApiType, type KubernetesObject, NAMESPACES, PODS, read } from '../../../kubernetes/object.ts';
import { inParallel } from '../../items.ts';
import { type NamedImage, pulledBy } from '../images.ts';

const type = (group: string, version: string, resource: string, kind: string): ApiType => ({
  group,
  version,
  resource,
  kind,
  namespaced: true,
  verbs: ['list'],
});

/** What makes Pods, or will: a Deployment that is scaled to nothing, a CronJob before its hour. */
const MAKERS: readonly ApiType[] = [
  type('apps', 'v1', 'deployments', 'Deployment'),
  type('apps', 'v1', 'statefulsets', 'StatefulSet'),
  type('apps', 'v1', 'daemonsets', 'DaemonSet'),
  type('apps', 'v1', 'replicasets', 'ReplicaSet'),
  type('batch', 'v1', 'cronjobs', 'CronJob'),
  type('batch', 'v1', 'jobs', 'Job'),
];

const WIDTH = 4;

/**
 * Every image that the namespaces' Pods run, and that the templates of what makes Pods name, at one revision of the cluster. With an instant,
 * Pods that were made after it do not count: their images are of a later release. What makes Pods and is itself made by another (a
 * Deployment's ReplicaSets, a CronJob's Jobs) does not count either: its Pods do.
 */
export async function imagesIn(cluster: Cluster, namespaces: readonly string[], until?: Instant): Promise<NamedImage[]> {
  const revision = await newestRevision(cluster, NAMESPACES);
  const lists = namespaces.flatMap((namespace) => [PODS, ...MAKERS].map((of) => ({ of, namespace })));
  const found = await inParallel(lists, WIDTH, async ({ of, namespace }) => {
    const objects = (await listAt(cluster, of, revision, { namespace }))?.objects ?? [];
    return objects.map(({ raw }) => read(raw)).flatMap((object) => (of === PODS ? pod(object, until) : template(object)));
  });
  return found.flat();
}

const pod = (object: KubernetesObject, until: Instant | undefined): NamedImage[] =>
  until !== undefined && millis(object.metadata?.creationTimestamp ?? until) > millis(until) ? [] : pulledBy(object);

function template({ metadata, spec }: KubernetesObject): NamedImage[] {
  if (metadata?.ownerReferences?.some(({ controller }) => controller)) return [];
  const { template } = (spec?.['jobTemplate']?.spec ?? spec ?? {}) as { template?: { spec?: unknown } };
  return pulledBy({ spec: template?.spec });
}
