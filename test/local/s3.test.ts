import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { service as events } from '../../local/services/events/index.ts';
import type { EventsState } from '../../local/services/events/state.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { service as s3 } from '../../local/services/s3/index.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { service as tagging } from '../../local/services/tagging/index.ts';
import { compareText } from '../../local/services/utf8.ts';
import { type Caller, type Place, World } from '../../local/world/world.ts';

const services = new Map([s3, kms, tagging, events].map((service) => [service.name, service]));
const home: Place = { account: '111122223333', region: 'us-east-1' };
const west: Place = { account: '111122223333', region: 'eu-west-1' };
const other: Place = { account: '999900001111', region: 'us-east-1' };
const BUCKET = 'media-of-the-shop';

let world: World;
beforeEach(() => {
  world = new World(services, { seed: 's3' });
});

interface Asking {
  readonly place?: Place;
  readonly service?: string;
  readonly caller?: Caller;
}
const ask = async (operation: string, input: object = {}, { place = home, service = 's3', caller }: Asking = {}): Promise<any> =>
  world.clock.settle(
    world.call({ place, service, operation, input: { Bucket: BUCKET, ...input }, ...(caller ? { caller } : {}) }),
  );
const refused = (operation: string, input: object = {}, asking: Asking = {}) =>
  ask(operation, input, asking).then(
    () => expect.unreachable(`${operation} was not refused`),
    (error: Error & { code: string; status: number; fields: Record<string, any> }) => error,
  );
const state = () => world.state<S3State>('s3', home);
const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = ({ Body }: { Body: Uint8Array }) => Buffer.from(Body).toString();
const put = (Key: string, text = Key, more: object = {}, asking: Asking = {}) =>
  ask('PutObject', { Key, Body: bytes(text), ...more }, asking);
const bucketOf = async ({ place = home, name = BUCKET, versioned = false, locked = false } = {}) => {
  const constraint = place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region } };
  await ask('CreateBucket', { Bucket: name, ObjectLockEnabledForBucket: locked, ...constraint }, { place });
  if (versioned) await ask('PutBucketVersioning', { Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }, { place });
};
const later = (days: number) => new Date(world.clock.now() + days * 86_400_000);

describe('buckets', () => {
  test('are named once for everyone, and lie where they are asked for', async () => {
    await bucketOf({ place: west });
    expect(await refused('CreateBucket', {}, { place: other })).toMatchObject({ code: 'BucketAlreadyExists', status: 409 });
    expect(
      await refused('CreateBucket', { CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }, { place: west }),
    ).toMatchObject({
      code: 'BucketAlreadyOwnedByYou',
    });
    expect(await refused('CreateBucket', { Bucket: 'elsewhere' }, { place: west })).toMatchObject({
      code: 'IllegalLocationConstraintException',
    });
    expect(await ask('GetBucketLocation')).toEqual({ LocationConstraint: 'eu-west-1' });
    await bucketOf({ name: 'again' });
    await bucketOf({ name: 'again' });
    expect((await ask('ListBuckets')).Buckets.map(({ Name }: { Name: string }) => Name)).toEqual(['again', BUCKET]);
    expect(await refused('CreateBucket', { Bucket: 'No' })).toMatchObject({ code: 'InvalidBucketName' });
  });

  test('of another region are answered with where they are, and those of another account are closed', async () => {
    await bucketOf({ place: west });
    const error = await refused('GetObject', { Key: 'a' });
    expect(error).toMatchObject({ code: 'PermanentRedirect', status: 301, fields: { BucketRegion: 'eu-west-1' } });
    const stranger = { place: { ...other, region: 'eu-west-1' } };
    expect(await refused('HeadBucket', {}, stranger)).toMatchObject({ code: 'AccessDenied', status: 403 });
    expect(await refused('HeadBucket', { ExpectedBucketOwner: other.account }, { place: west })).toMatchObject({
      code: 'AccessDenied',
    });
  });

  test('are deleted only when no version is left', async () => {
    await bucketOf({ versioned: true });
    const { VersionId } = await put('a');
    const { VersionId: marker } = await ask('DeleteObject', { Key: 'a' });
    expect(await refused('DeleteBucket')).toMatchObject({ code: 'BucketNotEmpty' });
    await ask('DeleteObjects', { Delete: { Objects: [VersionId, marker].map((id) => ({ Key: 'a', VersionId: id })) } });
    await ask('DeleteBucket');
    expect(await refused('HeadBucket')).toMatchObject({ code: 'NoSuchBucket', status: 404 });
  });

  test('bear tags that the tagging API finds, and settings that come back as they were put', async () => {
    await bucketOf();
    expect(await refused('GetBucketTagging')).toMatchObject({ code: 'NoSuchTagSet' });
    await ask('PutBucketTagging', { Tagging: { TagSet: [{ Key: 'app', Value: 'shop' }] } });
    const found = await ask('GetResources', { TagFilters: [{ Key: 'app', Values: ['shop'] }] }, { service: 'tagging' });
    expect(found.ResourceTagMappingList).toMatchObject([{ ResourceARN: `arn:aws:s3:::${BUCKET}` }]);
    expect(await refused('GetBucketLifecycleConfiguration')).toMatchObject({ code: 'NoSuchLifecycleConfiguration' });
    const Rules = [{ ID: 'r', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 3 } }];
    await ask('PutBucketLifecycleConfiguration', { LifecycleConfiguration: { Rules } });
    expect(await ask('GetBucketLifecycleConfiguration')).toMatchObject({ Rules });
  });
});

