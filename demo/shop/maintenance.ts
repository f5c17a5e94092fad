import type { Cluster } from './cluster.ts';
import type { Site } from './door.ts';
import { Maintenance } from './freeze.ts';
import { NAMESPACE } from './manifests.ts';
import type { Names } from './resources.ts';
import { everyStore, SORTS, STORES, type Stores } from './stores.ts';
import { definitionsPosition, maintenanceWord, type Trace } from './traces.ts';
import { type Uploads, uploadsArn } from './uploads.ts';
import type { Misbehaviour, Writers } from './writers.ts';

/** All of a shop that a freeze has to do with. */
interface Holding {
  readonly here: Site;
  readonly names: Names;
  readonly stores: Stores;
  readonly uploads: Uploads | undefined;
  readonly writers: Writers;
  readonly misbehaviour: Misbehaviour;
  readonly cluster: Cluster | undefined;
}

/** The maintenance mode of a shop: what it holds, where everything stands, and what it leaves behind meanwhile. */
export function maintenanceOf({ here, names, stores, uploads, writers, misbehaviour, cluster }: Holding): Maintenance {
  const stands = everyStore((store, { word, arn }) => [arn(names.place, names[word]), () => stores[store].position()] as const);
  return new Maintenance({
    writers,
    stores: Object.values(stores),
    positions: {
      ...Object.fromEntries(Object.values(stands)),
      ...(uploads && names.uploads ? { [uploadsArn(names.place, names.uploads)]: async () => uploads.position() } : {}),
      ...(cluster ? { [`${cluster.arn}/${NAMESPACE}`]: () => definitionsPosition(cluster, NAMESPACE) } : {}),
    },
    traces: [...ownTraces(here, names, stores), ...(cluster ? [maintenanceWord(cluster, NAMESPACE)] : [])],
    clock: here.clock,
    misbehaviour,
  });
}

/** What a freeze leaves in the stores that the shop has open. */
const ownTraces = (here: Site, names: Names, stores: Stores): Trace[] =>
  STORES.flatMap((store) => {
    const { word, trace } = SORTS[store];
    const { [store]: open } = stores;
    if (!trace) return [];
    const plain = trace(here, names[word]);
    const { leave } = open;
    return [leave ? { ...plain, leave: leave.bind(open), undo: () => leave.call(open, undefined) } : plain];
  });
