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

async function makeSubnets(aws: Site['aws'], region: string): Promise<string[]> {
  const { Vpc } = await aws.createVpc({ CidrBlock: '10.20.0.0/16' });
  const made = ['a', 'b'].map((letter, i) =>
    aws.createSubnet({ VpcId: Vpc!.VpcId!, CidrBlock: `10.20.${i}.0/24`, AvailabilityZone: `${region}${letter}` }),
  );
  return (await Promise.all(made)).map(({ Subnet }) => Subnet!.SubnetId!);
}
