import { Malformed } from '../../world/authorization/conditions.ts';
import { type Document, documentOf } from '../../world/authorization/document.ts';
import { refuse } from '../../world/service.ts';
import type { Caller } from '../../world/world.ts';

/** A key's policy, ready to be asked. */
export function policyIn(text: string): Document {
  try {
    return documentOf(text, 'resource');
  } catch (error) {
    if (error instanceof Malformed) return refuse('MalformedPolicyDocumentException', error.message);
    throw error;
  }
}

/** A caller by every name that a grant may call it: an assumed role by its session, its role and its account. */
export const namesOf = (caller: Caller): readonly string[] => [
  caller.account,
  caller.arn,
  `arn:aws:iam::${caller.account}:root`,
  principalOf(caller),
];

/** A session counts as its role (IAM guide, "aws:PrincipalArn"). */
const principalOf = ({ arn }: Caller): string =>
  arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2');

const statements = (Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement });

/** The account decides by its own policies (KMS guide, "Default key policy"). */
export const accountDecides = (account: string): string =>
  statements([
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ]);

/** The services that a key of AWS's own serves, by the end of its alias; EBS asks KMS as EC2. */
const SERVES: Readonly<Record<string, string>> = { ebs: 'ec2' };

/** Whoever of the account may use the service may use its key through it, and only so (KMS guide, "AWS managed keys": the key policy). */
export const throughService = (account: string, region: string, alias: string): string => {
  const name = alias.replace('alias/aws/', '');
  return statements([
    {
      Sid: `Allow access through ${name} for all principals in the account that are authorized to use it`,
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:CreateGrant', 'kms:DescribeKey'],
      Resource: '*',
      Condition: {
        StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `${SERVES[name] ?? name}.${region}.amazonaws.com` },
      },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
      Resource: '*',
    },
  ]);
};
