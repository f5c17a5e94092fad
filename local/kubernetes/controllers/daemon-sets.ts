import { remove } from '../deletion.ts';
import { at, listAt, type objectAt, set } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, isLeaving, keyIn, look, own, ownedBy, ownersIn } from './controller.ts';
import { NODES } from './nodes.ts';
import { hashOf, isFinished, isReady, makePod, PODS } from './templates.ts';

const SETS = builtIn('apps/daemonsets');
const REVISION = 'controller-revision-hash';

/** Keeps one Pod on every Node that its selector chooses (Kubernetes, "DaemonSet"). Taints are not looked at. */
export const daemonSets = (): Controller => ({
  name: 'daemonsets',
  *concerns(cluster, change) {
    yield* own(SETS)(change);
    if (change.type === PODS) yield* ownersIn(change, 'DaemonSet');
    if (change.type === NODES && !(change.before && change.after)) yield* cluster.all(SETS).map(keyIn);
  },
  reconcile(cluster, key) {
    const found = look(cluster, SETS, key);
    if (!found || isLeaving(found)) return;
    const revision = hashOf(found.view.spec.template);
    const pods = ownedBy(cluster, found.view.metadata.uid, PODS).filter((pod) => !isLeaving(pod));
    const wanted = cluster
      .all(NODES)
      .filter((node) => isChosen(found, node))
      .map(({ view }) => view.metadata.name as string);
    for (const pod of pods) {
      const isStale = pod.view.metadata.labels?.[REVISION] !== revision && found.view.spec.updateStrategy?.type !== 'OnDelete';
      if (isFinished(pod) || isStale || !wanted.includes(nodeOf(pod))) remove(cluster, PODS, pod);
    }
    const served = new Set(ownedBy(cluster, found.view.metadata.uid, PODS).map(nodeOf));
    for (const node of wanted.filter((name) => !served.has(name))) {
      makePod(cluster, { type: SETS, workload: found, labels: { [REVISION]: revision }, spec: (spec) => onNode(spec, node) });
    }
    const ready = pods.filter(isReady).length;
    amend(cluster, SETS, found, [
      [
        ['status'],
        {
          currentNumberScheduled: served.size,
          numberMisscheduled: 0,
          desiredNumberScheduled: wanted.length,
          numberReady: ready,
          observedGeneration: found.view.metadata.generation,
          updatedNumberScheduled: pods.filter((pod) => pod.view.metadata.labels?.[REVISION] === revision).length,
          ...(ready > 0 ? { numberAvailable: ready } : {}),
          ...(ready < wanted.length ? { numberUnavailable: wanted.length - ready } : {}),
        },
      ],
    ]);
  },
});

function isChosen({ view }: Stored, node: Stored): boolean {
  const wanted = Object.entries((view.spec.template?.spec?.nodeSelector ?? {}) as Record<string, string>);
  return wanted.every(([key, value]) => node.view.metadata.labels?.[key] === value);
}

const AFFINITY = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'];

/** A Pod is bound to its Node by its affinity, which the scheduler obeys. */
const onNode = (spec: ReturnType<typeof objectAt>, node: string): ReturnType<typeof objectAt> =>
  set(spec, AFFINITY, [
    new Map([
      [
        'matchFields',
        [
          new Map([
            ['key', 'metadata.name'],
            ['operator', 'In'],
            ['values', [node]],
          ] as [string, any][]),
        ],
      ],
    ]),
  ]);

export const nodeOf = (pod: Stored): string => {
  const term = listAt(pod.object, 'spec', ...AFFINITY)[0];
  return pod.view.spec.nodeName ?? (at(term, 'matchFields', 0, 'values', 0) as string | undefined) ?? '';
};
