import type * as SDK from '@aws-sdk/client-cloudformation';
import { Refusal } from '../../world/service.ts';
import { type Caller, ConnectionLost, type World } from '../../world/world.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { valuesOf } from './parameters.ts';
import { resourceTypes } from './resources/index.ts';
import type { Made, Maker, Properties } from './resources/resource.ts';
import { outputsOf, scopeOf, wantedIn } from './scope.ts';
import type { CloudFormationState, Kept, Stack, Wanted } from './state.ts';
import { type Definition, dependenciesIn } from './template.ts';

/** A stack at work: who works, on what. */
export interface Work {
  readonly world: World;
  readonly state: CloudFormationState;
  readonly stack: Stack;
  readonly caller: Caller;
}

/** Why a stack did not become what it should. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** How long CloudFormation takes over one resource beside its calls, in virtual seconds: it looks until the resource is stable. */
const SECONDS = [0.5, 2.5] as const;

export function scopeFor({ stack, state }: Pick<Work, 'stack' | 'state'>, { template, parameters }: Wanted): Scope {
  return scopeOf(template, {
    place: state.place,
    stackName: stack.name,
    stackId: stack.id,
    parameters: valuesOf(parameters),
    ref: (id) => stack.resources.get(id)?.made?.id,
    attribute: (id, name) => stack.resources.get(id)?.made?.attributes[name],
  });
}

/**
 * Makes and changes resources until the stack is what is wanted, each when those that it refers to are there, and then removes what is no longer
 * wanted. Throws a Failure that names what failed; what was made until then stays.
 */
export async function bring(work: Work, wanted: Wanted): Promise<void> {
  const scope = scopeFor(work, wanted);
  const resources = wantedIn(wanted.template, scope);
  const failed: string[] = [];
  const superseded: Kept[] = [];
  await inOrder(dependenciesIn(resources), async (id) => {
    if (failed.length > 0) return false; // no more is begun
    const before = work.stack.resources.get(id);
    const replaced = await settle(work, id, resources[id]!, scope).catch((error: unknown) => {
      failed.push(id);
      note(work, before?.made ? 'UPDATE' : 'CREATE', 'FAILED', {
        id,
        definition: resources[id]!,
        reason: reasonOf(error),
        before,
      });
    });
    if (replaced) superseded.push(replaced);
    return !failed.includes(id);
  });
  if (failed.length > 0) throw new Failure(`The following resource(s) failed to ${wordOf(work)}: [${failed.join(', ')}].`);
  work.stack.outputs = outputsOf(wanted.template, scope);
  work.stack.is = wanted;
  if (superseded.length > 0 || [...work.stack.resources.keys()].some((id) => !resources[id]))
    await tidy(work, resources, superseded);
}

const wordOf = ({ stack }: Work): string => (stack.status.startsWith('UPDATE') ? 'update' : 'create');

