import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-lambda';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Deployed, type LambdaState, UNASKED, type Zip } from './state.ts';
import { InvalidZip, unzip } from './zip.ts';

type Of = Context<LambdaState>;

const invalid: (message: string) => never = (message) =>
  refuse('InvalidParameterValueException', message, { status: 400, Type: 'User' });

export const configuration = ({ state }: Of, deployed: Deployed): SDK.FunctionConfiguration => ({
  FunctionName: deployed.name,
  FunctionArn: state.arn(deployed.name),
  Role: deployed.role,
  Runtime: deployed.runtime,
  Handler: deployed.handlerName,
  Description: deployed.description,
  Timeout: deployed.timeoutSeconds,
  MemorySize: deployed.memoryMb,
  State: 'Active',
  LastUpdateStatus: 'Successful',
  PackageType: 'Zip',
  Architectures: [...deployed.architectures],
  Environment: { Variables: { ...deployed.variables } },
  TracingConfig: { Mode: deployed.tracing },
  ...(deployed.network ? { VpcConfig: deployed.network } : {}),
  Version: '$LATEST',
  CodeSize: deployed.zip?.bytes.byteLength ?? 0,
  CodeSha256: deployed.zip?.digest ?? digestOf(Buffer.from(deployed.name)),
  LastModified: deployed.changedAt.toISOString(),
  RevisionId: deployed.revision,
});

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** The code that a request holds, or names in S3. Whoever asks must be able to read it there. */
async function zipFrom(
  code: Pick<SDK.FunctionCode, 'ZipFile' | 'S3Bucket' | 'S3Key' | 'S3ObjectVersion' | 'ImageUri'>,
  { call }: Of,
): Promise<Zip> {
  if (code.ImageUri) refuse('NotImplemented', 'The local Lambda does not run images; give it a Zip.', { status: 501 });
  const { S3Bucket: Bucket, S3Key: Key, S3ObjectVersion: VersionId } = code;
  const object = { Bucket, Key, ...(VersionId ? { VersionId } : {}) };
  const bytes: Uint8Array = code.ZipFile ?? (await call('s3', 'GetObject', object).catch(notRead)).Body;
  try {
    if (unzip(bytes).length === 0) invalid('Uploaded file must be a non-empty zip');
  } catch (error) {
    if (!(error instanceof InvalidZip)) throw error;
    invalid(error.message);
  }
  return { bytes, digest: digestOf(bytes) };
}

const notRead = ({ name, message }: Error): never =>
  invalid(`Error occurred while GetObject. S3 Error Code: ${name}. S3 Error Message: ${message}`);

const MODELLED_RUNTIME = /^nodejs\d+\.x$/;
/** Lambda guide, "Quotas": seconds, and MB. */
const LIMITS = { timeout: 900, least: 128, most: 10_240 };

type Settings = Partial<
  Pick<
    SDK.CreateFunctionRequest,
    'Role' | 'Runtime' | 'Handler' | 'Description' | 'Timeout' | 'MemorySize' | 'Environment' | 'TracingConfig' | 'VpcConfig'
  >
>;

function settingsFrom(asked: Settings, before: Partial<Deployed> = {}) {
  const { Runtime: runtime = before.runtime ?? invalid('Runtime is mandatory for functions created with deployment packages.') } =
    asked;
  const {
    Handler: handlerName = before.handlerName ?? invalid('Handler is mandatory for functions created with deployment packages.'),
  } = asked;
  const {
    Role: role = before.role ?? '',
    Timeout: timeoutSeconds = before.timeoutSeconds ?? 3,
    MemorySize: memoryMb = before.memoryMb ?? 128,
  } = asked;
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(role))
    invalid(`The role ${role} defined for the function cannot be assumed by Lambda.`);
  if (!MODELLED_RUNTIME.test(runtime))
    refuse('NotImplemented', `The local Lambda runs Node.js, not ${runtime}.`, { status: 501 });
  if (timeoutSeconds < 1 || timeoutSeconds > LIMITS.timeout) invalid(`Timeout must be from 1 to ${LIMITS.timeout} seconds.`);
  if (memoryMb < LIMITS.least || memoryMb > LIMITS.most)
    invalid(`'MemorySize' value must be from ${LIMITS.least} to ${LIMITS.most}.`);
  return {
    role,
    runtime,
    handlerName,
    timeoutSeconds,
    memoryMb,
    description: asked.Description ?? before.description ?? UNASKED.description,
    variables: asked.Environment?.Variables ?? before.variables ?? UNASKED.variables,
    network: asked.VpcConfig ?? before.network,
    tracing: asked.TracingConfig?.Mode ?? before.tracing ?? UNASKED.tracing,
  };
}

