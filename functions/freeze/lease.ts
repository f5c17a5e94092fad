import { type Clock, instant, millis } from '../aws/clock.ts';
import { Lost } from '../aws/errors.ts';
import type { Answered, Door } from '../aws/verb.ts';
import type { Application, Cut, FreezeEvidence, Interval, PointName } from '../domain.ts';
import { pointId } from '../domain.ts';
import { askHook, type freezing, type HookAnswer, type HookEvent } from './hook.ts';

/** A freeze that is being held by this invocation. If the invocation dies, the application lets go when the lease ends. */
export interface Lease {
  /** From when it was held for certain, by our clock: the hook's answer had reached us. */
  readonly heldFrom: number;
  /** Until when it is held at the latest: the application cannot have begun its lease before it was asked. */
  readonly heldUntil: number;
  /** Lets go, and answers all that is known of the freeze. Never throws: what went wrong is evidence too. */
  release(): Promise<FreezeEvidence>;
}

/**
 * Asks the application to hold still. Where the hook answers that it cannot, the evidence says so and the point is taken without a freeze;
 * where no answer comes the application may be frozen, so it is asked to let go and the cut is void (Lost).
 */
export async function freeze(
  aws: Door<typeof freezing>,
  application: Application,
  point: PointName,
  cut: Cut,
  clock: Clock,
): Promise<Lease | FreezeEvidence | undefined> {
  const hook = application.freeze;
  if (!hook) return undefined;
  const event = { application: application.name, restorePoint: pointId(point), cut: cut.id, leaseSeconds: hook.leaseSeconds };
  const letGo = () => askHook(aws.release, hook, { ...event, action: 'release' });
  const sent = clock.now();
  try {
    const answer = await askHook(aws.freeze, hook, { ...event, action: 'freeze' } satisfies HookEvent);
    return lease(answer, hook.leaseSeconds, clock, letGo);
  } catch (error) {
    await letGo().catch(() => {});
    if (error instanceof Lost) throw error;
    return troubled(hook.leaseSeconds, { from: instant(sent), to: instant(clock.now()) }, error);
  }
}

export const isHeld = (lease: Lease | FreezeEvidence | undefined): lease is Lease => lease !== undefined && 'release' in lease;

type Answer = HookAnswer & Answered;

function lease(frozen: Answer, leaseSeconds: number, clock: Clock, letGo: () => Promise<Answer>): Lease {
  const evidence = {
    leaseSeconds,
    asked: frozen.asked,
    drained: frozen.drained,
    flushed: frozen.flushed,
    heldFrom: frozen.heldFrom,
    positions: { atFreeze: frozen.positions },
  };
  const whoSaysWhat = (trouble: unknown) => (trouble instanceof Error ? trouble.message : String(trouble));
  return {
    heldFrom: millis(frozen.asked.to),
    heldUntil: millis(frozen.asked.from) + leaseSeconds * 1000,
    async release() {
      try {
        const released = await letGo();
        return {
          ...evidence,
          released: released.asked,
          broken: frozen.broken || released.broken,
          heldUntil: released.heldUntil,
          positions: { atFreeze: frozen.positions, atRelease: released.positions },
          clocksApartMillis: Math.max(clocksApart(frozen), clocksApart(released)),
        };
      } catch (error) {
        const trouble = `it was not known to have been released at ${instant(clock.now())}: ${whoSaysWhat(error)}`;
        return { ...evidence, broken: true, clocksApartMillis: clocksApart(frozen), trouble };
      }
    },
  };
}

const troubled = (leaseSeconds: number, asked: Interval, error: unknown): FreezeEvidence => ({
  leaseSeconds,
  asked,
  drained: false,
  flushed: false,
  broken: true,
  heldFrom: asked.to,
  positions: { atFreeze: {} },
  clocksApartMillis: 0,
  trouble: error instanceof Error ? error.message : String(error),
});

/** How far our clock is from others': from AWS's, and from the application's, by the moments at which it says that it began or ended to hold. */
function clocksApart({ asked, apartMillis, heldFrom, heldUntil }: Answer): number {
  const outside = (at: number) => (Number.isNaN(at) ? 0 : Math.max(0, at - millis(asked.to), millis(asked.from) - at));
  return Math.max(apartMillis, Math.min(outside(Date.parse(heldFrom)), outside(Date.parse(heldUntil))));
}
