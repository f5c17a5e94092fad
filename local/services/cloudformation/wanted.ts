import type * as SDK from '@aws-sdk/client-cloudformation';
import { type Context, refuse } from '../../world/service.ts';
import { parametersFor, valuesOf } from './parameters.ts';
import { resourceTypes } from './resources/index.ts';
import { checkRules, scopeOf, wantedIn } from './scope.ts';
import type { CloudFormationState, Stack, Wanted } from './state.ts';
import { dependenciesIn, invalid, type Template, templateFrom } from './template.ts';

/** What requests that describe a stack have in common. */
export interface Asked {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
  readonly UsePreviousTemplate?: boolean | undefined;
  readonly Parameters?: readonly SDK.Parameter[] | undefined;
  readonly Capabilities?: readonly SDK.Capability[] | undefined;
  readonly Tags?: readonly SDK.Tag[] | undefined;
}

/** Of a template that is given in the request itself, in bytes, and of one in S3 (CloudFormation guide, "Understand CloudFormation quotas"). */
const LARGEST = { body: 51_200, object: 1_048_576 };

type Of = Context<CloudFormationState>;

/** The text of the template that a request gives, names, or leaves as it was. */
export async function textAsked(asked: Asked, context: Of, before?: Wanted): Promise<string> {
  const { TemplateBody, TemplateURL, UsePreviousTemplate } = asked;
  if (TemplateBody !== undefined) {
    if (Buffer.byteLength(TemplateBody) > LARGEST.body)
      invalid(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${LARGEST.body}`,
      );
    return TemplateBody;
  }
  if (TemplateURL !== undefined) return await textAt(TemplateURL, context);
  if (UsePreviousTemplate && before) return before.text;
  return invalid('Either Template URL or Template Body must be specified.');
}

/** Both ways to address an object: the bucket in the path, or in front of the host (S3 guide, "Virtual hosting"). */
async function textAt(address: string, { call, region }: Of): Promise<string> {
  const { hostname, pathname } = URL.canParse(address)
    ? new URL(address)
    : invalid(`TemplateURL must be a supported URL: ${address}`);
  const path = decodeURIComponent(pathname.slice(1));
  const [, virtual] = /^(.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com$/.exec(hostname) ?? [];
  const [, where = region] = /(?:^|\.)s3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(hostname) ?? [];
  const [Bucket, Key] = virtual ? [virtual, path] : [path.split('/')[0], path.split('/').slice(1).join('/')];
  const { Body } = await call('s3', 'GetObject', { Bucket, Key }, { region: where }).catch((error: Error) =>
    invalid(
      `S3 error: ${error.message}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html`,
    ),
  );
  const bytes = Body as Uint8Array;
  if (bytes.byteLength > LARGEST.object) invalid(`Template may not exceed ${LARGEST.object} bytes in size.`);
  return new TextDecoder().decode(bytes);
}

/** Reads and checks all that a request wants a stack to be. Nothing is made before this has passed. */
export async function wantedFrom(asked: Asked, context: Of, stack: Pick<Stack, 'id' | 'name'>, before?: Wanted): Promise<Wanted> {
  const text = await textAsked(asked, context, before);
  const template = parsed(text);
  const { call, account, region } = context;
  const stored = async (Name: string): Promise<string> => (await call('ssm', 'GetParameter', { Name })).Parameter.Value;
  const parameters = await parametersFor(template, asked.Parameters ?? [], before?.parameters ?? {}, stored);
  const scope = scopeOf(template, {
    place: { account, region },
    stackName: stack.name,
    stackId: stack.id,
    parameters: valuesOf(parameters),
    ref: () => undefined,
    attribute: () => undefined,
  });
  checkRules(template, scope);
  const resources = wantedIn(template, scope);
  checkTypes(resources);
  checkCapabilities(resources, asked.Capabilities ?? []);
  dependenciesIn(resources);
  return { text, template, parameters, tags: asked.Tags ?? before?.tags ?? [] };
}

const templates = new Map<string, Template>();

/** The same text is read once: simulations deploy one template many times. Nobody changes what was read. */
function parsed(text: string): Template {
  const known = templates.get(text);
  if (known) return known;
  const template = templateFrom(text);
  if (templates.size >= KEPT) templates.clear();
  templates.set(text, template);
  return template;
}

const KEPT = 16;

function checkTypes(resources: Template['Resources']): void {
  const unknown = [...new Set(Object.values(resources).map(({ Type }) => Type))].filter(
    (type) => !Object.hasOwn(resourceTypes, type),
  );
  if (unknown.length > 0) invalid(`Template format error: Unrecognized resource types: [${unknown.join(', ')}]`);
}

const NAMES = ['RoleName', 'ManagedPolicyName', 'UserName', 'GroupName', 'InstanceProfileName'];

/** What could give rights away must be acknowledged (CloudFormation API, CreateStack: Capabilities). */
export function capabilitiesFor(resources: Template['Resources']): SDK.Capability[] {
  const iam = Object.values(resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  if (iam.length === 0) return [];
  const named = iam.some(({ Properties = {} }) => NAMES.some((name) => name in Properties));
  return [named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'];
}

function checkCapabilities(resources: Template['Resources'], given: readonly SDK.Capability[]): void {
  const [needed] = capabilitiesFor(resources);
  if (!needed || given.includes('CAPABILITY_NAMED_IAM') || given.includes(needed)) return;
  refuse('InsufficientCapabilitiesException', `Requires capabilities : [${needed}]`);
}