/** Removes what a stack no longer wants. An update is good without it: what cannot be removed is left, and said. */
async function tidy(work: Work, resources: Readonly<Record<string, Definition>>, superseded: readonly Kept[]): Promise<void> {
  if (work.stack.status.startsWith('UPDATE_ROLLBACK'))
    work.state.turn(work.stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
  else if (work.stack.status.startsWith('UPDATE')) work.state.turn(work.stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
  for (const old of superseded) {
    if (old.definition.UpdateReplacePolicy?.startsWith('Retain')) continue;
    await resourceTypes[old.definition.Type]!.remove(old.made!, makerOf(work, old.id), old.properties).catch(known);
  }
  await unmake(work, (id) => !resources[id]).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}

/** Removes a stack's resources, each when nothing refers to it any more. Throws a Failure that names what could not be removed. */
export async function unmake(work: Work, chosen: (id: string) => boolean = () => true): Promise<void> {
  const { state, stack } = work;
  const going = new Map([...stack.resources].filter(([id]) => chosen(id)));
  const needs = dependenciesIn(Object.fromEntries([...going].map(([id, { definition }]) => [id, definition])));
  const dependents = new Map(
    [...needs.keys()].map((id) => [id, [...needs].flatMap(([other, on]) => (on.includes(id) ? [other] : []))]),
  );
  const failed: string[] = [];
  await inOrder(dependents, async (id) => {
    const kept = going.get(id)!;
    if (kept.status === 'DELETE_COMPLETE') return true;
    const done = await remove(work, kept).catch((error: unknown) => {
      failed.push(id);
      state.note(stack, { ...kept, status: 'DELETE_FAILED', reason: reasonOf(error) });
      return false;
    });
    if (done) stack.resources.delete(id);
    return done;
  });
  if (failed.length > 0) throw new Failure(`The following resource(s) failed to delete: [${failed.join(', ')}].`);
}

async function remove(work: Work, kept: Kept): Promise<boolean> {
  const { state, stack } = work;
  const { id, definition, made, properties } = kept;
  if (!made) return true;
  if (definition.DeletionPolicy?.startsWith('Retain')) {
    state.note(stack, { ...kept, status: 'DELETE_SKIPPED', reason: undefined });
    return true;
  }
  state.note(stack, { ...kept, status: 'DELETE_IN_PROGRESS', reason: undefined });
  await pause(work);
  await resourceTypes[definition.Type]!.remove(made, makerOf(work, id), properties);
  state.note(stack, { ...kept, status: 'DELETE_COMPLETE', reason: undefined });
  return true;
}

/** Runs everything as soon as all that it waits for is done; what waits for something that failed is not run. */
async function inOrder(needs: ReadonlyMap<string, readonly string[]>, run: (id: string) => Promise<boolean>): Promise<void> {
  const begun = new Map<string, Promise<boolean>>();
  const begin = (id: string): Promise<boolean> => {
    let doing = begun.get(id);
    if (!doing) {
      doing = Promise.all(needs.get(id)!.map(begin)).then((ready) => (ready.every(Boolean) ? run(id) : false));
      begun.set(id, doing);
    }
    return doing;
  };
  await Promise.all([...needs.keys()].map(begin));
}

/** Makes or changes one resource if it is not as it should be. Answers the one that it replaced, if any. */
async function settle(work: Work, id: string, definition: Definition, scope: Scope): Promise<Kept | undefined> {
  const type = resourceTypes[definition.Type]!;
  const properties = resolve(definition.Properties ?? {}, scope) as Properties;
  const before = work.stack.resources.get(id);
  const maker = makerOf(work, id);
  const unknown = Object.keys(properties).filter((name) => !type.properties.includes(name));
  if (unknown.length > 0) throw new Failure(`Encountered unsupported property ${unknown[0]}`);
  if (!before?.made) {
    note(work, 'CREATE', 'IN_PROGRESS', { id, definition, properties });
    const made = await type.create(properties, maker);
    note(work, 'CREATE', 'IN_PROGRESS', { id, definition, properties, made, reason: 'Resource creation Initiated' });
    await pause(work);
    note(work, 'CREATE', 'COMPLETE', { id, definition, properties, made });
    return undefined;
  }
  if (same(before.properties, properties)) {
    work.stack.resources.set(id, { ...before, definition });
    return undefined;
  }
  const replace = needsReplacement(definition.Type, before.properties, properties);
  const reason = replace ? 'Requested update requires the creation of a new physical resource; hence creating one.' : undefined;
  note(work, 'UPDATE', 'IN_PROGRESS', { id, definition, properties, made: before.made, reason });
  await pause(work);
  const made = replace
    ? await type.create(properties, maker)
    : await type.update!(properties, before.made, maker, before.properties);
  note(work, 'UPDATE', 'COMPLETE', { id, definition, properties, made });
  return replace && made.id !== before.made.id ? before : undefined;
}

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether a change needs another resource ("Update requires: Replacement" in the reference of its type). */
export function needsReplacement(type: string, before: Properties, after: Properties): boolean {
  const { replaced = [], update } = resourceTypes[type]!;
  return !update || replaced.some((name) => !same(before[name], after[name]));
}

const pause = ({ world, state }: Work): Promise<void> => world.clock.sleep(state.seconds(...SECONDS) * 1000);

interface Noted {
  readonly id: string;
  readonly definition: Definition;
  readonly properties?: Properties;
  readonly made?: Made;
  readonly reason?: string | undefined;
  readonly before?: Kept | undefined;
}

/** What failed keeps what it was, so that it can be changed back. */
function note(
  { state, stack }: Work,
  doing: 'CREATE' | 'UPDATE',
  how: 'IN_PROGRESS' | 'COMPLETE' | 'FAILED',
  noted: Noted,
): void {
  const { id, definition, before, made = before?.made, properties = before?.properties ?? {}, reason } = noted;
  const status = `${doing}_${how}` as SDK.ResourceStatus;
  state.note(stack, { id, definition, properties, status, reason, ...(made ? { made } : {}) });
}

function makerOf({ world, state, stack, caller }: Work, id: string): Maker {
  const { place } = state;
  return {
    ...place,
    call: (service, operation, input) => world.call({ place, service, operation, input, caller }),
    name: (longest = 128) => {
      const end = `-${state.suffix()}`;
      return `${`${stack.name}-${id}`.slice(0, longest - end.length)}${end}`;
    },
  };
}

/** As CloudFormation passes on what a service answers. A defect of the world is not a reason. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return `${error.message} (Service: ${error.code}, Status Code: ${error.status ?? 400})`;
  if (error instanceof ConnectionLost || error instanceof Failure) return error.message;
  throw error;
}

const known = (error: unknown): void => void reasonOf(error);
