import type * as SFN from '@aws-sdk/client-sfn';
import { assumed } from '../../world/authorization/trust.ts';
import { Refusal } from '../../world/service.ts';
import { ConnectionLost, type Place } from '../../world/world.ts';
import { StateError } from './errors.ts';
import type { Run } from './flow.ts';
import { text, whole } from './history.ts';

/** An event to be: its type and its details. */
export type Told = readonly [SFN.HistoryEventType, Partial<SFN.HistoryEvent>];

/** How a Task reaches a service and how that reads in the history. */
export interface Integration {
  scheduled(args: unknown, limits: { timeout?: number; heartbeat?: number }): Told;
  started(): Told;
  succeeded(output: unknown): Told;
  failed(error: StateError): Told;
  invoke(args: unknown): Promise<unknown>;
}

/** Lambda through the optimised integration, or by the function's own ARN (Step Functions guide, "Invoke a Lambda function"). */
export const integrationOf = (resource: string, run: Run): Integration =>
  /:states:::lambda:invoke$/.test(resource) ? lambdaInvoke(run) : functionItself(resource, run);

const LAMBDA = { resourceType: 'lambda', resource: 'invoke' } as const;

function lambdaInvoke(run: Run): Integration {
  return {
    scheduled: (args, { timeout, heartbeat }) => [
      'TaskScheduled',
      {
        taskScheduledEventDetails: {
          ...LAMBDA,
          region: run.place.region,
          parameters: text(args),
          ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
          ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
        },
      },
    ],
    started: () => ['TaskStarted', { taskStartedEventDetails: LAMBDA }],
    succeeded: (output) => [
      'TaskSucceeded',
      { taskSucceededEventDetails: { ...LAMBDA, output: text(output), outputDetails: whole } },
    ],
    failed: (failure) =>
      failure.error === 'States.Timeout'
        ? ['TaskTimedOut', { taskTimedOutEventDetails: { ...LAMBDA, ...named(failure) } }]
        : ['TaskFailed', { taskFailedEventDetails: { ...LAMBDA, ...named(failure) } }],
    async invoke(args) {
      const { FunctionName = '', Payload = {}, ...more } = (args ?? {}) as { FunctionName?: string; Payload?: unknown };
      const answer = await invoke(run, FunctionName, Payload, more);
      return wrapped(answer, run.random.uuid(), new Date(run.world.clock.now()));
    },
  };
}

function functionItself(resource: string, run: Run): Integration {
  return {
    scheduled: (args, { timeout }) => [
      'LambdaFunctionScheduled',
      {
        lambdaFunctionScheduledEventDetails: {
          resource,
          input: text(args),
          inputDetails: whole,
          ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
        },
      },
    ],
    started: () => ['LambdaFunctionStarted', {}],
    succeeded: (output) => [
      'LambdaFunctionSucceeded',
      { lambdaFunctionSucceededEventDetails: { output: text(output), outputDetails: whole } },
    ],
    failed: (failure) =>
      failure.error === 'States.Timeout'
        ? ['LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: named(failure) }]
        : ['LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: named(failure) }],
    invoke: async (args) => (await invoke(run, resource, args)).payload,
  };
}

interface Answer {
  readonly status: number;
  readonly version: string | undefined;
  readonly payload: unknown;
}

/**
 * Calls Lambda as any caller does, so that what befalls requests befalls this one too. What a function throws becomes an error by its type,
 * its payload the cause; what Lambda itself refuses is `Lambda.<code>`; an answer that never came is `Lambda.SdkClientException`.
 */
async function invoke(run: Run, functionName: string, payload: unknown, more: object = {}): Promise<Answer> {
  const { world, place, roleArn, random } = run;
  try {
    const { Execution, StateMachine } = run.context as { Execution: { Name: string }; StateMachine: { Id: string } };
    const session = Execution.Name.slice(0, 64);
    const role = { service: 'states.amazonaws.com', roleArn, session, for: place, resource: StateMachine.Id };
    const answer = (await world.call({
      place,
      service: 'lambda',
      operation: 'Invoke',
      input: { ...more, FunctionName: functionName, Payload: Buffer.from(text(payload)) },
      caller: assumed(world, role),
    })) as { StatusCode: number; ExecutedVersion?: string; FunctionError?: string; Payload?: Uint8Array };
    const body = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError) throw new StateError(errorType(body), body);
    return { status: answer.StatusCode, version: answer.ExecutedVersion, payload: body ? (JSON.parse(body) as unknown) : {} };
  } catch (error) {
    if (error instanceof Refusal) {
      const where = `(Service: Lambda, Status Code: ${error.status ?? 400}, Request ID: ${random.uuid()})`;
      throw new StateError(`Lambda.${nameOf(error)}`, `${error.message} ${where}`);
    }
    if (error instanceof ConnectionLost) throw new StateError('Lambda.SdkClientException', unreachable(place, error));
    throw error;
  }
}

/** What Lambda's model of Invoke does not name is called so by the integration (Step Functions guide, "Handling errors": Lambda.AWSLambdaException). */
const nameOf = ({ code }: Refusal): string => (/^AccessDenied/.test(code) ? 'AWSLambdaException' : code);

const errorType = (payload: string): string => (JSON.parse(payload) as { errorType?: string }).errorType ?? 'Lambda.Unknown';
const unreachable = ({ region }: Place, { message }: Error): string =>
  `Unable to execute HTTP request to lambda.${region}.amazonaws.com: ${message}`;

/** Lambda's answer as the optimised integration passes it on, headers included. */
function wrapped({ status, version, payload }: Answer, id: string, date: Date): object {
  const headers = {
    Connection: 'keep-alive',
    'Content-Length': String(text(payload).length),
    'Content-Type': 'application/json',
    Date: date.toUTCString(),
    ...(version === undefined ? {} : { 'X-Amz-Executed-Version': version }),
    'x-amzn-Remapped-Content-Length': '0',
    'x-amzn-RequestId': id,
    'X-Amzn-Trace-Id': `root=1-${id}`,
  };
  return {
    ...(version === undefined ? {} : { ExecutedVersion: version }),
    Payload: payload,
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: status,
    },
    SdkResponseMetadata: { RequestId: id },
    StatusCode: status,
  };
}

const named = ({ error, cause }: StateError) => ({
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});
