import { attributes, documentText, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

interface Inline {
  readonly PolicyName: string;
  readonly PolicyDocument: unknown;
}

/** A role's policies, those of before that are no longer wanted taken away. */
async function grant(
  RoleName: string,
  { Policies = [], ManagedPolicyArns = [] }: Properties,
  { call }: Maker,
  before: Properties = {},
) {
  const was: readonly Inline[] = before['Policies'] ?? [];
  for (const { PolicyName } of was.filter(({ PolicyName }) => !Policies.some((one: Inline) => one.PolicyName === PolicyName)))
    await call('iam', 'DeleteRolePolicy', { RoleName, PolicyName });
  for (const policy of Policies as readonly Inline[]) {
    const same = was.some((one) => JSON.stringify(one) === JSON.stringify(policy));
    const { PolicyName, PolicyDocument } = policy;
    if (!same) await call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: documentText(PolicyDocument) });
  }
  const attached: readonly string[] = before['ManagedPolicyArns'] ?? [];
  for (const PolicyArn of attached.filter((arn) => !ManagedPolicyArns.includes(arn)))
    await call('iam', 'DetachRolePolicy', { RoleName, PolicyArn });
  for (const PolicyArn of (ManagedPolicyArns as string[]).filter((arn) => !attached.includes(arn)))
    await call('iam', 'AttachRolePolicy', { RoleName, PolicyArn });
}

const onRoles = async (roles: readonly string[], operation: string, input: object, { call }: Maker): Promise<void> => {
  for (const RoleName of roles) await call('iam', operation, { RoleName, ...input });
};

export const iam: ResourceTypes = {
  'AWS::IAM::Role': {
    properties: [
      'RoleName',
      'AssumeRolePolicyDocument',
      'Policies',
      'ManagedPolicyArns',
      'PermissionsBoundary',
      'Description',
      'Path',
      'MaxSessionDuration',
      'Tags',
    ],
    replaced: ['RoleName', 'Path'],
    async create(properties, maker) {
      const { Path, Description, MaxSessionDuration, PermissionsBoundary, Tags } = properties;
      const RoleName = properties['RoleName'] ?? maker.name(64);
      const AssumeRolePolicyDocument = documentText(properties['AssumeRolePolicyDocument']);
      const { Role } = await maker.call(
        'iam',
        'CreateRole',
        given({ RoleName, AssumeRolePolicyDocument, Path, Description, MaxSessionDuration, PermissionsBoundary, Tags }),
      );
      await grant(RoleName, properties, maker);
      return attributes(RoleName, { Arn: Role.Arn, RoleId: Role.RoleId });
    },
    async update(properties, made, maker, before) {
      const RoleName = made.id;
      const { AssumeRolePolicyDocument, Description, MaxSessionDuration, PermissionsBoundary } = properties;
      if (JSON.stringify(AssumeRolePolicyDocument) !== JSON.stringify(before['AssumeRolePolicyDocument']))
        await maker.call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: documentText(AssumeRolePolicyDocument) });
      if (Description !== before['Description'] || MaxSessionDuration !== before['MaxSessionDuration'])
        await maker.call('iam', 'UpdateRole', given({ RoleName, Description: Description ?? '', MaxSessionDuration }));
      if (PermissionsBoundary !== before['PermissionsBoundary'])
        await (PermissionsBoundary
          ? maker.call('iam', 'PutRolePermissionsBoundary', { RoleName, PermissionsBoundary })
          : maker.call('iam', 'DeleteRolePermissionsBoundary', { RoleName }));
      await grant(RoleName, properties, maker, before);
      return made;
    },
    async remove({ id: RoleName }, maker, properties) {
      await grant(RoleName, {}, maker, properties);
      await maker.call('iam', 'DeleteRole', { RoleName });
    },
  },
  'AWS::IAM::Policy': {
    properties: ['PolicyName', 'PolicyDocument', 'Roles'],
    replaced: ['PolicyName'],
    async create({ PolicyName, PolicyDocument, Roles = [] }, maker) {
      await onRoles(Roles, 'PutRolePolicy', { PolicyName, PolicyDocument: documentText(PolicyDocument) }, maker);
      return attributes(maker.name(128), { Id: PolicyName });
    },
    async update({ PolicyName, PolicyDocument, Roles = [] }, made, maker, { Roles: were = [] }) {
      const gone = were.filter((role: string) => !Roles.includes(role));
      await onRoles(Roles, 'PutRolePolicy', { PolicyName, PolicyDocument: documentText(PolicyDocument) }, maker);
      await onRoles(gone, 'DeleteRolePolicy', { PolicyName }, maker);
      return made;
    },
    remove: (_, maker, { PolicyName, Roles = [] }) => onRoles(Roles, 'DeleteRolePolicy', { PolicyName }, maker),
  },
  'AWS::IAM::ManagedPolicy': {
    properties: ['ManagedPolicyName', 'PolicyDocument', 'Description', 'Path', 'Roles'],
    replaced: ['ManagedPolicyName', 'Description', 'Path'],
    async create({ ManagedPolicyName, PolicyDocument, Description, Path, Roles = [] }, maker) {
      const PolicyName = ManagedPolicyName ?? maker.name(128);
      const asked = given({ PolicyName, PolicyDocument: documentText(PolicyDocument), Description, Path });
      const { Policy } = await maker.call('iam', 'CreatePolicy', asked);
      await onRoles(Roles, 'AttachRolePolicy', { PolicyArn: Policy.Arn }, maker);
      return attributes(Policy.Arn, { PolicyArn: Policy.Arn, PolicyId: Policy.PolicyId });
    },
    async update({ PolicyDocument, Roles = [] }, made, maker, { Roles: were = [] }) {
      const PolicyArn = made.id;
      const PolicyDocumentText = documentText(PolicyDocument);
      await maker.call('iam', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: PolicyDocumentText, SetAsDefault: true });
      await onRoles(
        Roles.filter((role: string) => !were.includes(role)),
        'AttachRolePolicy',
        { PolicyArn },
        maker,
      );
      await onRoles(
        were.filter((role: string) => !Roles.includes(role)),
        'DetachRolePolicy',
        { PolicyArn },
        maker,
      );
      return made;
    },
    async remove({ id: PolicyArn }, maker, { Roles = [] }) {
      await onRoles(Roles, 'DetachRolePolicy', { PolicyArn }, maker);
      await maker.call('iam', 'DeletePolicy', { PolicyArn });
    },
  },
};