describe('objects', () => {
  test('come back with what was said of them, in whole seconds', async () => {
    await bucketOf();
    const { ETag, ServerSideEncryption } = await put('a/b', 'hello', {
      ContentType: 'text/plain',
      Metadata: { Colour: 'red' },
      Tagging: 'x=1&y=a%20b',
    });
    expect(ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
    expect(ServerSideEncryption).toBe('AES256');
    const found = await ask('GetObject', { Key: 'a/b' });
    expect(textOf(found)).toBe('hello');
    expect(found).toMatchObject({ ETag, ContentType: 'text/plain', Metadata: { colour: 'red' }, ContentLength: 5, TagCount: 2 });
    expect(found.LastModified.getTime() % 1000).toBe(0);
    expect((await ask('GetObjectTagging', { Key: 'a/b' })).TagSet).toContainEqual({ Key: 'y', Value: 'a b' });
    expect(await refused('GetObject', { Key: 'b' })).toMatchObject({ code: 'NoSuchKey', status: 404 });
    expect(await refused('HeadObject', { Key: 'b' })).toMatchObject({ code: 'NotFound', status: 404 });
  });

  test.each([
    ['bytes=0-1', 'ab', 'bytes 0-1/6'],
    ['bytes=4-', 'ef', 'bytes 4-5/6'],
    ['bytes=-2', 'ef', 'bytes 4-5/6'],
    ['bytes=2-99', 'cdef', 'bytes 2-5/6'],
  ])('are read in part: %s', async (Range, part, ContentRange) => {
    await bucketOf();
    await put('a', 'abcdef');
    const found = await ask('GetObject', { Key: 'a', Range });
    expect([textOf(found), found.ContentRange, found.ContentLength]).toEqual([part, ContentRange, part.length]);
    expect(await refused('GetObject', { Key: 'a', Range: 'bytes=6-' })).toMatchObject({ code: 'InvalidRange', status: 416 });
  });

  test('are read under conditions', async () => {
    await bucketOf();
    const { ETag } = await put('a');
    const { LastModified } = await ask('HeadObject', { Key: 'a' });
    await ask('GetObject', { Key: 'a', IfMatch: ETag, IfUnmodifiedSince: new Date(0) });
    expect(await refused('GetObject', { Key: 'a', IfMatch: '"x"' })).toMatchObject({ status: 412 });
    expect(await refused('GetObject', { Key: 'a', IfNoneMatch: ETag })).toMatchObject({ status: 304 });
    expect(await refused('GetObject', { Key: 'a', IfModifiedSince: LastModified })).toMatchObject({ status: 304 });
    expect(await refused('GetObject', { Key: 'a', IfUnmodifiedSince: new Date(0) })).toMatchObject({ status: 412 });
  });

  test('keep checksums that are right, and only those', async () => {
    await bucketOf();
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32('hello'));
    const ChecksumSHA256 = createHash('sha256').update('hello').digest('base64');
    const ChecksumCRC32 = crc.toString('base64');
    expect(await put('a', 'hello', { ChecksumSHA256, ChecksumCRC32 })).toMatchObject({ ChecksumSHA256, ChecksumCRC32 });
    expect(await ask('HeadObject', { Key: 'a', ChecksumMode: 'ENABLED' })).toMatchObject({
      ChecksumSHA256,
      ChecksumType: 'FULL_OBJECT',
    });
    expect((await ask('HeadObject', { Key: 'a' })).ChecksumSHA256).toBeUndefined();
    for (const claim of [{ ChecksumSHA256 }, { ChecksumCRC32 }, { ContentMD5: 'AAAA' }])
      await expect(put('a', 'bye', claim)).rejects.toMatchObject({ code: 'BadDigest' });
    expect(textOf(await ask('GetObject', { Key: 'a' }))).toBe('hello');
    expect(await put('b', 'hello', { ChecksumAlgorithm: 'SHA256' })).toMatchObject({ ChecksumSHA256 });
  });

  test('what callers do to their bytes later does not change what is kept', async () => {
    await bucketOf();
    const pool = Buffer.from('xxhelloxx');
    await ask('PutObject', { Key: 'a', Body: pool.subarray(2, 7) });
    pool.fill(0);
    const { Body } = await ask('GetObject', { Key: 'a' });
    Body.fill(0);
    const kept = state().object(BUCKET, 'a') as Uint8Array;
    expect(Buffer.from(kept).toString()).toBe('hello');
    expect(kept.buffer.byteLength).toBe(5);
  });

  test('under a KMS key need it, and their ETag is no digest', async () => {
    await bucketOf();
    const { KeyMetadata } = await ask('CreateKey', {}, { service: 'kms' });
    const encrypted = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata.KeyId };
    const one = await put('a', 'same', encrypted);
    const two = await put('b', 'same', encrypted);
    expect(one.SSEKMSKeyId).toBe(KeyMetadata.Arn);
    expect(one.ETag).not.toBe(two.ETag);
    await ask('DisableKey', { KeyId: KeyMetadata.KeyId }, { service: 'kms' });
    expect(await refused('GetObject', { Key: 'a' })).toMatchObject({ code: 'KMS.DisabledException' });
    await expect(put('c', 'same', encrypted)).rejects.toMatchObject({ code: 'KMS.DisabledException' });
    await ask('PutBucketEncryption', {
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'alias/none' } }],
      },
    });
    await expect(put('c')).rejects.toMatchObject({ code: 'KMS.NotFoundException' });
  });
});

