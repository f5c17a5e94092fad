import { attributes, documentText, given, type ResourceTypes } from './resource.ts';

export const kms: ResourceTypes = {
  'AWS::KMS::Key': {
    properties: [
      'Description',
      'KeyPolicy',
      'KeySpec',
      'KeyUsage',
      'EnableKeyRotation',
      'PendingWindowInDays',
      'MultiRegion',
      'Enabled',
      'Tags',
    ],
    replaced: ['KeySpec', 'KeyUsage', 'MultiRegion'],
    async create({ Description, KeyPolicy, KeySpec, KeyUsage, EnableKeyRotation, MultiRegion, Enabled = true, Tags }, { call }) {
      const tags = Tags?.map(({ Key, Value }: { Key: string; Value: string }) => ({ TagKey: Key, TagValue: Value }));
      const Policy = KeyPolicy ? documentText(KeyPolicy) : undefined;
      const { KeyMetadata } = await call(
        'kms',
        'CreateKey',
        given({ Description, Policy, KeySpec, KeyUsage, MultiRegion, Tags: tags }),
      );
      const { KeyId, Arn } = KeyMetadata;
      if (EnableKeyRotation) await call('kms', 'EnableKeyRotation', { KeyId });
      if (!Enabled) await call('kms', 'DisableKey', { KeyId });
      return attributes(KeyId, { KeyId, Arn });
    },
    async update(properties, made, { call }, before) {
      const KeyId = made.id;
      const changed = (name: string) => JSON.stringify(properties[name]) !== JSON.stringify(before[name]);
      if (changed('KeyPolicy'))
        await call('kms', 'PutKeyPolicy', { KeyId, PolicyName: 'default', Policy: documentText(properties['KeyPolicy']) });
      if (changed('Description'))
        await call('kms', 'UpdateKeyDescription', { KeyId, Description: properties['Description'] ?? '' });
      if (changed('EnableKeyRotation'))
        await call('kms', properties['EnableKeyRotation'] ? 'EnableKeyRotation' : 'DisableKeyRotation', { KeyId });
      if (changed('Enabled')) await call('kms', properties['Enabled'] === false ? 'DisableKey' : 'EnableKey', { KeyId });
      return made;
    },
    remove: async ({ id: KeyId }, { call }, { PendingWindowInDays = 30 }) =>
      void (await call('kms', 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays })),
  },
  'AWS::KMS::Alias': {
    properties: ['AliasName', 'TargetKeyId'],
    replaced: ['AliasName'],
    async create({ AliasName, TargetKeyId }, { call }) {
      await call('kms', 'CreateAlias', { AliasName, TargetKeyId });
      return attributes(AliasName, { AliasName });
    },
    async update({ AliasName, TargetKeyId }, made, { call }) {
      await call('kms', 'UpdateAlias', { AliasName, TargetKeyId });
      return made;
    },
    remove: async ({ id: AliasName }, { call }) => void (await call('kms', 'DeleteAlias', { AliasName })),
  },
};
