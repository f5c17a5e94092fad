import type { Target } from '@aws-sdk/client-scheduler';
import { refuse } from '../../world/service.ts';
import type { Place, Request } from '../../world/world.ts';
import { parseArn } from '../deliveries.ts';

type Call = Omit<Request, 'caller'>;
type Make = (target: Target, input: string, place: Place, uuid: () => string) => Call;

/** Targets with a shape of their own (Scheduler guide, "Using templated targets"), by what their ARN begins with. */
const TEMPLATED: Readonly<Record<string, Make>> = {
  'lambda:function:': ({ Arn: FunctionName }, input, place) => ({
    place,
    service: 'lambda',
    operation: 'Invoke',
    input: { FunctionName, InvocationType: 'Event', Payload: Buffer.from(input) },
  }),
  'states:stateMachine:': ({ Arn: stateMachineArn }, input, place, uuid) => ({
    place,
    service: 'states',
    operation: 'StartExecution',
    input: { stateMachineArn, name: uuid(), input },
  }),
  'events:event-bus/': ({ Arn: EventBusName, EventBridgeParameters: { Source, DetailType } = {} as never }, Detail, place) => ({
    place,
    service: 'events',
    operation: 'PutEvents',
    input: { Entries: [{ EventBusName, Source, DetailType, Detail }] },
  }),
};

/** Any operation of AWS, its request the schedule's Input (Scheduler guide, "Using universal targets"): those of it that are modelled. */
const UNIVERSAL: Readonly<Record<string, Make>> = {
  'sfn:startExecution': (_, input, place) => ({
    place,
    service: 'states',
    operation: 'StartExecution',
    input: members(JSON.parse(input), (name) => name.charAt(0).toLowerCase() + name.slice(1)),
  }),
  'lambda:invoke': (_, input, place) => {
    const request = JSON.parse(input) as { Payload?: string };
    const Payload = Buffer.from(request.Payload ?? '{}');
    return { place, service: 'lambda', operation: 'Invoke', input: { ...request, Payload } };
  },
};

/** Universal targets write all members in Pascal case; Step Functions' own begin small. */
const members = (request: object, rename: (name: string) => string): object =>
  Object.fromEntries(Object.entries(request).map(([name, value]) => [rename(name), value]));

function makerOf(arn: string): Make | undefined {
  const universal = /^arn:[^:]+:scheduler:::aws-sdk:(.+)$/.exec(arn)?.[1];
  if (universal !== undefined) return Object.hasOwn(UNIVERSAL, universal) ? UNIVERSAL[universal] : undefined;
  const { service, resource } = parseArn(arn) ?? {};
  return Object.entries(TEMPLATED).find(([beginning]) => `${service}:${resource}`.startsWith(beginning))?.[1];
}

/** Refuses a target that Scheduler would refuse, and one that is right but not modelled. */
export function checkTarget({ Arn = '', RoleArn = '', Input, EventBridgeParameters }: Target): void {
  if (!/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(RoleArn)) {
    refuse('ValidationException', `The execution role '${RoleArn}' is not the ARN of a role.`);
  }
  if (!makerOf(Arn)) {
    const can = `Lambda functions, Step Functions state machines, event buses and the universal targets ${Object.keys(UNIVERSAL).join(', ')}`;
    refuse('NotImplemented', `The local Scheduler does not model the target ${Arn}; it invokes ${can}.`, { status: 501 });
  }
  if (/:event-bus\//.test(Arn) && !EventBridgeParameters)
    refuse('ValidationException', 'EventBridgeParameters is required for a target that is an event bus.');
  const universal = /:aws-sdk:/.test(Arn);
  if (!isJson(Input ?? (universal ? '' : '{}')))
    refuse('ValidationException', 'Invalid Input provided. Reason: it must be well-formed JSON.');
}

function isJson(input: string): boolean {
  try {
    JSON.parse(input);
    return true;
  } catch {
    return false;
  }
}

/** The request that an invocation is. Context attributes, `<aws.scheduler.…>`, are replaced wherever they stand in Input. */
export function requestOf(target: Target, here: Place, known: Readonly<Record<string, string>>, uuid: () => string): Call {
  const { Arn = '', Input = '{}' } = target;
  const input = Input.replaceAll(/<(aws\.scheduler\.[a-z-]+)>/g, (token, name: string) => known[name] ?? token);
  return makerOf(Arn)!(target, input, parseArn(Arn)?.place ?? here, uuid);
}
