import { earlierArtifact, isYoung, slowWord } from '../../decide/slow.ts';
import { type Artifact, type Item, type Plan, type Progress, pointId, type Resource, type Sealed } from '../../domain.ts';
import { done, type Stray } from '../../kinds/kind.ts';
import { groupBy } from '../settle.ts';
import type { Stage } from '../step.ts';

type Items = readonly Item<Artifact>[];
type ListSealed = (of: { application: string; last: number }) => Promise<readonly { readonly point: Sealed }[]>;

/** How many points back an earlier artifact is looked for: a point that carries one is as good as the point that made it. */
const POINTS_BACK = 5;

/**
 * Slow members that keep a cadence of their own: a point in between takes what the last one has. `young` takes it where it is young enough,
 * before anything is started; `fallBack` where a new one is due and cannot be had now, and says why.
 */
export async function cadences(
  plan: Plan,
  { cut, items }: Progress,
  stage: Stage,
  listSealed: ListSealed,
): Promise<{ young(items: Items): Items; fallBack(asked: Items, before: Items): { items: Items; notes: string[] } }> {
  const open = new Set(items.flatMap(({ resource, state }) => (state === 'done' ? [] : [resource])));
  const members = (await withCadence(plan, stage)).filter(({ id }) => open.has(id));
  const earlier = members.length > 0 ? await earlierOf(members, plan, stage, listSealed) : new Map<string, Artifact>();
  return {
    young: (before) =>
      before.map((item) => {
        const artifact = earlier.get(item.resource);
        const take =
          artifact && item.state === 'waiting' && isYoung(artifact, plan.definition.slow[item.resource], cut!.instant!);
        return take ? done(item.resource, artifact) : item;
      }),
    fallBack: (asked, before) => {
      const notes: string[] = [];
      const kept = asked.map((item, i) => {
        const artifact = item === before[i] ? undefined : earlier.get(item.resource); // what was not asked may still be had
        if (!artifact || (item.state !== 'waiting' && item.state !== 'failed')) return item;
        notes.push(`A new capture of ${item.resource} was skipped, and its last one taken: ${item.why}`);
        return done(item.resource, artifact);
      });
      return { items: kept, notes };
    },
  };
}

async function withCadence({ resources, definition }: Plan, stage: Stage): Promise<Resource[]> {
  const named = resources.filter(({ id }) => slowWord(definition.slow[id]) === 'cadence');
  const slow = await Promise.all(named.map(async ({ kind }) => (await stage.kind(kind)).cut === 'slow'));
  return named.filter((_, i) => slow[i]);
}

/** What earlier points have of these, as far as it is still there: what is gone can be carried on by nobody. */
async function earlierOf(
  members: readonly Resource[],
  { application, slot, attempt }: Plan,
  stage: Stage,
  listSealed: ListSealed,
): Promise<Map<string, Artifact>> {
  const points = (await listSealed({ application, last: POINTS_BACK })).map(({ point }) => point);
  const others = points.filter((point) => pointId(point) !== pointId({ slot, attempt }));
  const found = members.flatMap((member) => earlierArtifact(others, member) ?? []);
  const kinds = [...groupBy(found, ({ kind }) => kind).keys()];
  const there = await Promise.all(
    kinds.map(async (kind) => (await (await stage.kind(kind)).open('strays')({ application })) as Stray[]),
  );
  const ids = new Set(there.flat().map(({ id }) => id));
  return new Map(found.filter(({ id }) => ids.has(id)).map((artifact) => [artifact.resource, artifact]));
}
