import type * as SDK from '@aws-sdk/client-s3';
import { refuse } from '../../world/service.ts';
import type { Bucket, Version } from './bucket.ts';
import type { Request } from './state.ts';

/** What a write demands of what is there. */
export interface WriteConditions {
  readonly IfNoneMatch?: string | undefined;
  readonly IfMatch?: string | undefined;
}

/** The condition keys of a bucket policy that a write carries. `creates` is false for what only prepares an object, such as a part. */
export const policyConditions = (put: Writing = {}, creates = true) => ({
  's3:if-none-match': put.IfNoneMatch,
  's3:if-match': put.IfMatch,
  's3:objectcreationoperation': String(creates),
  's3:x-amz-server-side-encryption': put.ServerSideEncryption,
  's3:x-amz-server-side-encryption-aws-kms-key-id': put.SSEKMSKeyId,
  's3:x-amz-server-side-encryption-customer-algorithm': put.SSECustomerAlgorithm,
  's3:object-lock-mode': put.ObjectLockMode,
  's3:object-lock-retain-until-date': put.ObjectLockRetainUntilDate?.toISOString(),
  's3:object-lock-legal-hold': put.ObjectLockLegalHoldStatus,
});

type Writing = WriteConditions &
  Partial<
    Pick<
      SDK.PutObjectRequest,
      | 'ServerSideEncryption'
      | 'SSEKMSKeyId'
      | 'SSECustomerAlgorithm'
      | 'ObjectLockMode'
      | 'ObjectLockRetainUntilDate'
      | 'ObjectLockLegalHoldStatus'
      | 'Tagging'
      | 'ACL'
    >
  > & { readonly BypassGovernanceRetention?: boolean | undefined };

/** What a request's headers need besides its own action (S3 guide, "Required permissions"; "Conditional requests": If-Match reads). */
const IMPLIED = {
  IfMatch: 's3:GetObject',
  Tagging: 's3:PutObjectTagging',
  ObjectLockMode: 's3:PutObjectRetention',
  ObjectLockLegalHoldStatus: 's3:PutObjectLegalHold',
  ACL: 's3:PutObjectAcl',
  BypassGovernanceRetention: 's3:BypassGovernanceRetention',
} as const;

export const impliedBy = (put: Writing): string[] =>
  Object.entries(IMPLIED).flatMap(([header, action]) => (put[header as keyof Writing] ? [action] : []));

/** Two requests are taken to overlap within this time: less than the two ways that lie between a request and the next one of the same caller. */
const RACE_MILLIS = 10;

/**
 * `If-None-Match: *` succeeds where there is no current object, also behind a delete marker; `If-Match` where its ETag is the current one.
 * Who races another write of the key may be told of the conflict instead, and is to ask again (S3 guide, "Conditional writes").
 */
export function checkWrite(bucket: Bucket, key: string, conditions: WriteConditions, { world }: Pick<Request, 'world'>): void {
  const { IfNoneMatch, IfMatch } = conditions;
  if (IfNoneMatch === undefined && IfMatch === undefined) return;
  if (world.clock.now() - bucket.changedAt(key) < RACE_MILLIS && world.random.chance(0.5)) {
    refuse(
      'ConditionalRequestConflict',
      'The conditional request cannot succeed due to a conflicting operation against this resource.',
      {
        status: 409,
      },
    );
  }
  const current = bucket.current(key);
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*')
      refuse('NotImplemented', 'A header you provided implies functionality that is not implemented', { status: 501 });
    if (current) unmet('If-None-Match');
  }
  if (IfMatch !== undefined) {
    if (!current) refuse('NoSuchKey', 'The specified key does not exist.', { status: 404, Key: key });
    if (!matches(IfMatch, current as Version)) unmet('If-Match');
  }
}

const unmet = (Condition?: string): never =>
  refuse('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    status: 412,
    ...(Condition ? { Condition } : {}),
  });

export const quoted = (etag: string): string => `"${etag}"`;
const matches = (asked: string, { etag }: Version): boolean => asked === '*' || asked.replaceAll('"', '') === etag;

/** S3 tells times in whole seconds. */
export const whole = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

/** What a read, or the reading side of a copy, demands of an object. */
export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

/** An ETag asked for outweighs a date (S3 API, GetObject): `otherwise` is what to answer where the reader has it already. */
export function checkRead(version: Version, conditions: ReadConditions, otherwise: () => never): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = whole(version.lastModified);
  if (IfMatch === undefined ? IfUnmodifiedSince && modified > IfUnmodifiedSince : !matches(IfMatch, version)) unmet();
  if (IfNoneMatch === undefined ? IfModifiedSince && modified <= IfModifiedSince : matches(IfNoneMatch, version)) otherwise();
}

export const notModified = (): never => refuse('NotModified', 'Not Modified', { status: 304 });
export const unmetByCopy = (): never => unmet();
