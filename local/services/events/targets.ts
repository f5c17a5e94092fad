import type * as SDK from '@aws-sdk/client-eventbridge';
import { operations, refuse } from '../../world/service.ts';
import { parseArn } from '../deliveries.ts';
import { invalid, paged } from './rules.ts';
import type { EventsState } from './state.ts';
import { checkPath, type Target } from './target.ts';

/** Per rule (EventBridge guide, "Quotas"). */
const MAX_TARGETS = 5;
const RECEIVERS = /^(lambda:function:|states:stateMachine:|events:event-bus\/|sns:|sqs:)/;
const MODELLED = ['Id', 'Arn', 'RoleArn', 'Input', 'InputPath', 'InputTransformer', 'RetryPolicy', 'DeadLetterConfig'];

/** Refuses a target that EventBridge would refuse, and one that is right but not modelled. */
function checked(target: SDK.Target): Target {
  const { Id = '', Arn = '', RoleArn, Input, InputPath, InputTransformer, RetryPolicy = {}, DeadLetterConfig } = target;
  const { service, resource } = parseArn(Arn) ?? invalid(`Provided Arn is not in correct format. Reason: ${Arn}`);
  const notModelled = Object.keys(target).filter((field) => !MODELLED.includes(field));
  if (!RECEIVERS.test(`${service}:${resource}`) || notModelled.length > 0) {
    const what = notModelled.length > 0 ? notModelled.join(', ') : `targets of ${service}`;
    const can = 'it delivers to Lambda functions, Step Functions state machines, event buses, topics and queues';
    refuse('NotImplemented', `The local EventBridge does not model ${what}; ${can}.`, { status: 501 });
  }
  if (service === 'states' && !RoleArn) invalid(`RoleArn is required for target ${Arn}.`);
  if ([Input, InputPath, InputTransformer].filter((shape) => shape !== undefined).length > 1)
    invalid('Only one of Input, InputPath, or InputTransformer must be provided.');
  if (Input !== undefined) checkJson(Input);
  const { MaximumRetryAttempts: attempts, MaximumEventAgeInSeconds: seconds } = RetryPolicy;
  const paths = InputTransformer?.InputPathsMap ?? {};
  for (const path of Object.values(paths)) checkPath(path);
  return {
    id: Id,
    arn: Arn,
    roleArn: RoleArn,
    input: Input,
    inputPath: InputPath === undefined ? undefined : checkPath(InputPath),
    transformer: InputTransformer ? { paths, template: InputTransformer.InputTemplate ?? '' } : undefined,
    retry: { ...(attempts === undefined ? {} : { attempts }), ...(seconds === undefined ? {} : { seconds }) },
    deadLetterArn: DeadLetterConfig?.Arn,
  };
}

function checkJson(input: string): void {
  try {
    JSON.parse(input);
  } catch {
    invalid('JSON syntax error in input for target');
  }
}

const described = ({ id, arn, roleArn, input, inputPath, transformer, retry, deadLetterArn }: Target): SDK.Target => ({
  Id: id,
  Arn: arn,
  ...(roleArn === undefined ? {} : { RoleArn: roleArn }),
  ...(input === undefined ? {} : { Input: input }),
  ...(inputPath === undefined ? {} : { InputPath: inputPath }),
  ...(transformer ? { InputTransformer: { InputPathsMap: { ...transformer.paths }, InputTemplate: transformer.template } } : {}),
  ...(retry.attempts === undefined && retry.seconds === undefined
    ? {}
    : { RetryPolicy: { MaximumRetryAttempts: retry.attempts, MaximumEventAgeInSeconds: retry.seconds } }),
  ...(deadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
});

export const targets = operations<typeof SDK, EventsState>()({
  /** Adds targets, and replaces those of the same id. */
  PutTargets({ Rule = '', EventBusName, Targets = [] }, { state }) {
    const { targets } = state.rule(Rule, EventBusName);
    const wanted = Targets.map(checked);
    if (new Set([...targets.keys(), ...wanted.map(({ id }) => id)]).size > MAX_TARGETS)
      refuse('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
    for (const target of wanted) targets.set(target.id, target);
    return { FailedEntryCount: 0, FailedEntries: [] };
  },

  RemoveTargets({ Rule = '', EventBusName, Ids = [] }, { state }) {
    const { targets } = state.rule(Rule, EventBusName);
    const failed = Ids.filter((id) => !targets.delete(id)).map((id) => ({
      TargetId: id,
      ErrorCode: 'ResourceNotFoundException',
      ErrorMessage: `Rule ${Rule} does not have a target with the Id ${id}.`,
    }));
    return { FailedEntryCount: failed.length, FailedEntries: failed };
  },

  ListTargetsByRule({ Rule = '', EventBusName, Limit, NextToken }, { state }) {
    const { page, more } = paged([...state.rule(Rule, EventBusName).targets.values()], Limit, NextToken);
    return { Targets: page.map(described), ...more };
  },
});
