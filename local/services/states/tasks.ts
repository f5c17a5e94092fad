import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { Refusal } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { LambdaState } from '../lambda/state.ts';
import { StateError } from './errors.ts';
import { text, whole } from './history.ts';

/** How a Task reaches Lambda and how that reads in the history: through the optimised integration, or by the function's own ARN. */
export interface Integration {
  scheduled(args: unknown, limits: { timeout?: number; heartbeat?: number }): [HistoryEvent['type'], Partial<HistoryEvent>];
  started(): [HistoryEvent['type'], Partial<HistoryEvent>];
  succeeded(output: unknown): [HistoryEvent['type'], Partial<HistoryEvent>];
  failed(error: StateError): [HistoryEvent['type'], Partial<HistoryEvent>];
  invoke(args: unknown): Promise<unknown>;
}

export function integrationOf(resource: string, place: Place, world: World, requestId: () => string): Integration {
  return /:states:::lambda:invoke$/.test(resource)
    ? lambdaInvoke(place, world, requestId)
    : functionItself(resource, place, world, requestId);
}

const LAMBDA = { resourceType: 'lambda', resource: 'invoke' } as const;

function lambdaInvoke(place: Place, world: World, requestId: () => string): Integration {
  return {
    scheduled: (args, { timeout, heartbeat }) => [
      'TaskScheduled',
      {
        taskScheduledEventDetails: {
          ...LAMBDA,
          region: place.region,
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
    failed: ({ error, cause }) =>
      error === 'States.Timeout'
        ? ['TaskTimedOut', { taskTimedOutEventDetails: { ...LAMBDA, error, ...(cause === undefined ? {} : { cause }) } }]
        : ['TaskFailed', { taskFailedEventDetails: { ...LAMBDA, ...named(error, cause) } }],
    async invoke(args) {
      const { FunctionName = '', Payload = {} } = (args ?? {}) as { FunctionName?: string; Payload?: unknown };
      const id = requestId();
      const answer = await invoke(FunctionName, Payload, place, world, id);
      return wrapped(answer, id, new Date(world.clock.now()));
    },
  };
}

function functionItself(resource: string, place: Place, world: World, requestId: () => string): Integration {
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
    failed: ({ error, cause }) =>
      error === 'States.Timeout'
        ? ['LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: named(error, cause) }]
        : ['LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: named(error, cause) }],
    invoke: (args) => invoke(resource, args, place, world, requestId()),
  };
}

/** What a function throws becomes an error by its type, its payload the cause; what Lambda itself refuses is `Lambda.<code>`. */
async function invoke(functionName: string, payload: unknown, place: Place, world: World, requestId: string): Promise<unknown> {
  const state = world.state<LambdaState>('lambda', place);
  try {
    const answer = await state.invoke(state.find(functionName), text(payload), requestId);
    if (!answer.functionError) return JSON.parse(answer.payload) as unknown;
    const { errorType } = JSON.parse(answer.payload) as { errorType?: string };
    throw new StateError(errorType ?? 'Unknown', answer.payload);
  } catch (error) {
    if (error instanceof Refusal) {
      throw new StateError(
        `Lambda.${error.code}`,
        `${error.message} (Service: Lambda, Status Code: ${error.status ?? 400}, Request ID: ${requestId})`,
      );
    }
    throw error;
  }
}

/** Lambda's answer as the optimised integration passes it on, headers included. */
function wrapped(Payload: unknown, id: string, date: Date): object {
  const length = String(text(Payload).length);
  const headers = {
    Connection: 'keep-alive',
    'Content-Length': length,
    'Content-Type': 'application/json',
    Date: date.toUTCString(),
    'X-Amz-Executed-Version': '$LATEST',
    'x-amzn-Remapped-Content-Length': '0',
    'x-amzn-RequestId': id,
    'X-Amzn-Trace-Id': `root=1-${id}`,
  };
  return {
    ExecutedVersion: '$LATEST',
    Payload,
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: 200,
    },
    SdkResponseMetadata: { RequestId: id },
    StatusCode: 200,
  };
}

const named = (error: string | undefined, cause: string | undefined) => ({
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});
