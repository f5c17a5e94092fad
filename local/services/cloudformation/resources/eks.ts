import { attributes, given, type Maker, type Properties, type ResourceTypes, small, tagMap } from './resource.ts';

interface Association {
  readonly PolicyArn: string;
  readonly AccessScope: object;
}

async function associate(
  { ClusterName, PrincipalArn, AccessPolicies = [] }: Properties,
  { call }: Maker,
  before: readonly Association[] = [],
): Promise<void> {
  const entry = { clusterName: ClusterName, principalArn: PrincipalArn };
  const wanted = AccessPolicies as readonly Association[];
  for (const { PolicyArn: policyArn } of before.filter(({ PolicyArn }) => !wanted.some((one) => one.PolicyArn === PolicyArn)))
    await call('eks', 'DisassociateAccessPolicy', { ...entry, policyArn });
  for (const { PolicyArn: policyArn, AccessScope } of wanted)
    await call('eks', 'AssociateAccessPolicy', { ...entry, policyArn, accessScope: small(AccessScope) });
}

export const eks: ResourceTypes = {
  'AWS::EKS::AccessEntry': {
    properties: ['ClusterName', 'PrincipalArn', 'AccessPolicies', 'KubernetesGroups', 'Type', 'Username', 'Tags'],
    replaced: ['ClusterName', 'PrincipalArn', 'Type', 'KubernetesGroups', 'Username'],
    async create(properties, maker) {
      const { ClusterName: clusterName, PrincipalArn: principalArn, KubernetesGroups: kubernetesGroups } = properties;
      const { Type: type, Username: username, Tags } = properties;
      const asked = given({ clusterName, principalArn, kubernetesGroups, type, username, tags: tagMap(Tags) });
      const { accessEntry } = await maker.call('eks', 'CreateAccessEntry', asked);
      await associate(properties, maker);
      return attributes(`${principalArn}|${clusterName}`, { AccessEntryArn: accessEntry.accessEntryArn });
    },
    async update(properties, made, maker, before) {
      await associate(properties, maker, before['AccessPolicies']);
      return made;
    },
    async remove({ id }, { call }) {
      const [principalArn, clusterName] = id.split('|');
      await call('eks', 'DeleteAccessEntry', { clusterName, principalArn });
    },
  },
};
