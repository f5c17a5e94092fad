import { refuse } from '../../world/service.ts';
import { type Machine, type State, TOLERANCE } from './definition.ts';
import { compile, expressionIn } from './jsonata.ts';

/**
 * Reads a definition; refuses what is wrong as AWS does, and whatever is right but not modelled by name, so that nothing is answered wrongly.
 * The structure is that of the Amazon States Language specification.
 */
export function check(definition: string): Machine {
  let machine: Machine;
  try {
    machine = JSON.parse(definition) as Machine;
  } catch {
    return invalid('INVALID_JSON_DESCRIPTION', 'The definition is not JSON');
  }
  checkMachine(machine, { language: machine?.QueryLanguage, path: '', names: new Set() });
  return machine;
}

/** What a nested machine needs to know of those around it. */
interface Around {
  readonly language: string | undefined;
  readonly path: string;
  /** All names of states so far: they are unique in the whole definition. */
  readonly names: Set<string>;
}

const invalid = (code: string, message: string): never =>
  refuse('InvalidDefinition', `Invalid State Machine Definition: '${code}: ${message}'`);
const malformed = (message: string, at: string): never => invalid('SCHEMA_VALIDATION_FAILED', `${message} at ${at || '/'}`);
const notModelled = (what: string, at: string): never =>
  refuse(
    'InvalidDefinition',
    `The local Step Functions does not model ${what} (at ${at || '/'}); it interprets the JSONata dialect of Task on Lambda, Pass, Choice, Wait, Map (inline), Parallel, Succeed and Fail.`,
  );

