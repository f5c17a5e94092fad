import type * as SDK from '@aws-sdk/client-lambda';
import { type Context, defineService, operations, refuse } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { codeDigest, LambdaState, MAX_REQUEST, type Registration } from './state.ts';

const configuration = (
  context: Context<LambdaState>,
  { name, role, timeoutSeconds, memoryMb }: Registration,
): SDK.FunctionConfiguration => ({
  FunctionName: name,
  FunctionArn: context.state.arn(name),
  Role: role ?? `arn:aws:iam::${context.account}:role/${name}`,
  Runtime: 'nodejs24.x',
  Handler: 'index.handler',
  Timeout: timeoutSeconds,
  MemorySize: memoryMb,
  State: 'Active',
  LastUpdateStatus: 'Successful',
  PackageType: 'Zip',
  Architectures: ['arm64'],
  Version: '$LATEST',
  CodeSha256: codeDigest(name),
});

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

const functions = operations<typeof SDK, LambdaState>()({
  GetFunction({ FunctionName = '' }, context) {
    const found = context.state.find(FunctionName);
    return { Configuration: configuration(context, found), Code: { RepositoryType: 'S3' }, Tags: { ...found.tags } };
  },

  GetFunctionConfiguration: ({ FunctionName = '' }, context) => configuration(context, context.state.find(FunctionName)),

  ListFunctions({ Marker, MaxItems = 50 }, context) {
    const all = context.state.functions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const from = Marker ? all.findIndex(({ name }) => name > Marker) : 0;
    const page = from < 0 ? [] : all.slice(from, from + MaxItems);
    const more = from >= 0 && from + MaxItems < all.length;
    return { Functions: page.map((one) => configuration(context, one)), ...(more ? { NextMarker: page.at(-1)!.name } : {}) };
  },

  DeleteFunction({ FunctionName = '' }, { state }) {
    state.remove(FunctionName);
    return {};
  },

  CreateFunction: () =>
    refuse(
      'NotImplemented',
      'The local AWS runs functions that are registered in its own process; it does not run code from a Zip or an image yet.',
      {
        status: 501,
      },
    ),
});

export const service = defineService<LambdaState>({
  name: 'lambda',
  sdk: () => import('@aws-sdk/client-lambda'),
  client: 'LambdaClient',
  scope: 'region',
  state: (context) => new LambdaState(context),
  authorization,
  operations: { ...invocations, ...functions },
});
