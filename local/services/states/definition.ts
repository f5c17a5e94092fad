import { refuse } from '../../world/service.ts';
import { compile, expressionIn } from './jsonata.ts';

/** A state machine as it stands in its definition. Only what `check` let through is ever interpreted. */
export interface Machine {
  readonly Comment?: string;
  readonly QueryLanguage?: string;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly Version?: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Branch {
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Output?: unknown;
  readonly Next: string;
}

export interface State extends Partial<Omit<Branch, 'Next'>> {
  readonly Type: 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Succeed' | 'Fail';
  readonly QueryLanguage?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Resource?: string;
  readonly Arguments?: unknown;
  readonly TimeoutSeconds?: number | string;
  readonly HeartbeatSeconds?: number | string;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly (Branch & { readonly ErrorEquals: readonly string[] })[];
  readonly Choices?: readonly (Branch & { readonly Condition: string })[];
  readonly Default?: string;
  readonly Seconds?: number | string;
  readonly Timestamp?: string;
  readonly Items?: unknown;
  readonly ItemSelector?: unknown;
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig?: { readonly Mode?: string } };
  readonly MaxConcurrency?: number | string;
  readonly ToleratedFailureCount?: unknown;
  readonly ToleratedFailurePercentage?: unknown;
  readonly Branches?: readonly Machine[];
  readonly Error?: string;
  readonly Cause?: string;
}

const COMMON = ['Type', 'Comment', 'QueryLanguage', 'Output', 'Assign', 'Next', 'End'];
const RESCUED = ['Retry', 'Catch', 'Arguments'];
/** AWS accepts these on an inline Map too, where nothing is tolerated. */
export const TOLERANCE = ['ToleratedFailureCount', 'ToleratedFailurePercentage'] as const;
const FIELDS: Record<State['Type'], readonly string[]> = {
  Task: [...COMMON, ...RESCUED, 'Resource', 'TimeoutSeconds', 'HeartbeatSeconds'],
  Pass: COMMON,
  Choice: [...COMMON, 'Choices', 'Default'],
  Wait: [...COMMON, 'Seconds', 'Timestamp'],
  Map: [...COMMON, 'Retry', 'Catch', 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', ...TOLERANCE],
  Parallel: [...COMMON, ...RESCUED, 'Branches'],
  Succeed: ['Type', 'Comment', 'QueryLanguage', 'Output'],
  Fail: ['Type', 'Comment', 'QueryLanguage', 'Error', 'Cause'],
};

const LAMBDA = /^(arn:[^:]+:states:::lambda:invoke|arn:[^:]+:lambda:[^:]+:[^:]+:function:.+)$/;

/** Reads a definition; refuses what is wrong as AWS does, and whatever is right but not modelled by name, so that nothing is answered wrongly. */
export function check(definition: string): Machine {
  let machine: Machine;
  try {
    machine = JSON.parse(definition) as Machine;
  } catch {
    return invalid('INVALID_JSON_DESCRIPTION', 'The definition is not JSON');
  }
  checkMachine(machine, machine.QueryLanguage, '');
  return machine;
}

const invalid = (code: string, message: string): never =>
  refuse('InvalidDefinition', `Invalid State Machine Definition: '${code}: ${message}'`);
const notModelled = (what: string, at: string): never =>
  refuse(
    'InvalidDefinition',
    `The local Step Functions does not model ${what} (at ${at}); it interprets the JSONata dialect of Task on Lambda, Pass, Choice, Wait, Map (inline), Parallel, Succeed and Fail.`,
  );

function checkMachine(machine: Machine, language: string | undefined, path: string): void {
  const states = machine.States ?? {};
  if (Object.keys(states).length === 0) invalid('SCHEMA_VALIDATION_FAILED', `A state machine needs States at ${path || '/'}`);
  if (!Object.hasOwn(states, machine.StartAt))
    invalid('MISSING_TRANSITION_TARGET', `Missing 'Next' target: ${machine.StartAt} at ${path}/StartAt`);
  for (const [name, state] of Object.entries(states)) {
    const at = `${path}/States/${name}`;
    checkState(state, state.QueryLanguage ?? language, at);
    const targets = [
      state.Next,
      state.Default,
      ...(state.Choices ?? []).map(({ Next }) => Next),
      ...(state.Catch ?? []).map(({ Next }) => Next),
    ];
    for (const target of targets) {
      if (target !== undefined && !Object.hasOwn(states, target))
        invalid('MISSING_TRANSITION_TARGET', `Missing 'Next' target: ${target} at ${at}`);
    }
  }
}

function checkState(state: State, language: string | undefined, at: string): void {
  const known = FIELDS[state.Type] ?? invalid('SCHEMA_VALIDATION_FAILED', `Unknown state type ${String(state.Type)} at ${at}`);
  if (language !== 'JSONata') notModelled('the JSONPath query language', at);
  for (const field of Object.keys(state))
    if (!known.includes(field)) notModelled(`the field ${field} of a ${state.Type} state`, at);
  const ends = ['Choice', 'Succeed', 'Fail'].includes(state.Type);
  if (!ends && state.Next === undefined && state.End !== true)
    invalid('SCHEMA_VALIDATION_FAILED', `A state needs Next or End at ${at}`);
  if (state.Type === 'Task' && !LAMBDA.test(state.Resource ?? '')) notModelled(`the task resource ${state.Resource}`, at);
  if (state.Type === 'Map') {
    const processor = state.ItemProcessor ?? invalid('SCHEMA_VALIDATION_FAILED', `A Map state needs an ItemProcessor at ${at}`);
    const mode = processor.ProcessorConfig?.Mode ?? 'INLINE';
    if (mode !== 'INLINE') notModelled(`a Map in ${mode} mode`, at);
    checkMachine(processor, language, `${at}/ItemProcessor`);
  }
  for (const [i, branch] of (state.Branches ?? []).entries()) checkMachine(branch, language, `${at}/Branches[${i}]`);
  checkExpressions(
    Object.fromEntries(Object.entries(state).filter(([field]) => field !== 'ItemProcessor' && field !== 'Branches')),
    at,
  );
}

function checkExpressions(value: unknown, at: string): void {
  const expression = expressionIn(value);
  if (expression !== undefined) {
    if (/\$eval\b/.test(expression)) invalid('SCHEMA_VALIDATION_FAILED', `$eval is not supported at ${at}`);
    try {
      compile(expression);
    } catch (error) {
      invalid('SCHEMA_VALIDATION_FAILED', `Invalid JSONata expression: ${(error as Error).message} at ${at}`);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) checkExpressions(item, `${at}/${key}`);
  }
}
