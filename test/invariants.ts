import type { Place, Sealed } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import type { Stray } from '../functions/kinds/kind.ts';
import { listAttempts, readAttempt } from '../functions/vault/ledger.ts';
import type { Ec2State } from '../local/services/ec2/state.ts';
import { HOME, type Stage } from './world.ts';

/** Checks over a whole world, by the numbers of the invariants that they keep. Each answers one sentence for everything that is wrong. */

/** I01, I05: of each slot at most one attempt is sealed; what is sealed is whole; nothing has two outcomes. */
export async function whole(stand: Stage): Promise<string[]> {
  const wrong: string[] = [];
  const sealedSlots = new Map<string, number>();
  for (const name of await stand.open(listAttempts, HOME)({ application: 'shop' })) {
    const { plan, outcome } = await stand.open(readAttempt, HOME)(name);
    if (outcome?.status !== 'sealed') continue;
    sealedSlots.set(name.slot, (sealedSlots.get(name.slot) ?? 0) + 1);
    const missing = plan.resources.filter(({ id }) => !outcome.artifacts.some(({ resource }) => resource === id));
    if (missing.length > 0)
      wrong.push(`${name.slot}/${name.attempt} is sealed without ${missing.map(({ id }) => id).join(', ')}.`);
    wrong.push(...oneCut(stand, outcome));
  }
  for (const [slot, count] of sealedSlots) if (count > 1) wrong.push(`${count} attempts of ${slot} are sealed.`);
  return wrong;
}

/** Two freezes never share a point: every snapshot that a point refers to bears the tag of its one cut. */
function oneCut({ world }: Stage, { cut, artifacts }: Sealed): string[] {
  const { snapshots } = world.state<Ec2State>('ec2', HOME);
  return artifacts.flatMap(({ id }) => {
    const tag = snapshots.get(id)?.tags['stillpoint:cut'];
    return tag !== undefined && tag !== cut.id ? [`${id} is of ${tag}, and the point of ${cut.id}.`] : [];
  });
}

/** I04, I12: at rest, what bears our tags and no sealed point refers to is nothing. */
export async function nothingLeaks(stand: Stage, place: Place): Promise<string[]> {
  const kinds = await loadKinds();
  const referenced = new Set((await stand.sealed(place)).flatMap(({ artifacts }) => artifacts.map(({ id }) => id)));
  const strays = (
    await Promise.all(
      kinds.map((kind) => stand.open<{ application: string }, readonly Stray[]>(kind.strays, place)({ application: 'shop' })),
    )
  ).flat();
  return strays.filter(({ id }) => !referenced.has(id)).map(({ id, kind }) => `${id} (${kind}) is left over.`);
}

/** I08: nobody is held, whoever died. */
export const nobodyFrozen = ({ shop }: Stage): string[] => (shop.maintenance.held ? ['The application is still frozen.'] : []);

/** Lets time pass and reconcile run, so that what died is finished and what was left over is gone. */
export async function comeToRest(stand: Stage, place = HOME): Promise<void> {
  await stand.advance(8 * 3600);
  for (let i = 0; i < 2; i++) {
    const { status, cause } = await stand.run(place, 'reconcile', { application: 'shop' });
    if (status !== 'SUCCEEDED') throw new Error(`reconcile ended as ${status}: ${cause}`);
    await stand.advance(3600);
  }
}
