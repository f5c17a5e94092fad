import { attributes, given, type Properties, type ResourceTypes, small } from './resource.ts';

const asked = ({ DefinitionString, Definition, RoleArn, LoggingConfiguration, TracingConfiguration }: Properties) =>
  given({
    definition: DefinitionString ?? JSON.stringify(Definition),
    roleArn: RoleArn,
    loggingConfiguration: small(LoggingConfiguration),
    tracingConfiguration: small(TracingConfiguration),
  });

export const states: ResourceTypes = {
  'AWS::StepFunctions::StateMachine': {
    properties: [
      'StateMachineName',
      'StateMachineType',
      'DefinitionString',
      'Definition',
      'RoleArn',
      'LoggingConfiguration',
      'TracingConfiguration',
      'Tags',
    ],
    replaced: ['StateMachineName', 'StateMachineType'],
    async create(properties, { call, name: generated }) {
      const { StateMachineType: type, Tags } = properties;
      const name = properties['StateMachineName'] ?? generated(80);
      const { stateMachineArn } = await call(
        'states',
        'CreateStateMachine',
        given({ ...asked(properties), name, type, tags: small(Tags) }),
      );
      return attributes(stateMachineArn, { Arn: stateMachineArn, Name: name });
    },
    async update(properties, made, { call }) {
      await call('states', 'UpdateStateMachine', { stateMachineArn: made.id, ...asked(properties) });
      return made;
    },
    remove: async ({ id: stateMachineArn }, { call }) => void (await call('states', 'DeleteStateMachine', { stateMachineArn })),
  },
};
