import type { Site } from './door.ts';

export const KEY_ALIAS = 'alias/shop';
export const SUBNET_GROUP = 'shop';
export const PARAMETER_GROUP = 'shop-postgres16';

/** What must stand in a region before anything of the shop can live there, whether it was made there or is restored. */
export interface Ground {
  /** The ARN of the shop's own key. */
  readonly key: string;
  /** One in each of two zones. */
  readonly subnets: readonly string[];
}

/** Makes the shop's key, network and database groups in a region. */
export async function prepare({ aws, place: { region } }: Site): Promise<Ground> {
  const [key, subnets] = await Promise.all([makeKey(aws), makeSubnets(aws, region)]);
  await aws.createParameterGroup({
    DBParameterGroupName: PARAMETER_GROUP,
    DBParameterGroupFamily: 'postgres16',
    Description: 'The shop',
  });
  await aws.createSubnetGroup({ DBSubnetGroupName: SUBNET_GROUP, DBSubnetGroupDescription: 'The shop', SubnetIds: [...subnets] });
  return { key, subnets };
}

/** A key of the account's own: what the default key encrypts can be copied nowhere. */
async function makeKey(aws: Site['aws']): Promise<string> {
  const { KeyMetadata } = await aws.createKey({ Description: 'The shop', Tags: [{ TagKey: 'app', TagValue: 'shop' }] });
  await aws.createAlias({ AliasName: KEY_ALIAS, TargetKeyId: KeyMetadata!.KeyId! });
  return KeyMetadata!.Arn!;
}

/**
 * Lets another account keep copies: use the key of what is encrypted (KMS guide, "Allowing users in other accounts to use a KMS key"; EBS guide,
 * "Share a snapshot"), and read the bucket. Who may there, that account says.
 */
export async function letIn({ aws, place }: Site, account: string, KeyId: string, Bucket: string): Promise<void> {
  const root = (of: string) => ({ AWS: `arn:aws:iam::${of}:root` });
  const allow = (Sid: string, Principal: object, Action: string | string[], Resource: string | string[], more: object = {}) => ({
    Sid,
    Effect: 'Allow',
    Principal,
    Action,
    Resource,
    ...more,
  });
  const forAws = { Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } } };
  const uses = ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];
  const document = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
  await aws.putKeyPolicy({
    KeyId,
    PolicyName: 'default',
    Policy: document(
      allow('Own', root(place.account), 'kms:*', '*'),
      allow('Copies', root(account), uses, '*'),
      allow('CopiesByServices', root(account), 'kms:CreateGrant', '*', forAws),
    ),
  });
  const reads = ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectVersionTagging'];
  await aws.putBucketPolicy({
    Bucket,
    Policy: document(allow('Copies', root(account), reads, `arn:aws:s3:::${Bucket}/*`)),
  });
}

async function makeSubnets(aws: Site['aws'], region: string): Promise<string[]> {
  const { Vpc } = await aws.createVpc({ CidrBlock: '10.20.0.0/16' });
  const made = ['a', 'b'].map((letter, i) =>
    aws.createSubnet({ VpcId: Vpc!.VpcId!, CidrBlock: `10.20.${i}.0/24`, AvailabilityZone: `${region}${letter}` }),
  );
  return (await Promise.all(made)).map(({ Subnet }) => Subnet!.SubnetId!);
}
