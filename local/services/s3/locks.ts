import type * as SDK from '@aws-sdk/client-s3';
import { operations, refuse } from '../../world/service.ts';
import type { Bucket, Version } from './bucket.ts';
import type { S3State } from './state.ts';

/** Object Lock protects versions, never keys (S3 guide, "Locking objects with Object Lock"). */

const locked = (): never => refuse('AccessDenied', 'Access Denied because object protected by object lock.', { status: 403 });

/** Refuses the deletion of a version that is held, or retained and not bypassed. */
export function refuseLocked({ retention, legalHold }: Version, now: Date, bypass: boolean): void {
  const retained = retention && retention.RetainUntilDate > now && !(retention.Mode === 'GOVERNANCE' && bypass);
  if (retained || legalHold === 'ON') locked();
}

type Locking = Pick<SDK.PutObjectRequest, 'ObjectLockMode' | 'ObjectLockRetainUntilDate' | 'ObjectLockLegalHoldStatus'>;

const DAY_MILLIS = 86_400_000;

/** What locks a new version: what its request says, else the bucket's default. */
export function lockOf(bucket: Bucket, asked: Locking, now: Date): Pick<Version, 'retention' | 'legalHold'> {
  const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate, ObjectLockLegalHoldStatus: legalHold } = asked;
  if (!bucket.lockable && (Mode || RetainUntilDate || legalHold)) refuseUnlockable();
  if (!Mode !== !RetainUntilDate)
    refuse('InvalidArgument', 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied');
  const held = legalHold ? { legalHold } : {};
  if (Mode && RetainUntilDate) return { ...held, retention: future({ Mode, RetainUntilDate }, now) };
  const { Mode: byDefault, Days, Years = 0 } = bucket.defaultRetention ?? {};
  if (!byDefault) return held;
  const until = new Date(now.getTime() + (Days ?? 365 * Years) * DAY_MILLIS);
  return { ...held, retention: { Mode: byDefault, RetainUntilDate: until } };
}

const refuseUnlockable = (): never => refuse('InvalidRequest', 'Bucket is missing Object Lock Configuration');

function future(retention: NonNullable<Version['retention']>, now: Date): NonNullable<Version['retention']> {
  if (retention.RetainUntilDate <= now) refuse('InvalidArgument', 'The retain until date must be in the future!');
  return retention;
}

const unset = (): never =>
  refuse('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });

export const locks = operations<typeof SDK, S3State>()({
  /** Compliance retention can only be extended; governance can be changed by who may bypass it (S3 guide, "Retention modes"). */
  PutObjectRetention({ Bucket: name, Key = '', VersionId, Retention, BypassGovernanceRetention = false }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutObjectRetention', {}, Key);
    if (BypassGovernanceRetention) context.state.allow(bucket, context, 's3:BypassGovernanceRetention', {}, Key);
    if (!bucket.lockable) refuseUnlockable();
    const version = bucket.find(Key, VersionId);
    const { Mode, RetainUntilDate } = Retention ?? {};
    const held = version.retention && version.retention.RetainUntilDate > context.now() ? version.retention : undefined;
    const loosens =
      held && (!RetainUntilDate || RetainUntilDate < held.RetainUntilDate || (Mode !== held.Mode && Mode !== 'COMPLIANCE'));
    if (loosens && !(held.Mode === 'GOVERNANCE' && BypassGovernanceRetention)) locked();
    if (Mode && RetainUntilDate) version.retention = future({ Mode, RetainUntilDate }, context.now());
    else delete version.retention;
    return {};
  },

  GetObjectRetention({ Bucket: name, Key = '', VersionId }, context) {
    const { retention } = context.state.bucket(name, context, 's3:GetObjectRetention', {}, Key).find(Key, VersionId);
    return { Retention: retention ?? unset() };
  },

  PutObjectLegalHold({ Bucket: name, Key = '', VersionId, LegalHold }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutObjectLegalHold', {}, Key);
    if (!bucket.lockable) refuseUnlockable();
    bucket.find(Key, VersionId).legalHold = LegalHold?.Status ?? 'OFF';
    return {};
  },

  GetObjectLegalHold({ Bucket: name, Key = '', VersionId }, context) {
    const { legalHold } = context.state.bucket(name, context, 's3:GetObjectLegalHold', {}, Key).find(Key, VersionId);
    return { LegalHold: { Status: legalHold ?? unset() } };
  },

  PutObjectLockConfiguration({ Bucket: name, ObjectLockConfiguration }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutBucketObjectLockConfiguration');
    if (bucket.versioning !== 'Enabled') {
      refuse('InvalidBucketState', "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", {
        status: 409,
      });
    }
    bucket.lockable = true;
    bucket.defaultRetention = ObjectLockConfiguration?.Rule?.DefaultRetention;
    return {};
  },

  GetObjectLockConfiguration({ Bucket: name }, context) {
    const bucket = context.state.bucket(name, context, 's3:GetBucketObjectLockConfiguration');
    if (!bucket.lockable)
      refuse('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket', { status: 404 });
    const rule = bucket.defaultRetention ? { Rule: { DefaultRetention: bucket.defaultRetention } } : {};
    return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...rule } };
  },
});
