/**
 * What a bucket of ours forbids to everyone, our own functions included. A deny in a bucket's policy wins over whatever a role allows (IAM
 * guide, "Policy evaluation logic"), and only who may change the policy can lift it.
 */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
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

/** What holds for every bucket of ours: nobody talks to it in the clear. */
export const storePolicy = (bucket: string): BucketPolicy => ({ Version: '2012-10-17', Statement: [onlyTls(bucket)] });

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
