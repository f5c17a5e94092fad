import type { Cluster } from '../cluster.ts';
import { withoutFinalizer } from '../defaults.ts';
import { typesOf } from '../definitions.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, commit, condition, isLeaving, look, own } from './controller.ts';

const DEFINITIONS = builtIn('apiextensions.k8s.io/customresourcedefinitions');
const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';
/** From a definition to its type being served (kubernetes.md §3.1: 2.1 s on a real server). */
const ESTABLISHING = 2;

/** Serves what definitions define a moment later, and deletes its objects before them (Kubernetes, "Custom Resources"). */
export const definitions = (): Controller => {
  const since = new Map<string, number>();
  return {
    name: 'definitions',
    *concerns(_, change) {
      yield* own(DEFINITIONS)(change);
      if (change.type.custom && !change.after) yield change.type.custom.definition;
    },
    reconcile(cluster, name) {
      const found = look(cluster, DEFINITIONS, name);
      if (!found) {
        since.delete(name);
        cluster.serve(name, []);
        return;
      }
      if (isLeaving(found)) return cleanUp(cluster, found);
      const begun = since.get(name) ?? cluster.now();
      since.set(name, begun);
      const wait = begun / 1000 + ESTABLISHING - cluster.now() / 1000;
      if (wait > 0 && !isEstablished(found)) return wait;
      cluster.serve(name, typesOf(found.view));
      establish(cluster, found);
    },
  };
};

const isEstablished = ({ view }: Stored): boolean =>
  (view.status?.conditions ?? []).some(({ type, status }: any) => type === 'Established' && status === 'True');

function establish(cluster: Cluster, found: Stored): void {
  const { names, versions } = found.view.spec;
  const { plural, singular, shortNames, kind, listKind, categories } = names;
  const stored = versions.find(({ storage }: { storage?: boolean }) => storage)?.name;
  amend(cluster, DEFINITIONS, found, [
    [
      ['status'],
      {
        conditions: [
          condition(cluster, found, 'NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'),
          condition(cluster, found, 'Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted'),
        ],
        acceptedNames: { plural, singular, shortNames, kind, listKind, categories },
        storedVersions: [...new Set([...(found.view.status?.storedVersions ?? []), stored])],
      },
    ],
  ]);
}

function cleanUp(cluster: Cluster, found: Stored): void {
  const [type] = typesOf(found.view);
  const objects = type ? cluster.all(type) : [];
  for (const stored of objects)
    if (!isLeaving(stored)) remove(cluster, cluster.typeOf(type!.group, type!.version, type!.resource) ?? type!, stored);
  if (type && cluster.all(type).length > 0) return;
  commit(cluster, DEFINITIONS, found, withoutFinalizer(found.object, CLEANUP));
}
