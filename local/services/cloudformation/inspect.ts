import type * as SDK from '@aws-sdk/client-cloudformation';
import { operations } from '../../world/service.ts';
import { paged } from '../pages.ts';
import type { CloudFormationState, Kept, Stack } from './state.ts';
import { invalid, templateFrom } from './template.ts';
import { capabilitiesFor, textAsked } from './wanted.ts';

const summary = ({ id, definition, made, status, reason, at }: Kept): SDK.StackResourceSummary => ({
  LogicalResourceId: id,
  PhysicalResourceId: made?.id,
  ResourceType: definition.Type,
  LastUpdatedTimestamp: at,
  ResourceStatus: status,
  ...(reason ? { ResourceStatusReason: reason } : {}),
});

const detail = (stack: Stack, kept: Kept): SDK.StackResource => {
  const { LastUpdatedTimestamp, ...rest } = summary(kept);
  return { StackId: stack.id, StackName: stack.name, Timestamp: LastUpdatedTimestamp, ...rest } as SDK.StackResource;
};

/** What stacks and templates hold, to be looked at. */
export const inspections = operations<typeof SDK, CloudFormationState>()({
  /** The text as it was given (there are no macros, so the processed one is the same); none where a stack waits for its first change set. */
  GetTemplate({ StackName, ChangeSetName }, { state }) {
    const wanted = ChangeSetName ? state.changeSet(ChangeSetName, StackName).changeSet.wanted : state.stack(StackName).is;
    return { TemplateBody: wanted?.text ?? '', StagesAvailable: ['Original', 'Processed'] };
  },

  async GetTemplateSummary(input, context) {
    const stack = input.StackName ? context.state.stack(input.StackName) : undefined;
    const template = templateFrom(stack?.is?.text ?? (await textAsked(input, context)));
    const Capabilities = capabilitiesFor(template.Resources);
    return {
      Parameters: Object.entries(template.Parameters ?? {}).map(
        ([ParameterKey, { Type, Default, Description, NoEcho = false }]) => ({
          ParameterKey,
          ParameterType: Type,
          NoEcho,
          ...(Default === undefined ? {} : { DefaultValue: String(Default) }),
          ...(Description ? { Description } : {}),
        }),
      ),
      ResourceTypes: [...new Set(Object.values(template.Resources).map(({ Type }) => Type))],
      ...(template.Description ? { Description: template.Description } : {}),
      ...(Capabilities.length > 0
        ? { Capabilities, CapabilitiesReason: 'The following resource(s) require capabilities: [AWS::IAM]' }
        : {}),
    };
  },

  async ValidateTemplate(input, context) {
    const { Parameters = {}, Description, Resources } = templateFrom(await textAsked(input, context));
    return {
      Parameters: Object.keys(Parameters).map((ParameterKey) => ({ ParameterKey })),
      Capabilities: capabilitiesFor(Resources),
      ...(Description ? { Description } : {}),
    };
  },

  ListStackResources({ StackName, NextToken }, { state }) {
    const { page, nextToken } = paged([...state.stack(StackName).resources.values()], 100, NextToken);
    return { StackResourceSummaries: page.map(summary), ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  DescribeStackResources({ StackName, LogicalResourceId }, { state }) {
    const stack = state.stack(StackName);
    const all = [...stack.resources.values()].filter(({ id }) => LogicalResourceId === undefined || id === LogicalResourceId);
    return { StackResources: all.map((kept) => detail(stack, kept)) };
  },

  DescribeStackResource({ StackName, LogicalResourceId = '' }, { state }) {
    const stack = state.stack(StackName);
    const kept = stack.resources.get(LogicalResourceId);
    if (!kept) return invalid(`Resource ${LogicalResourceId} does not exist for stack ${stack.name}`);
    return { StackResourceDetail: { ...summary(kept), StackId: stack.id, StackName: stack.name } };
  },

  ListExports({ NextToken }, { state }) {
    const all = [...state.stacks.values()].flatMap(({ id, outputs, status }) =>
      status === 'DELETE_COMPLETE'
        ? []
        : outputs.flatMap(({ ExportName: Name, OutputValue: Value }) => (Name ? [{ ExportingStackId: id, Name, Value }] : [])),
    );
    const { page, nextToken } = paged(all, 100, NextToken);
    return { Exports: page, ...(nextToken ? { NextToken: nextToken } : {}) };
  },
});
