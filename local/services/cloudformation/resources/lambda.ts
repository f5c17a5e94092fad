import { attributes, given, type Properties, type ResourceTypes, tagMap } from './resource.ts';

const CONFIGURED = [
  'Role',
  'Handler',
  'Runtime',
  'Description',
  'Timeout',
  'MemorySize',
  'Environment',
  'TracingConfig',
  'VpcConfig',
];
const configuration = (properties: Properties): Record<string, unknown> =>
  given(Object.fromEntries(CONFIGURED.map((name) => [name, properties[name]])));

export const lambda: ResourceTypes = {
  'AWS::Lambda::Function': {
    properties: [...CONFIGURED, 'FunctionName', 'Code', 'Architectures', 'Tags'],
    replaced: ['FunctionName'],
    async create(properties, { call, name }) {
      const { Code, Architectures, Tags } = properties;
      const FunctionName = properties['FunctionName'] ?? name(64);
      const asked = { ...configuration(properties), FunctionName, Code, Tags: tagMap(Tags), ...given({ Architectures }) };
      const { FunctionArn } = await call('lambda', 'CreateFunction', asked);
      return attributes(FunctionName, { Arn: FunctionArn });
    },
    async update(properties, made, { call }, before) {
      const FunctionName = made.id;
      const { Code, Architectures } = properties;
      if (JSON.stringify([Code, Architectures]) !== JSON.stringify([before['Code'], before['Architectures']]))
        await call('lambda', 'UpdateFunctionCode', { FunctionName, ...Code, ...given({ Architectures }) });
      if (JSON.stringify(configuration(properties)) !== JSON.stringify(configuration(before)))
        await call('lambda', 'UpdateFunctionConfiguration', { FunctionName, ...configuration(properties) });
      return made;
    },
    remove: async ({ id: FunctionName }, { call }) => void (await call('lambda', 'DeleteFunction', { FunctionName })),
  },
  'AWS::Lambda::Permission': {
    properties: ['FunctionName', 'Action', 'Principal', 'SourceArn', 'SourceAccount', 'PrincipalOrgID'],
    async create(properties, { call, name }) {
      const StatementId = name(100);
      await call('lambda', 'AddPermission', { ...properties, StatementId });
      return attributes(StatementId, { Id: StatementId });
    },
    remove: async ({ id: StatementId }, { call }, { FunctionName }) =>
      void (await call('lambda', 'RemovePermission', { FunctionName, StatementId })),
  },
};
