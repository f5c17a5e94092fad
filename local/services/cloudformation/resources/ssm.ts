import { attributes, given, type Properties, type ResourceTypes } from './resource.ts';

const asked = ({ Type, Value, Description, AllowedPattern }: Properties): object =>
  given({ Type, Value, Description, AllowedPattern });

export const ssm: ResourceTypes = {
  'AWS::SSM::Parameter': {
    properties: ['Name', 'Type', 'Value', 'Description', 'AllowedPattern'],
    replaced: ['Name'],
    async create(properties, { call, name }) {
      const Name = properties['Name'] ?? name(128);
      await call('ssm', 'PutParameter', { ...asked(properties), Name });
      return attributes(Name, { Type: properties['Type'], Value: properties['Value'] });
    },
    async update(properties, made, { call }) {
      await call('ssm', 'PutParameter', { ...asked(properties), Name: made.id, Overwrite: true });
      return attributes(made.id, { Type: properties['Type'], Value: properties['Value'] });
    },
    remove: async ({ id: Name }, { call }) => void (await call('ssm', 'DeleteParameter', { Name })),
  },
};