const MACHINE = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version', 'ProcessorConfig'];
const COMMON = ['Type', 'Comment', 'QueryLanguage', 'Output', 'Assign', 'Next', 'End'];
const RESCUED = ['Retry', 'Catch', 'Arguments'];
const FIELDS: Record<State['Type'], readonly string[]> = {
  Task: [...COMMON, ...RESCUED, 'Resource', 'TimeoutSeconds', 'HeartbeatSeconds'],
  Pass: COMMON,
  Choice: ['Type', 'Comment', 'QueryLanguage', 'Output', 'Assign', 'Choices', 'Default'],
  Wait: [...COMMON, 'Seconds', 'Timestamp'],
  Map: [...COMMON, 'Retry', 'Catch', 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', ...TOLERANCE],
  Parallel: [...COMMON, ...RESCUED, 'Branches'],
  Succeed: ['Type', 'Comment', 'QueryLanguage', 'Output'],
  Fail: ['Type', 'Comment', 'QueryLanguage', 'Error', 'Cause'],
};
const CHOICE = ['Condition', 'Next', 'Output', 'Assign', 'Comment'];
const CATCH = ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'];
const RETRY = ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'];

function only(fields: object, known: readonly string[], what: string, at: string): void {
  for (const field of Object.keys(fields)) if (!known.includes(field)) notModelled(`the field ${field} of ${what}`, at);
}

function checkMachine(machine: Machine, around: Around): void {
  const { path, names } = around;
  if (typeof machine !== 'object' || machine === null) malformed('A state machine is an object', path);
  only(machine, MACHINE, 'a state machine', path);
  const states = machine.States ?? {};
  if (Object.keys(states).length === 0) malformed('A state machine needs States', path);
  const exists = (target: string | undefined, at: string) => {
    if (!Object.hasOwn(states, target ?? '')) invalid('MISSING_TRANSITION_TARGET', `Missing 'Next' target: ${target} at ${at}`);
  };
  exists(machine.StartAt, `${path}/StartAt`);
  for (const [name, state] of Object.entries(states)) {
    const at = `${path}/States/${name}`;
    if (names.has(name)) invalid('DUPLICATE_STATE_NAME', `Duplicate State name: ${name} at ${at}`);
    if (name.length > 80) malformed('The name of a state has at most 80 characters', at);
    names.add(name);
    checkState(state, { ...around, path: at });
    for (const target of targets(state)) exists(target, at);
  }
}

const targets = ({ Next, Default, Choices = [], Catch = [] }: State): (string | undefined)[] => [
  ...(Next === undefined ? [] : [Next]),
  ...(Default === undefined ? [] : [Default]),
  ...[...Choices, ...Catch].map((branch) => branch.Next),
];

function checkState(state: State, around: Around): void {
  const { path: at } = around;
  if (!Object.hasOwn(FIELDS, state.Type ?? '')) malformed(`Unknown state type ${String(state.Type)}`, at);
  const language = state.QueryLanguage ?? around.language;
  if (language !== 'JSONata') notModelled('the JSONPath query language', at);
  only(state, FIELDS[state.Type], `a ${state.Type} state`, at);
  const ends = ['Choice', 'Succeed', 'Fail'].includes(state.Type);
  if (!ends && (state.Next === undefined) !== (state.End === true)) malformed('A state has either Next or End', at);
  for (const retrier of state.Retry ?? []) only(retrier, RETRY, 'a retrier', at);
  for (const catcher of state.Catch ?? []) only(catcher, CATCH, 'a catcher', at);
  checkErrors(state.Retry ?? [], at);
  checkErrors(state.Catch ?? [], at);
  checkParts(state, { ...around, language });
  const { ItemProcessor: _processor, Branches: _branches, Comment: _comment, ...fields } = state as State & { Comment?: string };
  checkExpressions(fields, at);
}

/** States.ALL stands alone and last (Amazon States Language, "Errors"). */
function checkErrors(rules: readonly { readonly ErrorEquals: readonly string[] }[], at: string): void {
  for (const [i, { ErrorEquals }] of rules.entries()) {
    if (!Array.isArray(ErrorEquals) || ErrorEquals.length === 0) malformed('ErrorEquals names at least one error', at);
    const lastAndAlone = ErrorEquals.length === 1 && i === rules.length - 1;
    if (ErrorEquals.includes('States.ALL') && !lastAndAlone) malformed('States.ALL must be alone, in the last rule', at);
  }
}

const LAMBDA_INVOKE = /^arn:[^:]+:states:::lambda:invoke$/;
const FUNCTION = /^arn:[^:]+:lambda:[^:]+:[^:]+:function:.+$/;
const INVOKE = ['FunctionName', 'Payload', 'InvocationType', 'Qualifier'];

/** What only one type of state has. */
function checkParts(state: State, around: Around): void {
  const { path: at } = around;
  switch (state.Type) {
    case 'Task': {
      const { Resource = '', Arguments } = state;
      if (!LAMBDA_INVOKE.test(Resource) && !FUNCTION.test(Resource)) notModelled(`the task resource ${Resource}`, at);
      if (LAMBDA_INVOKE.test(Resource) && typeof Arguments === 'object' && Arguments)
        only(Arguments, INVOKE, 'lambda:invoke', at);
      break;
    }
    case 'Wait':
      if ((state.Seconds === undefined) === (state.Timestamp === undefined))
        malformed('A Wait has either Seconds or Timestamp', at);
      break;
    case 'Choice':
      if (!state.Choices?.length) malformed('A Choice needs Choices', at);
      for (const choice of state.Choices!) only(choice, CHOICE, 'a choice', at);
      break;
    case 'Map': {
      const processor = state.ItemProcessor ?? malformed('A Map needs an ItemProcessor', at);
      const mode = processor.ProcessorConfig?.Mode ?? 'INLINE';
      if (mode !== 'INLINE') notModelled(`a Map in ${mode} mode`, at);
      checkMachine(processor, { ...around, path: `${at}/ItemProcessor` });
      break;
    }
    case 'Parallel':
      if (!state.Branches?.length) malformed('A Parallel needs Branches', at);
      for (const [i, branch] of state.Branches!.entries()) checkMachine(branch, { ...around, path: `${at}/Branches[${i}]` });
      break;
    case 'Pass':
    case 'Succeed':
    case 'Fail':
  }
}

function checkExpressions(value: unknown, at: string): void {
  const expression = expressionIn(value);
  if (expression !== undefined) {
    if (/\$eval\b/.test(expression)) malformed('$eval is not supported', at);
    try {
      compile(expression);
    } catch (error) {
      malformed(`Invalid JSONata expression: ${(error as Error).message}`, at);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) checkExpressions(item, `${at}/${key}`);
  }
}