test('EventBridge is told of objects, where the bucket says so', async () => {
  await bucketOf({ versioned: true });
  await put('untold');
  await ask('PutBucketNotificationConfiguration', { NotificationConfiguration: { EventBridgeConfiguration: {} } });
  const told: any[] = [];
  const bus = world.state<EventsState>('events', home);
  bus.publish = (_, event) => void told.push(event);
  const { VersionId } = await put('a', 'hello');
  await ask('CopyObject', { Key: 'b', CopySource: `${BUCKET}/a` });
  await ask('DeleteObject', { Key: 'a' });
  await ask('DeleteObject', { Key: 'a', VersionId });
  expect(told.map((event) => [event['detail-type'], event.detail.reason, event.detail['deletion-type']])).toEqual([
    ['Object Created', 'PutObject', undefined],
    ['Object Created', 'CopyObject', undefined],
    ['Object Deleted', 'DeleteObject', 'Delete Marker Created'],
    ['Object Deleted', 'DeleteObject', 'Permanently Deleted'],
  ]);
  expect(told[0]).toMatchObject({
    source: 'aws.s3',
    resources: [`arn:aws:s3:::${BUCKET}`],
    detail: { bucket: { name: BUCKET }, object: { key: 'a', size: 5, 'version-id': VersionId } },
  });
});

