/**
 * What a bucket of ours forbids to everyone, our own functions included. A deny in a bucket's policy wins over whatever a role allows (IAM
 * guide, "Policy evaluation logic"), and only who may change the policy can lift it.
 */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string };
  readonly Action: string | readonly string[];
  /** Absent in a role's own policy. */
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface BucketPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What is written once: a plan, an outcome, a restore's plan and report, a public key. */
const WRITTEN_ONCE = ['restore-points', 'restores', 'keys'];

const deny = (
  Sid: string,
  Action: string | string[],
  Resource: string | string[],
  Condition?: Statement['Condition'],
): Statement => ({
  Sid,
  Effect: 'Deny',
  Principal: '*',
  Action,
  Resource,
  ...(Condition ? { Condition } : {}),
});

const arn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
const onlyTls = (bucket: string): Statement =>
  deny('OnlyTls', 's3:*', [arn(bucket), `${arn(bucket)}/*`], { Bool: { 'aws:SecureTransport': 'false' } });

/** What a vault reads of an object that it copies. */
const READS = ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectVersionTagging'];

/**
 * Lets roles of other accounts in, by name. Their accounts' roots stand as the principals, for a policy that names a role is refused while there
 * is none, and is void for one that was made anew (IAM guide, "AWS JSON policy elements: Principal").
 */
export const letsIn = (roles: readonly string[], Action: readonly string[], Resource?: string): Statement[] =>
  [...Map.groupBy(roles, (role) => role.split(':')[4]!)].map(([account, own]) => ({
    Sid: `VaultsIn${account}`,
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action,
    ...(Resource === undefined ? {} : { Resource }),
    Condition: { ArnEquals: { 'aws:PrincipalArn': own } },
  }));

/** What holds for every bucket of ours: nobody talks to it in the clear, and nobody of another account but the vaults that copy from it. */
export const storePolicy = (bucket: string, readers: readonly string[] = []): BucketPolicy => ({
  Version: '2012-10-17',
  Statement: [onlyTls(bucket), ...letsIn(readers, READS, `${arn(bucket)}/*`)],
});

/**
 * The ledger accepts conditional writes only under what is written once, and no deletes (S3 guide, "Enforce conditional writes"). Nobody may
 * write under a key that only he has (SSE-C), nor let time delete for him (a lifecycle).
 */
export function ledgerPolicy(bucket: string): BucketPolicy {
  const once = WRITTEN_ONCE.map((prefix) => `${arn(bucket)}/${prefix}/*`);
  return {
    Version: '2012-10-17',
    Statement: [
      deny('OnlyConditionalWrites', 's3:PutObject', once, { Null: { 's3:if-none-match': 'true' } }),
      deny('NoDeletes', ['s3:DeleteObject', 's3:DeleteObjectVersion'], once),
      deny('NoKeysOfOthers', 's3:PutObject', `${arn(bucket)}/*`, {
        Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'false' },
      }),
      deny('NoLifecycle', 's3:PutLifecycleConfiguration', arn(bucket)),
      onlyTls(bucket),
    ],
  };
}
