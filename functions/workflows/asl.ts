import { CONFLICT, TRANSIENT } from '../aws/errors.ts';
import { functionName } from '../vault/layout.ts';
import type { AnyStep } from './step.ts';

/**
 * Amazon States Language (JSONata dialect) as typed data: the few shapes that our workflows are told in. What is written here is what infra
 * ships and what the local engine runs. A `Next` that names no state does not compile.
 */
export type State<Name extends string> =
  | TaskState<Name>
  | {
      readonly Type: 'Choice';
      readonly Choices: readonly { readonly Condition: string; readonly Next: Name }[];
      readonly Default: Name;
    }
  | { readonly Type: 'Wait'; readonly Seconds: string | number; readonly Next: Name }
  | { readonly Type: 'Succeed'; readonly Output?: unknown }
  | { readonly Type: 'Fail'; readonly Error: string; readonly Cause?: string };

export interface TaskState<Name extends string> {
  readonly Type: 'Task';
  readonly Resource: 'arn:aws:states:::lambda:invoke';
  readonly Arguments: { readonly FunctionName: string; readonly Payload: string };
  readonly Output: string;
  readonly TimeoutSeconds: number;
  readonly Retry: readonly Retrier[];
  readonly Catch?: readonly Catcher<Name>[];
  readonly Next: Name;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds: number;
}

export interface Catcher<Name extends string> {
  readonly ErrorEquals: readonly string[];
  readonly Next: Name;
  readonly Output: string;
}

export interface Workflow {
  readonly name: string;
  /** `home`: in the application's region; `vault`: in each vault region; `both`: home is a vault too. */
  readonly runsIn: 'home' | 'vault' | 'both';
  readonly Comment: string;
  readonly steps: readonly AnyStep[];
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State<string>>>;
}

/** Declares a workflow; a `StartAt`, `Next` or `Default` that names none of its states does not compile. */
export const workflow = <const States extends Readonly<Record<string, unknown>>>(
  declared: Omit<Workflow, 'StartAt' | 'States'> & {
    readonly StartAt: keyof States & string;
    readonly States: States & { readonly [K in keyof States]: State<keyof States & string> };
  },
): Workflow => declared as Workflow;

/** The definition as Step Functions takes it. */
export const definitionOf = ({ Comment, StartAt, States }: Workflow): object => ({
  Comment,
  QueryLanguage: 'JSONata',
  StartAt,
  States,
});

/**
 * What passes by itself is asked again: our own Transient, and Lambda's own troubles. The first wait is longer than the 15 seconds that EBS
 * wants between two snapshots of one volume; 20 + 40 + 80 + 160 + 300 + 300 s spans a quarter of an hour.
 */
const RETRY: readonly Retrier[] = [
  {
    ErrorEquals: [
      TRANSIENT,
      'Sandbox.Timedout',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
      'Lambda.Unknown',
      'States.Timeout',
    ],
    IntervalSeconds: 20,
    BackoffRate: 2,
    MaxAttempts: 6,
    MaxDelaySeconds: 300,
  },
];

/**
 * Runs a step's function with what the machine carries (or, for a step that begins, what the execution was started with and when) and the
 * execution's own name, which owns what the step writes.
 */
export function task<const To extends string>(step: AnyStep, next: { Next: To; from?: 'carried' | 'request' }): TaskState<To>;
export function task<const To extends string, const Caught extends string>(
  step: AnyStep,
  next: { Next: To; Catch: readonly Catcher<Caught>[]; from?: 'carried' | 'request' },
): TaskState<To | Caught>;
export function task(
  step: AnyStep,
  { Next, Catch, from = 'carried' }: { Next: string; Catch?: readonly Catcher<string>[]; from?: 'carried' | 'request' },
): TaskState<string> {
  const input = from === 'carried' ? '$states.input' : '$states.context.Execution.Input';
  const execution =
    from === 'carried'
      ? `{'owner': $states.context.Execution.Id}`
      : `{'owner': $states.context.Execution.Id, 'startedAt': $states.context.Execution.StartTime}`;
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: functionName(step.name),
      Payload: `{% $merge([${input}, ${execution}]) %}`,
    },
    Output: '{% $states.result.Payload %}',
    TimeoutSeconds: step.limits.seconds + 30, // the function's own limit comes first; this catches an invocation that was lost
    Retry: RETRY,
    ...(Catch ? { Catch } : {}),
    Next,
  };
}

const KEEP_ERROR = "{% $merge([$states.input, {'error': $states.errorOutput}]) %}";

/** What every step that may fail does then: stop quietly where someone else decided, else go to the state that cleans up. */
export const otherwise = <const Name extends string>(cleanUp: Name): readonly Catcher<Name | 'Overtaken'>[] => [
  { ErrorEquals: [CONFLICT], Next: 'Overtaken', Output: KEEP_ERROR },
  { ErrorEquals: ['States.ALL'], Next: cleanUp, Output: KEEP_ERROR },
];
