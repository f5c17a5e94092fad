import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { service as lambda } from '../../local/services/lambda/index.ts';
import type { LambdaState } from '../../local/services/lambda/state.ts';
import { service as states } from '../../local/services/states/index.ts';
import type { StatesState } from '../../local/services/states/state.ts';
import { Refusal } from '../../local/world/service.ts';
import { World } from '../../local/world/world.ts';

/**
 * The interpreter against what AWS itself recorded: status, output, error, cause and, where it was recorded in order, the whole history.
 * A vector that needs what the local Step Functions does not model must be refused by name when the machine is made, never answered wrongly.
 */
const folder = new URL('../../../shared/recorded-aws/stepfunctions/', import.meta.url);
const present = existsSync(folder);
if (!present)
  console.warn(`SKIPPED: AWS's recorded executions are not at ${folder.pathname}; the interpreter is not held against them.`);

interface Vector {
  readonly id: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly queryLanguage: string;
  readonly flags: readonly string[];
  readonly wildcards?: readonly string[];
  readonly lambdas: Readonly<Record<string, { readonly name: string; readonly behaviour: string }>>;
  readonly definition: object;
  readonly input: unknown;
  readonly result: { readonly status: string; readonly output?: unknown; readonly error?: string; readonly cause?: unknown };
  readonly history: readonly Record<string, unknown>[] | null;
}

const place = { account: '111111111111', region: 'us-east-1' };
const concrete = (value: unknown): string =>
  JSON.stringify(value).replaceAll('<partition>', 'aws').replaceAll('<region>', place.region);

const vectors: Vector[] = present
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Vector[])
  : [];

/** A Lambda function that does what the recording says its function did. */
function behaviour(words: string): (event: unknown) => Promise<unknown> {
  if (/^echo/.test(words)) return async (event) => event;
  const raised = /raises (\w+) with message "([^"]*)"/.exec(words);
  if (raised) {
    return async () => {
      throw Object.assign(new Error(raised[2]), { name: raised[1] });
    };
  }
  return async () => {
    throw new Error(`The test has no function that does: ${words}`);
  };
}

describe.skipIf(!present)('executions that AWS recorded', () => {
  test('every vector matches or is refused by name', async () => {
    const services = new Map([lambda, states].map((service) => [service.name, service]));
    const counts = { matched: 0, refused: 0, differed: 0 };
    const differences: string[] = [];
    for (const vector of vectors) {
      const world = new World(services, { seed: vector.id });
      const lambda = world.state<LambdaState>('lambda', place);
      for (const { name, behaviour: words } of Object.values(vector.lambdas)) {
        lambda.register({
          name: name.replaceAll(/[<>]/g, (c) => c),
          timeoutSeconds: 60,
          memoryMb: 128,
          handler: behaviour(words),
        });
      }
      const states = world.state<StatesState>('states', place);
      try {
        const machine = states.create({
          name: 'machine',
          type: vector.type,
          definition: concrete(vector.definition),
          roleArn: 'snf_role_arn',
          tags: {},
        });
        const execution = states.start(machine, 'execution', concrete(vector.input));
        await world.clock.settle(execution.ended);
        const difference = compare(vector, execution);
        if (difference) differences.push(`${vector.id}: ${difference}`);
        counts[difference ? 'differed' : 'matched']++;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'InvalidDefinition') throw error;
        if (vector.queryLanguage === 'JSONata') differences.push(`${vector.id}: refused, ${error.message}`);
        counts.refused++;
      }
    }
    console.info(
      `recorded executions: ${counts.matched} matched, ${counts.refused} refused, ${counts.differed} differed, of ${vectors.length}`,
    );
    expect(differences).toEqual([]);
    expect(counts.matched).toBeGreaterThan(90);
  });
});

type Execution = ReturnType<StatesState['start']>;

function compare({ result, history, flags, wildcards = [] }: Vector, execution: Execution): string | undefined {
  const actual = {
    status: execution.status,
    ...(execution.output === undefined ? {} : { output: JSON.parse(execution.output) as unknown }),
    ...(execution.error === undefined ? {} : { error: execution.error }),
    ...(execution.cause === undefined ? {} : { cause: execution.cause }),
  };
  const wild = new Set(wildcards);
  const outcome = differ(result, actual, wild, 'result');
  if (outcome || !history) return outcome;
  const events = execution.run.history.events.map((event) => JSON.parse(JSON.stringify(event)) as Record<string, unknown>);
  if (flags.some((flag) => ['concurrent', 'sorted-inside-parallel', 'distributed-map'].includes(flag))) {
    return differ(statesEntered(history).sort(), statesEntered(events).sort(), wild, 'states entered');
  }
  return differ(history, events, wild, 'history');
}

const statesEntered = (events: readonly Record<string, unknown>[]): string[] =>
  events.flatMap(({ stateEnteredEventDetails: details }) => (details ? [(details as { name: string }).name] : []));

/** Members that a recording never holds, or holds for a real AWS only. */
const SKIPPED = new Set([
  'inputDetails',
  'outputDetails',
  'assignedVariablesDetails',
  'timestamp',
  'SdkHttpMetadata',
  'SdkResponseMetadata',
  'requestId',
  'stackTrace',
  'trace',
]);

/** The first difference, by the rules of the recordings: tokens and named bare words match anything; JSON in text is compared parsed. */
function differ(expected: unknown, actual: unknown, wild: ReadonlySet<string>, at: string): string | undefined {
  if (typeof actual === 'string' && JSON.stringify(expected) === actual) return undefined;
  if (typeof expected === 'string') {
    if (wild.has(expected) || expected === 'snf_role_arn') return undefined;
    if (typeof actual === 'string') {
      const inner = parsed(expected);
      if (inner !== undefined && typeof inner === 'object') return differ(inner, parsed(actual), wild, at);
      const pattern = new RegExp(
        `^${expected
          .split(/<[^<>]+>/)
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('[\\s\\S]*')}$`,
      );
      return pattern.test(actual) ? undefined : `${at}: expected ${expected}, got ${actual}`;
    }
  }
  if (typeof expected === 'object' && expected !== null && typeof actual === 'string')
    return differ(expected, parsed(actual), wild, at);
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) {
    const value = typeof actual === 'string' ? (parsed(actual) ?? actual) : actual;
    return Object.is(expected, value) || expected === value
      ? undefined
      : `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)].filter((key) => !SKIPPED.has(key)));
  for (const key of keys) {
    const [e, a] = [(expected as Record<string, unknown>)[key], (actual as Record<string, unknown>)[key]];
    if (e === undefined && typeof a === 'object' && a && Object.keys(a).every((k) => SKIPPED.has(k))) continue;
    const difference =
      e === undefined && a !== undefined
        ? `${at}.${key}: expected nothing, got ${JSON.stringify(a)}`
        : differ(e, a, wild, `${at}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
