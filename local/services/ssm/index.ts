import type * as SDK from '@aws-sdk/client-ssm';
import { defineService, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { authorization } from './authorization.ts';
import { SsmState, type Stored } from './state.ts';

const shown = ({ name, arn, type, value, version, changedAt }: Stored): SDK.Parameter => ({
  Name: name,
  ARN: arn,
  Type: type,
  Value: value,
  Version: version,
  LastModifiedDate: changedAt,
  DataType: 'text',
});

/** Standard parameters hold 4 KB (Systems Manager guide, "Managing parameter tiers"). */
const LARGEST = 4096;
const NAME = /^(\/?[\w.-]+(\/[\w.-]+){0,14})$/;

const parameters = operations<typeof SDK, SsmState>()({
  PutParameter({ Name = '', Value = '', Type, Overwrite = false, AllowedPattern, Description, Tags = [] }, { state, now }) {
    const known = state.peek(Name);
    const type = Type ?? known?.type;
    if (!NAME.test(Name))
      refuse('ValidationException', `Parameter name: ${Name} must be a fully qualified name of letters, digits and _.-/`);
    if (!type) return refuse('ValidationException', 'A parameter type is required when you create a parameter.');
    if (type === 'SecureString')
      return refuse('NotImplemented', 'The local Parameter Store does not model SecureString.', { status: 501 });
    if (known && !Overwrite)
      refuse(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    if (Buffer.byteLength(Value) > LARGEST)
      refuse('ValidationException', `Standard tier parameters support a maximum parameter value of ${LARGEST} characters.`);
    if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(Value))
      refuse(
        'ParameterPatternMismatchException',
        `Parameter value, cannot be validated against allowedPattern: ${AllowedPattern}`,
      );
    const version = (known?.version ?? 0) + 1;
    const tags = known?.tags ?? Object.fromEntries(Tags.map((tag) => [tag.Key as string, tag.Value ?? '']));
    const description = Description ?? known?.description;
    state.parameters.set(Name, {
      name: Name,
      arn: state.arn(Name),
      type,
      value: Value,
      version,
      changedAt: now(),
      description,
      tags,
    });
    return { Version: version, Tier: 'Standard' };
  },

  GetParameter: ({ Name }, { state }) => ({ Parameter: shown(state.parameter(Name)) }),

  GetParameters({ Names = [] }, { state }) {
    const found = Names.map((name) => state.peek(name));
    return {
      Parameters: found.flatMap((one) => (one ? [shown(one)] : [])),
      InvalidParameters: Names.filter((_, index) => !found[index]),
    };
  },

  GetParametersByPath({ Path = '/', Recursive = false, MaxResults = 10, NextToken }, { state }) {
    const under = Path.endsWith('/') ? Path : `${Path}/`;
    const all = [...state.parameters.values()].filter(
      ({ name }) => name.startsWith(under) && (Recursive || !name.slice(under.length).includes('/')),
    );
    const { page, nextToken } = paged(all, MaxResults, NextToken);
    return { Parameters: page.map(shown), ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  DescribeParameters({ MaxResults = 50, NextToken }, { state }) {
    const { page, nextToken } = paged([...state.parameters.values()], MaxResults, NextToken);
    return {
      Parameters: page.map(({ name, arn, type, version, changedAt, description }) => ({
        Name: name,
        ARN: arn,
        Type: type,
        Version: version,
        LastModifiedDate: changedAt,
        Tier: 'Standard' as const,
        ...(description === undefined ? {} : { Description: description }),
      })),
      ...(nextToken ? { NextToken: nextToken } : {}),
    };
  },

  DeleteParameter({ Name }, { state }) {
    state.parameters.delete(state.parameter(Name).name);
    return {};
  },

  DeleteParameters({ Names = [] }, { state }) {
    const DeletedParameters = Names.filter((name) => state.parameters.delete(name));
    return { DeletedParameters, InvalidParameters: Names.filter((name) => !DeletedParameters.includes(name)) };
  },
});

export const service = defineService<SsmState>({
  name: 'ssm',
  sdk: () => import('@aws-sdk/client-ssm'),
  client: 'SSMClient',
  scope: 'region',
  state: (context) => new SsmState(context),
  authorization,
  operations: { ...parameters },
});