describe('versions', () => {
  test('pile up under a key, and a delete lays a marker on top', async () => {
    await bucketOf({ versioned: true });
    const first = await put('a', 'one');
    await put('a', 'two');
    const { DeleteMarker, VersionId: marker } = await ask('DeleteObject', { Key: 'a' });
    expect(DeleteMarker).toBe(true);
    expect(await refused('GetObject', { Key: 'a' })).toMatchObject({ code: 'NoSuchKey' });
    expect(textOf(await ask('GetObject', { Key: 'a', VersionId: first.VersionId }))).toBe('one');
    expect(await refused('GetObject', { Key: 'a', VersionId: marker })).toMatchObject({ code: 'MethodNotAllowed', status: 405 });
    expect(await refused('GetObject', { Key: 'a', VersionId: 'none' })).toMatchObject({ code: 'NoSuchVersion', status: 404 });
    await ask('DeleteObject', { Key: 'a', VersionId: marker });
    expect(textOf(await ask('GetObject', { Key: 'a' }))).toBe('two');
  });

  test('before versioning and while it is suspended are the null version', async () => {
    await bucketOf();
    await put('a', 'before');
    await ask('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled' } });
    await put('a', 'during');
    await ask('PutBucketVersioning', { VersioningConfiguration: { Status: 'Suspended' } });
    expect(textOf(await ask('GetObject', { Key: 'a', VersionId: 'null' }))).toBe('before');
    await put('a', 'after');
    const { Versions } = await ask('ListObjectVersions');
    expect(Versions.map(({ VersionId }: { VersionId: string }) => VersionId === 'null')).toEqual([true, false]);
    await ask('DeleteObject', { Key: 'a' });
    expect((await ask('ListObjectVersions')).DeleteMarkers).toMatchObject([{ VersionId: 'null', IsLatest: true }]);
  });

  test('the truth at any millisecond is known, also of what was replaced or deleted for good', async () => {
    for (const versioned of [false, true]) {
      world = new World(services, { seed: `truth-${versioned}` });
      await bucketOf({ versioned });
      const held = new Map<string, string>();
      const truth: [number, [string, string][]][] = [];
      const removed: { Key: string; VersionId: string }[] = [];
      for (let i = 0; i < 60; i++) {
        const Key = `k${i % 5}`;
        if (i % 7 === 6) {
          const { VersionId } = await ask('DeleteObject', { Key });
          if (VersionId) removed.push({ Key, VersionId });
          held.delete(Key);
        } else {
          const { VersionId } = await put(Key, `${i}`);
          if (VersionId) removed.push({ Key, VersionId });
          held.set(Key, `${i}`);
        }
        truth.push([world.clock.now(), [...held].sort()]);
      }
      if (removed.length > 0) await ask('DeleteObjects', { Delete: { Objects: removed } });
      else for (const Key of held.keys()) await ask('DeleteObject', { Key });
      const at = (time: number) =>
        [...state().asOf(BUCKET, new Date(time))].map(([key, { body }]) => [key, Buffer.from(body).toString()]).sort();
      for (const [time, wanted] of truth) expect(at(time)).toEqual(wanted);
      expect(at(world.clock.now())).toEqual([]);
      expect(state().peek(BUCKET)?.empty).toBe(true);
    }
  });
});

