import { expect, test } from 'vitest';
import { operationOf } from '../functions/aws/call.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { listAttempts } from '../functions/vault/ledger.ts';
import { comeToRest, nobodyFrozen, nothingLeaks, whole } from './invariants.ts';
import { HOME, type Stage, stage } from './world.ts';

const FAULTS = ['error before', 'error after', 'timeout after'] as const;
type Fault = (typeof FAULTS)[number];

const unavailable = () =>
  Object.assign(new Error('An internal error has occurred.'), { name: 'InternalError', $metadata: { httpStatusCode: 500 } });
const silence = () => Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });

/** Strikes one call of the steps of `protect`, counted over the whole execution. */
function striking(at: number, fault: Fault, seen: string[]) {
  return (transport: Transport, step: string): Transport =>
    !step.startsWith('protect-')
      ? transport
      : {
          ...transport,
          send: async (request) => {
            seen.push(`${step} ${request.call.service}:${operationOf(request.call)}`);
            if (seen.length !== at) return transport.send(request);
            if (fault !== 'error before') await transport.send(request);
            throw fault === 'timeout after' ? silence() : unavailable();
          },
        };
}

async function strike(at: number, fault: Fault): Promise<{ stand: Stage; seen: string[] }> {
  const seen: string[] = [];
  const stand = await stage({ seed: `faults/${at}/${fault}`, between: striking(at, fault, seen) });
  const execution = stand.startProtect({}, 'the-slot');
  await stand.settle(execution.ended);
  return { stand, seen };
}

/** The first two of each step's calls of each kind: what comes after them is the same loop again. */
function worthStriking(seen: readonly string[]): number[] {
  const counts = new Map<string, number>();
  return seen.flatMap((call, i) => {
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    return count <= 2 ? [i + 1] : [];
  });
}

for (const fault of FAULTS) {
  test(`every call of protect, struck by ${fault}`, { timeout: 120_000 }, async () => {
    const { seen } = await strike(Number.POSITIVE_INFINITY, fault);
    const calls = worthStriking(seen);
    expect(calls.length).toBeGreaterThan(20);
    for (const at of calls) {
      const told = `${fault} of call ${at}, ${seen[at - 1]}`;
      const { stand } = await strike(at, fault);
      expect([...(await whole(stand)), ...nobodyFrozen(stand)], told).toEqual([]);
      expect((await stand.sealed(HOME)).length, told).toBe(1); // one passing fault costs no point
      await comeToRest(stand);
      expect(await nothingLeaks(stand), told).toEqual([]);
      const open = (await stand.open(listAttempts, HOME)({ application: 'shop' })).filter(({ decided }) => !decided);
      expect(open, told).toEqual([]);
    }
  });
}