/** Functions as they are deployed; a function that changes begins with new environments. */
export const functions = operations<typeof SDK, LambdaState>()({
  async CreateFunction(asked, context) {
    const { FunctionName: name = '', Code = {}, Architectures, Tags = {} } = asked;
    const { state } = context;
    if (!/^[\w-]{1,64}$/.test(name)) invalid(`The function name ${name} is not valid.`);
    if (state.peek(name)?.zip)
      refuse('ResourceConflictException', `Function already exist: ${name}`, { status: 409, Type: 'User' });
    const settings = settingsFrom(asked);
    const zip = await zipFrom(Code, context);
    const { handler } = state.peek(name) ?? {}; // stood in for before it was there
    const { permissions } = UNASKED;
    const architectures = Architectures ?? UNASKED.architectures;
    const kept = state.keep({
      ...settings,
      name,
      zip,
      tags: Tags,
      architectures,
      permissions,
      clockOffsetMillis: 0,
      ...(handler ? { handler } : {}),
    });
    return configuration(context, kept);
  },

  async UpdateFunctionCode({ FunctionName = '', Architectures, ...code }, context) {
    const { state } = context;
    const zip = await zipFrom(code, context);
    const known = state.find(FunctionName);
    return configuration(context, state.keep({ ...known, zip, architectures: Architectures ?? known.architectures }));
  },

  UpdateFunctionConfiguration({ FunctionName = '', ...asked }, context) {
    const { state } = context;
    const known = state.find(FunctionName);
    return configuration(context, state.keep({ ...known, ...settingsFrom(asked, known) }));
  },

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
});

const statementOf = (
  arn: string,
  { StatementId, Action, Principal = '', SourceArn, SourceAccount }: SDK.AddPermissionRequest,
): object => ({
  Sid: StatementId,
  Effect: 'Allow',
  Principal: Principal.includes('.') ? { Service: Principal } : { AWS: Principal },
  Action,
  Resource: arn,
  ...(SourceArn || SourceAccount
    ? {
        Condition: {
          ...(SourceArn ? { ArnLike: { 'AWS:SourceArn': SourceArn } } : {}),
          ...(SourceAccount ? { StringEquals: { 'AWS:SourceAccount': SourceAccount } } : {}),
        },
      }
    : {}),
});

const noPolicy = (): never =>
  refuse('ResourceNotFoundException', 'The resource you requested does not exist.', { status: 404, Type: 'User' });

/** Who else may invoke a function, and the tags that it bears. */
export const permissions = operations<typeof SDK, LambdaState>()({
  AddPermission(asked, { state }) {
    const known = state.find(asked.FunctionName ?? '');
    const id = asked.StatementId ?? '';
    if (known.permissions.has(id))
      refuse(
        'ResourceConflictException',
        `The statement id (${id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        { status: 409, Type: 'User' },
      );
    const statement = statementOf(state.arn(known.name), asked as SDK.AddPermissionRequest);
    state.change({ ...known, permissions: new Map([...known.permissions, [id, statement]]) });
    return { Statement: JSON.stringify(statement) };
  },

  RemovePermission({ FunctionName = '', StatementId = '' }, { state }) {
    const known = state.find(FunctionName);
    const left = new Map(known.permissions);
    if (!left.delete(StatementId)) noPolicy();
    state.change({ ...known, permissions: left });
    return {};
  },

  GetPolicy({ FunctionName = '' }, { state }) {
    const { permissions, revision } = state.find(FunctionName);
    if (permissions.size === 0) noPolicy();
    const Policy = JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: [...permissions.values()] });
    return { Policy, RevisionId: revision };
  },

  TagResource({ Resource = '', Tags = {} }, { state }) {
    const known = state.find(Resource);
    state.change({ ...known, tags: { ...known.tags, ...Tags } });
    return {};
  },

  UntagResource({ Resource = '', TagKeys = [] }, { state }) {
    const known = state.find(Resource);
    const left = Object.entries(known.tags).filter(([key]) => !TagKeys.includes(key));
    state.change({ ...known, tags: Object.fromEntries(left) });
    return {};
  },

  ListTags: ({ Resource = '' }, { state }) => ({ Tags: { ...state.find(Resource).tags } }),
});