describe('conditional writes', () => {
  test('make an object once, also behind a delete marker, and change what was read', async () => {
    await bucketOf({ versioned: true });
    const { ETag } = await put('a', 'one', { IfNoneMatch: '*' });
    await expect(put('a', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject({ code: 'PreconditionFailed', status: 412 });
    await put('a', 'two', { IfMatch: ETag });
    await expect(put('a', 'three', { IfMatch: ETag })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(put('b', 'x', { IfMatch: ETag })).rejects.toMatchObject({ code: 'NoSuchKey' });
    expect(await refused('DeleteObject', { Key: 'a', IfMatch: ETag })).toMatchObject({ code: 'PreconditionFailed' });
    await ask('DeleteObject', { Key: 'a' });
    await put('a', 'anew', { IfNoneMatch: '*' });
    expect(await ask('GetObject', { Key: 'a' }).then(textOf)).toBe('anew');
  });

  test('of many at once one wins, and the others are told so or of the conflict', async () => {
    await bucketOf();
    const codes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const Key = `k${round}`;
      const all = Array.from({ length: 8 }, (_, i) =>
        world.call({
          place: home,
          service: 's3',
          operation: 'PutObject',
          input: { Bucket: BUCKET, Key, Body: bytes(`${i}`), IfNoneMatch: '*' },
        }),
      );
      const settled = await world.clock.settle(Promise.allSettled(all));
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const one of settled) if (one.status === 'rejected') codes.add(one.reason.code);
    }
    expect([...codes].sort()).toEqual(['ConditionalRequestConflict', 'PreconditionFailed']);
  });

  test('are what a policy can demand; parts are exempt where it says so', async () => {
    await bucketOf();
    const Resource = `arn:aws:s3:::${BUCKET}/ledger/*`;
    const unless = (Condition: object) => ({ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource, Condition });
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        unless({ Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } }),
        { Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject*', Resource },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Resource: '*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
    await ask('PutBucketPolicy', { Policy });
    await expect(put('ledger/a')).rejects.toMatchObject({ code: 'AccessDenied' });
    const { VersionId } = await put('ledger/a', 'once', { IfNoneMatch: '*' });
    await put('free');
    expect(await refused('DeleteObject', { Key: 'ledger/a', VersionId })).toMatchObject({ code: 'AccessDenied' });
    const { Errors, Deleted } = await ask('DeleteObjects', { Delete: { Objects: [{ Key: 'ledger/a' }, { Key: 'free' }] } });
    expect([Errors[0].Code, Deleted[0].Key]).toEqual(['AccessDenied', 'free']);
    const { UploadId } = await ask('CreateMultipartUpload', { Key: 'ledger/b' });
    const { ETag } = await ask('UploadPart', { Key: 'ledger/b', UploadId, PartNumber: 1, Body: bytes('x') });
    const complete = { Key: 'ledger/b', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    expect(await refused('CompleteMultipartUpload', complete)).toMatchObject({ code: 'AccessDenied' });
    await ask('CompleteMultipartUpload', { ...complete, IfNoneMatch: '*' });
    expect(await refused('PutBucketPolicy', { Policy: 'nothing' })).toMatchObject({ code: 'MalformedPolicy' });
    expect(JSON.parse((await ask('GetBucketPolicy')).Policy)).toEqual(JSON.parse(Policy));
  });

  test('a policy opens a bucket to another account, or to one role of it', async () => {
    await bucketOf();
    await put('a');
    const role = { account: other.account, arn: `arn:aws:sts::${other.account}:assumed-role/reader/session` };
    const open = (AWS: string) =>
      ask('PutBucketPolicy', {
        Policy: JSON.stringify({
          Statement: { Effect: 'Allow', Principal: { AWS }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/*` },
        }),
      });
    await open(`arn:aws:iam::${other.account}:role/reader`);
    await ask('GetObject', { Key: 'a' }, { place: other, caller: role });
    expect(await refused('GetObject', { Key: 'a' }, { place: other })).toMatchObject({ code: 'AccessDenied' });
    await open(other.account);
    await ask('GetObject', { Key: 'a' }, { place: other });
    await expect(put('a', 'x', {}, { place: other })).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});

describe('Object Lock', () => {
  test('keeps versions, not keys, and compliance is only ever extended', async () => {
    await bucketOf({ locked: true });
    const { VersionId } = await put('a', 'kept', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: later(5) });
    await ask('DeleteObject', { Key: 'a' });
    const remove = { Key: 'a', VersionId, BypassGovernanceRetention: true };
    expect(await refused('DeleteObject', remove)).toMatchObject({ code: 'AccessDenied', status: 403 });
    const retain = (RetainUntilDate: Date, Mode = 'COMPLIANCE') =>
      ask('PutObjectRetention', { Key: 'a', VersionId, Retention: { Mode, RetainUntilDate }, BypassGovernanceRetention: true });
    await expect(retain(later(4))).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(retain(later(9), 'GOVERNANCE')).rejects.toMatchObject({ code: 'AccessDenied' });
    await retain(later(9));
    await world.clock.advance(6 * 86_400_000);
    expect(await refused('DeleteObject', remove)).toMatchObject({ code: 'AccessDenied' });
    await world.clock.advance(4 * 86_400_000);
    await ask('DeleteObject', remove);
  });

  test('governance can be bypassed by who says so, a legal hold by nobody', async () => {
    await bucketOf({ locked: true });
    const { VersionId } = await put('a', 'x', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: later(5) });
    await ask('PutObjectLegalHold', { Key: 'a', VersionId, LegalHold: { Status: 'ON' } });
    expect(await refused('DeleteObject', { Key: 'a', VersionId })).toMatchObject({ code: 'AccessDenied' });
    const bypass = { Key: 'a', VersionId, BypassGovernanceRetention: true };
    expect(await refused('DeleteObject', bypass)).toMatchObject({ code: 'AccessDenied' });
    await ask('PutObjectLegalHold', { Key: 'a', VersionId, LegalHold: { Status: 'OFF' } });
    await ask('DeleteObject', bypass);
  });

  test('a bucket can lock whatever is put into it, and cannot stop keeping versions', async () => {
    await bucketOf({ locked: true });
    const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2 } };
    await ask('PutObjectLockConfiguration', { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } });
    expect((await ask('GetObjectLockConfiguration')).ObjectLockConfiguration.Rule).toEqual(Rule);
    const { VersionId } = await put('a');
    expect((await ask('GetObjectRetention', { Key: 'a', VersionId })).Retention.Mode).toBe('COMPLIANCE');
    expect(await refused('DeleteObject', { Key: 'a', VersionId })).toMatchObject({ code: 'AccessDenied' });
    const suspend = { VersioningConfiguration: { Status: 'Suspended' } };
    expect(await refused('PutBucketVersioning', suspend)).toMatchObject({ code: 'InvalidBucketState', status: 409 });
  });

  test('is refused where a bucket does not have it', async () => {
    await bucketOf();
    await expect(put('a', 'x', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: later(1) })).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
    expect(await refused('GetObjectLockConfiguration')).toMatchObject({ code: 'ObjectLockConfigurationNotFoundError' });
    expect(await refused('PutObjectLockConfiguration', { ObjectLockConfiguration: {} })).toMatchObject({
      code: 'InvalidBucketState',
    });
  });
});

describe('copies', () => {
  const copy = (CopySource: string, more: object = {}, place = west) =>
    ask('CopyObject', { Bucket: 'copies-of-media', Key: 'c', CopySource, ...more }, { place });

  beforeEach(async () => {
    await bucketOf({ versioned: true });
    await bucketOf({ place: west, name: 'copies-of-media', locked: true });
  });

  test('cross regions with one set of bytes, of any version, with what the source says and locks of their own', async () => {
    const { VersionId, ETag } = await put('ä b', 'one', {
      Metadata: { a: '1' },
      ContentType: 'text/x',
      Tagging: 't=1',
      StorageClass: 'STANDARD_IA',
    });
    await put('ä b', 'two');
    const source = `${BUCKET}/${encodeURIComponent('ä b')}`;
    const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: later(5) };
    const made = await copy(`${source}?versionId=${VersionId}`, lock);
    expect(made).toMatchObject({ CopySourceVersionId: VersionId, CopyObjectResult: { ETag } });
    const found = await ask('GetObject', { Bucket: 'copies-of-media', Key: 'c' }, { place: west });
    expect(textOf(found)).toBe('one');
    expect(found).toMatchObject({ Metadata: { a: '1' }, ContentType: 'text/x', TagCount: 1, ObjectLockMode: 'COMPLIANCE' });
    expect(found.StorageClass).toBeUndefined();
    expect(state().object('copies-of-media', 'c')).toBe(state().object(BUCKET, 'ä b', VersionId));
    const replaced = await copy(source, { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, TaggingDirective: 'REPLACE' });
    const head = await ask('HeadObject', { Bucket: 'copies-of-media', Key: 'c', VersionId: replaced.VersionId }, { place: west });
    expect(head.Metadata).toEqual({ b: '2' });
    expect(head.TagCount).toBeUndefined();
  });

  test('keep to conditions on either side', async () => {
    const { ETag } = await put('a');
    const source = `${BUCKET}/a`;
    await copy(source, { CopySourceIfMatch: ETag, IfNoneMatch: '*' });
    await expect(copy(source, { IfNoneMatch: '*' })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(copy(source, { CopySourceIfMatch: '"x"' })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(copy(source, { CopySourceIfNoneMatch: ETag })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(copy(source, { CopySourceIfUnmodifiedSince: new Date(0) })).rejects.toMatchObject({
      code: 'PreconditionFailed',
    });
    await expect(copy(`${BUCKET}/nothing`)).rejects.toMatchObject({ code: 'NoSuchKey' });
    await expect(copy('%')).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(await refused('CopyObject', { Key: 'a', CopySource: source })).toMatchObject({ code: 'InvalidRequest' });
  });

  test('fail while the source is dark, and are not made from what is not open', async () => {
    await put('a');
    expect(
      await refused(
        'CopyObject',
        { Bucket: 'copies-of-media', Key: 'c', CopySource: `${BUCKET}/a` },
        { place: { ...west, account: other.account } },
      ),
    ).toMatchObject({ code: 'AccessDenied' });
    world.dark.add(home.region);
    await expect(copy(`${BUCKET}/a`)).rejects.toMatchObject({ code: 'ServiceUnavailable', status: 503 });
  });
});

describe('multipart uploads', () => {
  test('appear when they are completed and say that they are of when they were begun', async () => {
    await bucketOf({ versioned: true });
    await put('big', 'before');
    const { UploadId } = await ask('CreateMultipartUpload', { Key: 'big', ContentType: 'text/x', Metadata: { m: '1' } });
    const begun = world.clock.now();
    await world.clock.advance(60_000);
    const part = (PartNumber: number, text: string) => ask('UploadPart', { Key: 'big', UploadId, PartNumber, Body: bytes(text) });
    const two = await part(2, 'world');
    await part(1, 'wrong');
    const one = await part(1, 'hello ');
    const Parts = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.ETag },
    ];
    expect((await ask('ListParts', { Key: 'big', UploadId, MaxParts: 1 })).NextPartNumberMarker).toBe('1');
    expect((await ask('ListMultipartUploads')).Uploads).toMatchObject([{ Key: 'big', UploadId }]);
    const before = world.clock.now();
    await ask('CompleteMultipartUpload', { Key: 'big', UploadId, MultipartUpload: { Parts } });
    const found = await ask('GetObject', { Key: 'big' });
    expect(textOf(found)).toBe('hello world');
    const digest = createHash('md5');
    for (const text of ['hello ', 'world']) digest.update(createHash('md5').update(text).digest());
    expect(found).toMatchObject({ ETag: `"${digest.digest('hex')}-2"`, ContentType: 'text/x', Metadata: { m: '1' } });
    expect(found.LastModified.getTime()).toBeLessThanOrEqual(begun);
    expect(Buffer.from(state().asOf(BUCKET, new Date(before)).get('big')!.body).toString()).toBe('before');
    expect((await ask('ListMultipartUploads')).Uploads).toEqual([]);
  });

  test('are refused when parts are missing, out of order or gone, and when the object is there already', async () => {
    await bucketOf();
    const { UploadId } = await ask('CreateMultipartUpload', { Key: 'a' });
    const { ETag } = await ask('UploadPart', { Key: 'a', UploadId, PartNumber: 1, Body: bytes('x') });
    const complete = (Parts: object[], more: object = {}) =>
      refused('CompleteMultipartUpload', { Key: 'a', UploadId, MultipartUpload: { Parts }, ...more });
    const one = { PartNumber: 1, ETag };
    expect(await complete([{ PartNumber: 2, ETag }])).toMatchObject({ code: 'InvalidPart' });
    expect(await complete([one, one])).toMatchObject({ code: 'InvalidPartOrder' });
    await put('a');
    expect(await complete([one], { IfNoneMatch: '*' })).toMatchObject({ code: 'PreconditionFailed' });
    await ask('AbortMultipartUpload', { Key: 'a', UploadId });
    expect(await complete([one])).toMatchObject({ code: 'NoSuchUpload' });
    expect(await refused('UploadPart', { Key: 'a', UploadId, PartNumber: 1 })).toMatchObject({ code: 'NoSuchUpload' });
  });

  test('take parts from other objects', async () => {
    await bucketOf();
    await put('source', '0123456789');
    const { UploadId } = await ask('CreateMultipartUpload', { Key: 'a' });
    const copied = { Key: 'a', UploadId, PartNumber: 1, CopySource: `${BUCKET}/source`, CopySourceRange: 'bytes=2-4' };
    const { CopyPartResult } = await ask('UploadPartCopy', copied);
    await ask('CompleteMultipartUpload', {
      Key: 'a',
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag: CopyPartResult.ETag }] },
    });
    expect(textOf(await ask('GetObject', { Key: 'a' }))).toBe('234');
  });
});

describe('listings', () => {
  test('keys sort as their UTF-8 bytes do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      {
        seed: 11,
        examples: [
          ['\u{1f600}', '\uffee'],
          ['a', 'a\u0000'],
          ['', 'a'],
        ],
      },
    );
  });

  const keysOf = (page: any): string[] =>
    [...(page.Contents ?? []), ...(page.CommonPrefixes ?? [])].map((one) => one.Key ?? one.Prefix);

  async function pages(operation: string, input: object, marks: (page: any) => object | undefined): Promise<any[]> {
    const all: any[] = [];
    for (let more: object | undefined = {}; more; ) {
      const page: any = await ask(operation, { ...input, ...more });
      all.push(page);
      more = page.IsTruncated ? marks(page) : undefined;
    }
    return all;
  }

  test('pages of objects are in order, neither repeat nor skip, and group by the delimiter', async () => {
    await bucketOf();
    for (const key of ['b/2', 'a', 'é', 'b/1', 'b', 'c/x/1', 'z', 'c/y', '😀', '\uffee']) await put(key);
    const inOrder = ['a', 'b', 'b/1', 'b/2', 'c/x/1', 'c/y', 'z', 'é', '\uffee', '😀'];
    const next = (page: any) => ({ ContinuationToken: page.NextContinuationToken });
    for (const MaxKeys of [1, 2, 3, 1000]) {
      const whole = await pages('ListObjectsV2', { MaxKeys }, next);
      expect(whole.flatMap(keysOf)).toEqual(inOrder);
      expect(whole.every((page) => page.KeyCount <= MaxKeys)).toBe(true);
      const grouped = await pages('ListObjectsV2', { MaxKeys, Delimiter: '/' }, next);
      expect(grouped.flatMap(keysOf).toSorted(compareText)).toEqual(['a', 'b', 'b/', 'c/', 'z', 'é', '\uffee', '😀']);
    }
    expect(keysOf(await ask('ListObjectsV2', { Prefix: 'c/', Delimiter: '/' }))).toEqual(['c/y', 'c/x/']);
    expect(keysOf(await ask('ListObjectsV2', { StartAfter: 'b/1', Prefix: 'b' }))).toEqual(['b/2']);
    expect(keysOf(await ask('ListObjects', { Marker: 'z', EncodingType: 'url' }))).toEqual([
      '%C3%A9',
      '%EF%BF%AE',
      '%F0%9F%98%80',
    ]);
    expect(await ask('ListObjectsV2', { MaxKeys: 0 })).toMatchObject({ IsTruncated: false, KeyCount: 0 });
  });

  test('versions come newest first by key, and a page may end between two of one key', async () => {
    await bucketOf({ versioned: true });
    const expected: string[] = [];
    for (const Key of ['a', 'b', 'c/1']) {
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.unshift((await put(Key, `${i}`)).VersionId);
      ids.unshift((await ask('DeleteObject', { Key })).VersionId);
      expected.push(...ids.map((id) => `${Key} ${id}`));
    }
    const next = (page: any) => ({
      KeyMarker: page.NextKeyMarker,
      ...(page.NextVersionIdMarker ? { VersionIdMarker: page.NextVersionIdMarker } : {}),
    });
    const names = (page: any) => [...page.DeleteMarkers, ...page.Versions].map(({ Key, VersionId }) => `${Key} ${VersionId}`);
    for (const MaxKeys of [1, 2, 3, 5, 1000]) {
      const whole = await pages('ListObjectVersions', { MaxKeys }, next);
      expect(whole.flatMap(names).toSorted()).toEqual(expected.toSorted());
      if (MaxKeys === 1) expect(whole.flatMap(names)).toEqual(expected);
      expect(whole.flatMap((page) => page.DeleteMarkers).every(({ IsLatest }) => IsLatest)).toBe(true);
    }
    const grouped = await pages('ListObjectVersions', { MaxKeys: 1, Delimiter: '/' }, next);
    expect(grouped.flatMap((page) => page.CommonPrefixes ?? [])).toEqual([{ Prefix: 'c/' }]);
    expect(await refused('ListObjectVersions', { VersionIdMarker: 'x' })).toMatchObject({ code: 'InvalidArgument' });
  });

  test('a listing goes on although the version it stopped at is gone', async () => {
    await bucketOf({ versioned: true });
    for (let i = 0; i < 4; i++) await put('a', `${i}`);
    const first = await ask('ListObjectVersions', { MaxKeys: 2 });
    await ask('DeleteObject', { Key: 'a', VersionId: first.NextVersionIdMarker });
    const rest = await ask('ListObjectVersions', { KeyMarker: first.NextKeyMarker, VersionIdMarker: first.NextVersionIdMarker });
    expect(rest.Versions).toHaveLength(2);
  });
});
