import { instant } from '../../aws/clock.ts';
import type { Item, Layer, Restored } from '../../domain.ts';
import type { RestoreWork } from '../../kinds/kind.ts';
import { noteRestore, type ReadRestore, type RestoreProgress, readRestore } from '../../vault/restores.ts';
import { advance } from '../settle.ts';
import { type Stage, step } from '../step.ts';
import { type Restoring, restoreWorks } from './plan.ts';

const FIRST: readonly Layer[] = ['storage', 'data-service'];

/** Makes what holds data: storage and data services, all at once, beside the originals. */
export const provision = step({
  name: 'restore-provision',
  duty: 'restore',
  uses: { readRestore, noteRestore },
  kinds: ['restore.start'],
  layers: FIRST,
  limits: { seconds: 600, memoryMb: 1024 },
  run: ({ readRestore, noteRestore }, restoring: Restoring, stage: Stage): Promise<Restoring> =>
    startLayers('Provision', FIRST, restoring, stage, { readRestore, noteRestore }),
});

interface Ledger {
  readRestore(name: Restoring): Promise<ReadRestore>;
  noteRestore(noted: Restoring & { progress: RestoreProgress; etag: string | undefined }): Promise<string>;
}

/** Adds the items of these layers to what is under way and starts them. Called again, it goes on with what is there. */
export async function startLayers(
  name: string,
  layers: readonly Layer[],
  restoring: Restoring,
  stage: Stage,
  ledger: Ledger,
): Promise<Restoring> {
  const { plan, progress, etag } = await ledger.readRestore(restoring);
  const before = progress ?? { owner: restoring.owner, items: [], renames: [], marks: [] };
  const works = restoreWorks(plan, stage.vault.place, before);
  const mine = await ofLayers(works, layers, stage);
  const known = new Set(before.items.map(({ resource }) => resource));
  const added = mine
    .filter(({ resource }) => !known.has(resource.id))
    .map(
      ({ resource }): Item<Restored> => ({
        resource: resource.id,
        state: 'waiting',
        until: plan.plannedAt,
        why: 'It is not being restored yet.',
      }),
    );
  const marked = mark(before, name, stage);
  const items = await advance<RestoreWork, Restored>('restore', mine, [...before.items, ...added], stage, { settles: false });
  await ledger.noteRestore({ ...restoring, progress: { ...marked, items }, etag });
  return only(restoring);
}

async function ofLayers(works: readonly RestoreWork[], layers: readonly Layer[], stage: Stage): Promise<RestoreWork[]> {
  const kinds = await Promise.all([...new Set(works.map(({ resource }) => resource.kind))].map(stage.kind));
  const names = new Set(kinds.filter(({ layer }) => layers.includes(layer)).map((kind) => kind.name));
  return works.filter(({ resource }) => names.has(resource.kind));
}

/** Notes when a stage began, once. */
export const mark = <P extends Pick<RestoreProgress, 'marks'>>(progress: P, name: string, { clock }: Pick<Stage, 'clock'>): P =>
  progress.marks.some((one) => one.name === name)
    ? progress
    : { ...progress, marks: [...progress.marks, { name, at: instant(clock.now()) }] };

export const only = ({ application, owner, restore }: Restoring): Restoring => ({ application, owner, restore });
