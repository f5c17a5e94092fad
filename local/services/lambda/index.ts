import type * as SDK from '@aws-sdk/client-lambda';
import { defineService, operations, refuse } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { functions, permissions } from './functions.ts';
import { MAX_REQUEST } from './results.ts';
import { LambdaState } from './state.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const invocations = operations<typeof SDK, LambdaState>()({
  async Invoke({ FunctionName = '', Payload, InvocationType = 'RequestResponse' }, context) {
    const { state, requestId, after } = context;
    const found = state.find(FunctionName);
    const payload = Payload?.length ? Buffer.from(Payload).toString() : '{}';
    if (payload.length > MAX_REQUEST) {
      const message = `Request must be smaller than ${MAX_REQUEST} bytes for the InvokeFunction operation`;
      refuse('RequestTooLargeException', message, { status: 413, Type: 'User' });
    }
    if (!isJson(payload)) {
      refuse('InvalidRequestContentException', 'Could not parse request body into json', { status: 400, Type: 'User' });
    }
    if (InvocationType === 'DryRun') return { StatusCode: 204 };
    if (InvocationType === 'Event') {
      after(0, () => void state.invokeLater(found, payload, requestId));
      return { StatusCode: 202 };
    }
    const { payload: answer, functionError } = await state.invoke(found, payload, requestId);
    return {
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      Payload: new TextEncoder().encode(answer),
      ...(functionError ? { FunctionError: functionError } : {}),
    };
  },
});

export const service = defineService<LambdaState>({
  name: 'lambda',
  sdk: () => import('@aws-sdk/client-lambda'),
  client: 'LambdaClient',
  scope: 'region',
  state: (context) => new LambdaState(context),
  authorization,
  operations: { ...invocations, ...functions, ...permissions },
});
