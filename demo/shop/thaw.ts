import type { Clock } from '../../functions/aws/clock.ts';
import type { Place, Rename } from '../../functions/domain.ts';
import type { Cluster } from './cluster.ts';
import type { Disk } from './database.ts';
import { persist, type ShopDoor } from './door.ts';
import { type Names, resourceIds } from './resources.ts';
import { controlItem, frozenNamespaces, header, maintenanceWord, type Trace, withinAnHour } from './traces.ts';

/** What the shop's stores are called after a restore: those that were not renamed were not restored. */
export function namesAfter(names: Names, place: Place, renames: readonly Rename[]): Partial<Names> & { readonly place: Place } {
  const ids = resourceIds(names);
  const renamed = (name: string, arn: string) => {
    const found = renames.find(({ was }) => was === name || was === arn);
    return found?.is.split(/[/:]/).at(-1);
  };
  const [volume, table, bucket] = [
    renamed(names.volume, ids.database),
    renamed(names.table, ids.table),
    renamed(names.bucket, ids.bucket),
  ];
  return { place, ...(volume ? { volume } : {}), ...(table ? { table } : {}), ...(bucket ? { bucket } : {}) };
}

export interface Restored {
  readonly names: Partial<Names>;
  readonly aws: ShopDoor;
  readonly disk: (volume: string) => Disk;
  readonly cluster?: Cluster;
  readonly cut: string;
}

/** Wakes up what was restored: undoes whatever the freeze had left in it. Answers where something was undone; doing it again finds nothing. */
export async function thaw({ names, aws, disk, cluster, cut }: Restored, clock: Clock): Promise<string[]> {
  const stopped = withinAnHour(clock);
  const namespaces = cluster ? await persist(clock, () => frozenNamespaces(cluster, cut), stopped) : [];
  const traces: Trace[] = [
    ...(names.volume ? [header(disk(names.volume), names.volume)] : []),
    ...(names.table ? [controlItem(aws, names.table)] : []),
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
