import type { Rename } from '../../../domain.ts';
import { type Captured, read, typeKey } from '../../../kubernetes/object.ts';
import { fileSystemIn, isEbs, type NewVolume, sourceOf } from '../../../kubernetes/volumes.ts';

/** What is known of the restored disks when volumes are planned. */
export interface Disks {
  readonly namespace: string;
  readonly restore: string;
  readonly renames: readonly Rename[];
  /** The restored disks by the ids of the old. */
  readonly disks: ReadonlyMap<string, NewVolume>;
  /** Whether disks are only known once they are made: then none that is missing is a problem. */
  readonly foreseen: boolean;
  /** The ids of file systems that come back with the application. */
  readonly members: ReadonlySet<string>;
}

export interface VolumePlan {
  /** The new names of volumes that are bound to a claim of the namespace, by their old. */
  readonly names: ReadonlyMap<string, { readonly name: string; readonly disk?: NewVolume }>;
  readonly dropped: ReadonlySet<Captured>;
  readonly binds: readonly string[];
  readonly reclaims: readonly { readonly name: string; readonly policy: string }[];
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** Decides of every volume what it becomes: one over the restored disk, or none, for no restore may bind what the original uses. */
export function volumePlan(objects: readonly Captured[], options: Disks): VolumePlan {
  const fates = objects
    .filter(({ type }) => typeKey(type) === 'persistentvolumes')
    .map((object) => ({ object, ...fateOf(object, options) }));
  return {
    names: new Map(fates.flatMap(({ object, becomes }) => (becomes ? [[object.name, becomes]] : []))),
    dropped: new Set(fates.flatMap(({ object, becomes }) => (becomes ? [] : [object]))),
    binds: fates.flatMap(({ bind }) => bind ?? []),
    reclaims: fates.flatMap(({ becomes, policy }) => (becomes && policy !== 'Retain' ? [{ name: becomes.name, policy }] : [])),
    notes: fates.flatMap(({ note }) => note ?? []),
    problems: fates.flatMap(({ problem }) => problem ?? []),
  };
}

interface Fate {
  readonly becomes?: { readonly name: string; readonly disk?: NewVolume };
  readonly policy: string;
  readonly bind?: string;
  readonly note?: string;
  readonly problem?: string;
}

function fateOf(object: Captured, { namespace, restore, renames, disks, foreseen, members }: Disks): Fate {
  const pv = read(object.raw);
  const policy: string = pv['spec']?.persistentVolumeReclaimPolicy ?? 'Retain';
  const source = sourceOf(pv);
  const claim = `${namespace}/${pv['spec']?.claimRef?.name}`;
  const name = `${object.name}-${restore}`;
  const bound = (is: string, disk?: NewVolume): Fate => {
    return { becomes: { name, ...(disk ? { disk } : {}) }, policy, bind: `${claim} → ${name} → ${is}` };
  };
  const id = source && fileSystemIn(source);
  const is = renames.find(({ was }) => was === id)?.is;
  if (source && isEbs(source)) {
    const disk = disks.get(source.handle);
    if (disk) return bound(disk.id, disk);
    if (foreseen) return bound(`what ${source.handle} becomes`);
    const became = is === undefined ? 'which this restore has not brought back' : `which became ${is}, and that is not there`;
    return { policy, problem: `Claim ${claim} was on ${source.handle}, ${became}; restore from a point that holds that volume.` };
  }
  if (is !== undefined) return bound(is);
  if (id !== undefined && foreseen && members.has(id)) return bound(`what ${id} becomes`);
  const kept = source ? `${source.driver} ${source.handle}` : object.name;
  return { policy, note: `not brought back: what claim ${claim} kept on ${kept}; the claim is empty.` };
}
