import type { Interval, Place } from '../domain.ts';
import { type Calls, type InputOf, isMade, type OutputOf, operationOf, type Places } from './call.ts';
import { type Clock, instant } from './clock.ts';
import { Lost, unanswered } from './errors.ts';
import type { Transport } from './transport.ts';

/**
 * What an answer carries besides AWS's own. `asked` is from sending to answer, by our clock; where the answer's `Date` (a whole second) shows
 * that ours is wrong, it reaches to what the service's says, so that what happened lies in it by either. `apartMillis` is how far apart they are.
 */
export interface Answered {
  readonly asked: Interval;
  readonly date?: Date;
  readonly apartMillis: number;
}

/** The door as a verb gets it: one method per declared call. */
export type Door<C extends Calls> = {
  readonly [K in keyof C]: (input: InputOf<C[K]['command']>) => Promise<OutputOf<C[K]['command']> & Answered>;
};

/** What an opened verb may know besides the door: where it works, the time, and the way to a cluster. */
export interface Scene {
  readonly here: Place;
  readonly home: Place;
  readonly clock: Clock;
  readonly transport: Transport;
}

/** One thing that can be done, with the calls that it makes. */
export interface Verb<C extends Calls, In, Out> {
  readonly calls: C;
  run(aws: Door<C>, input: In, scene: Scene): Promise<Out>;
}

export const verb = <C extends Calls, In, Out>(
  calls: C,
  run: (aws: Door<C>, input: In, scene: Scene) => Promise<Out>,
): Verb<C, In, Out> => ({ calls, run });

/** The same verb where it is only ever run where the application lives, though what uses it runs elsewhere too. */
export const atHome = <C extends Calls, In, Out>({ calls, run }: Verb<C, In, Out>): Verb<C, In, Out> => ({
  calls: Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, { ...call, only: 'at home' }])) as unknown as C,
  run,
});

/** A verb with its door open. */
export type Opened<V> = V extends Verb<any, infer In, infer Out> ? (input: In) => Promise<Out> : never;

export type Verbs = Readonly<Record<string, Verb<any, any, any>>>;

/** A verb that works by other verbs: it makes all their calls, and gets each of them open. */
export function composed<V extends Verbs, In, Out>(
  uses: V,
  run: (by: { readonly [K in keyof V]: Opened<V[K]> }, input: In, scene: Scene) => Promise<Out>,
): Verb<Calls, In, Out> {
  const calls: Record<string, Calls[string]> = {};
  for (const [name, call] of Object.values(uses).flatMap((used) => Object.entries(used.calls as Calls))) {
    if (calls[name] && calls[name] !== call) throw new TypeError(`Two verbs call different things "${name}".`);
    calls[name] = call;
  }
  return verb(calls, (aws, input, scene) => {
    const by = Object.fromEntries(
      Object.entries(uses).map(([name, used]) => [name, (given: unknown) => used.run(aws, given, scene)]),
    );
    return run(by as { readonly [K in keyof V]: Opened<V[K]> }, input, scene);
  });
}

/** Opens a verb at a place; `home` is where the application lives, which may be elsewhere. */
export function open<C extends Calls, In, Out>(
  { calls, run }: Verb<C, In, Out>,
  transport: Transport,
  clock: Clock,
  places: Places,
): (input: In) => Promise<Out> {
  const scene: Scene = { here: places.here, home: places.home, clock, transport };
  const door = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      async (input: object) => {
        if (!isMade(call, places))
          throw new TypeError(`${call.service}:${operationOf(call)} is declared to be made ${call.only} only.`);
        const from = clock.now();
        try {
          const { output, date } = await transport.send({ call, place: places[call.at], input });
          return { ...output, ...answered(from, clock.now(), date) };
        } catch (error) {
          if (call.repeat !== 'once' || !unanswered(error)) throw error;
          throw new Lost(`${call.service}:${operationOf(call)}`, { from: instant(from), to: instant(clock.now()) }, error);
        }
      },
    ]),
  ) as unknown as Door<C>;
  return (input) => run(door, input, scene);
}

/** A `Date` header has a grain of one second, and was written at some time between sending and receiving. */
const DATE_GRAIN = 1000;

export function answered(from: number, to: number, date: Date | undefined): Answered {
  if (!date) return { asked: { from: instant(from), to: instant(to) }, apartMillis: 0 };
  const theirs = { from: date.getTime(), to: date.getTime() + DATE_GRAIN - 1 };
  const apartMillis = Math.max(0, theirs.from - to, from - theirs.to);
  const asked = apartMillis === 0 ? { from, to } : { from: Math.min(from, theirs.from), to: Math.max(to, theirs.to) };
  return { asked: { from: instant(asked.from), to: instant(asked.to) }, date, apartMillis };
}
