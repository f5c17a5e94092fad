import { attributes, type ResourceTypes } from './resource.ts';

/** What the CDK notes about itself; nothing is made of it (CDK guide, "Version reporting"). */
export const cdk: ResourceTypes = {
  'AWS::CDK::Metadata': {
    properties: ['Analytics'],
    create: async (_, maker) => attributes(maker.name()),
    update: async (_, made) => made,
    remove: async () => {},
  },
};
