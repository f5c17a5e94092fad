import type { Place, Rename } from '../../functions/domain.ts';
import type { Cluster } from './cluster.ts';
import { persist, type Site } from './door.ts';
import { idsOf, type Names } from './resources.ts';
import { SORTS, STORES } from './stores.ts';
import { frozenNamespaces, maintenanceWord, type Trace, withinAnHour } from './traces.ts';

/** What the shop's parts are called after a restore: those that were not renamed were not restored. */
export function namesAfter(names: Names, place: Place, renames: readonly Rename[]): Partial<Names> & { readonly place: Place } {
  const renamed = idsOf(names).flatMap(({ word, name, arn }) => {
    const found = renames.find(({ was }) => was === name || was === arn);
    return found ? [[word, found.is.split(/[/:]/).at(-1)!] as const] : [];
  });
  return { place, ...Object.fromEntries(renamed) };
}

export interface Restored {
  readonly names: Partial<Names>;
  readonly site: Site;
  readonly cluster?: Cluster;
  readonly cut: string;
}

/** Wakes up what was restored: undoes whatever the freeze had left in it. Answers where something was undone; doing it again finds nothing. */
export async function thaw({ names, site, cluster, cut }: Restored): Promise<string[]> {
  const { clock } = site;
  const stopped = withinAnHour(clock);
  const namespaces = cluster ? await persist(clock, () => frozenNamespaces(cluster, cut), stopped) : [];
  const traces: Trace[] = [
    ...STORES.flatMap((store) => {
      const { word, trace } = SORTS[store];
      const name = names[word];
      return name && trace ? [trace(site, name)] : [];
    }),
    ...namespaces.map((namespace) => maintenanceWord(cluster!, namespace)),
  ];
  const undone = await Promise.all(
    traces.map((trace) =>
      persist(
        clock,
        async () => {
          if (!(await trace.stands())) return [];
          await trace.undo();
          return [trace.where];
        },
        stopped,
      ),
    ),
  );
  return undone.flat();
}
