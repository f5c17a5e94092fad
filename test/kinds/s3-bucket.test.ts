import { beforeEach, describe, expect, test } from 'vitest';
import { instant } from '../../functions/aws/clock.ts';
import { open, verb } from '../../functions/aws/verb.ts';
import type { Artifact, Cut, FreezeEvidence, Item, Json, Vault } from '../../functions/domain.ts';
import type { CopyWork, Passage } from '../../functions/kinds/kind.ts';
import { driveItems, driven } from '../../functions/kinds/laws/drive.ts';
import {
  captured,
  captureWorks,
  copied,
  copyWorks,
  expired,
  newCut,
  restored,
  restoreWorks,
  type Subject,
  seeded,
} from '../../functions/kinds/laws/motions.ts';
import { copyObject, taggedCopying } from '../../functions/kinds/objects.ts';
import { restoredName } from '../../functions/kinds/storage/s3-bucket/bucket.ts';
import kind from '../../functions/kinds/storage/s3-bucket/index.ts';
import proof from '../../functions/kinds/storage/s3-bucket/proof.ts';
import { readHistory } from '../../functions/kinds/storage/s3-bucket/versions.ts';
import { dataBucket, versionsPrefix } from '../../functions/vault/layout.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { stage, type TestStage } from '../stage.ts';

/** What is peculiar to S3; what it has in common with every kind, the laws hold it to. */
let at: TestStage;
let subject: Subject;

async function begin(lock?: Vault['lock']): Promise<void> {
  at = await stage({ seed: 's3', ...(lock ? { lock } : {}) });
  subject = await at.settle(seeded(kind, proof, at));
}
beforeEach(() => begin());

const call = (operation: string, input: object, place = at.home.place) =>
  at.settle(at.world.call({ place, service: 's3', operation, input }));
const bucket = () => subject.resources[0]!.name;
const s3 = () => at.world.state<S3State>('s3', at.home.place);
const here = () => ({ here: at.home.place, home: at.home.place });
const failures = (items: readonly Item<unknown>[]) => items.flatMap((item) => (item.state === 'failed' ? [item.why] : []));
const put = (Key: string, Body: string) => call('PutObject', { Bucket: bucket(), Key, Body: Buffer.from(Body) });
const pass = (seconds: number) => at.settle(at.clock.sleep(seconds * 1000));
const wholeSecond = () => instant(Math.floor(at.clock.now() / 1000) * 1000);
const rediscovered = async (): Promise<Subject> => {
  const { resources } = await at.settle(open(kind.discover, at.transport, at.clock, here())(subject.application));
  return { ...subject, resources };
};
const capturedAt = async (cut: Cut, of = subject): Promise<Artifact> => {
  const [artifact] = await at.settle(driven(kind.capture, captureWorks(of, cut), at, at.home.place));
  return artifact!;
};

describe('discovery', () => {
  test.each(['Suspended', undefined])('refuses a bucket whose versioning is %s, and says what to turn on', async (Status) => {
    const Bucket = `plain-${Status ?? 'never'}`.toLowerCase();
    await call('CreateBucket', { Bucket });
    if (Status) await call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status } });
    const application = at.application('plain', { resources: { tags: {}, arns: [`arn:aws:s3:::${Bucket}`] } });
    const { resources, refusals } = await at.settle(open(kind.discover, at.transport, at.clock, here())(application));
    expect(resources).toEqual([]);
    expect(refusals[0]).toMatch(new RegExp(`^Bucket ${Bucket} has versioning .*PutBucketVersioning\\)\\.$`));
  });

  test('refuses a bucket that is not here', async () => {
    const application = at.application('gone', { resources: { tags: {}, arns: ['arn:aws:s3:::no-such-bucket'] } });
    const { refusals } = await at.settle(open(kind.discover, at.transport, at.clock, here())(application));
    expect(refusals[0]).toMatch(/^arn:aws:s3:::no-such-bucket is no bucket of account 111122223333 in us-east-1/);
  });

  test('knows for how long the bucket’s own lifecycle keeps replaced versions', async () => {
    expect(subject.resources[0]!.logDays).toBe(30);
    const { artifacts, cut } = await at.settle(captured(subject));
    expect(Date.parse(artifacts[0]!.restorableUntil!) - Date.parse(cut.instant!)).toBe(30 * 86_400_000);
  });
});

describe('the instant', () => {
  test('an upload in parts that began before it and was completed after it widens the interval', async () => {
    const Key = 'large';
    const { UploadId } = await call('CreateMultipartUpload', { Bucket: bucket(), Key });
    const { ETag } = await call('UploadPart', { Bucket: bucket(), Key, UploadId, PartNumber: 1, Body: Buffer.from('x') });
    const planned = await rediscovered();
    await pass(3);
    const cut = { ...newCut(at), instant: wholeSecond() };
    await pass(10);
    await call('CompleteMultipartUpload', {
      Bucket: bucket(),
      Key,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
    });
    const artifact = await capturedAt(cut, planned);
    expect(artifact.facts).toMatchObject({ doubtful: [Key] });
    expect(Date.parse(artifact.interval.to) - Date.parse(cut.instant)).toBeGreaterThan(10_000);
  });

  test('one that was completed before the plan was made is in no doubt', async () => {
    const Key = 'large';
    const { UploadId } = await call('CreateMultipartUpload', { Bucket: bucket(), Key });
    const { ETag } = await call('UploadPart', { Bucket: bucket(), Key, UploadId, PartNumber: 1, Body: Buffer.from('x') });
    await call('CompleteMultipartUpload', {
      Bucket: bucket(),
      Key,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
    });
    await pass(10);
    const planned = await rediscovered();
    await pass(3);
    const cut = { ...newCut(at), instant: wholeSecond() };
    await pass(3);
    const artifact = await capturedAt(cut, planned);
    expect(artifact.facts).toMatchObject({ doubtful: [], objects: 9 });
    expect(Date.parse(artifact.interval.to) - Date.parse(artifact.interval.from)).toBe(2000);
  });

  test('one that is only begun before the cut, unseen by the plan, is in doubt too', async () => {
    await pass(5);
    const Key = 'large';
    const { UploadId } = await call('CreateMultipartUpload', { Bucket: bucket(), Key });
    const { ETag } = await call('UploadPart', { Bucket: bucket(), Key, UploadId, PartNumber: 1, Body: Buffer.from('x') });
    await pass(3);
    const cut = { ...newCut(at), instant: wholeSecond() };
    await pass(3);
    await call('CompleteMultipartUpload', {
      Bucket: bucket(),
      Key,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
    });
    expect((await capturedAt(cut)).facts).toMatchObject({ doubtful: [Key] });
  });

  test('what is completed between two captures of one cut does not change the list', async () => {
    await pass(5);
    const Key = 'large';
    const { UploadId } = await call('CreateMultipartUpload', { Bucket: bucket(), Key });
    const { ETag } = await call('UploadPart', { Bucket: bucket(), Key, UploadId, PartNumber: 1, Body: Buffer.from('x') });
    await pass(2);
    const cut = { ...newCut(at), instant: wholeSecond() };
    await pass(3);
    const first = await capturedAt(cut);
    await call('CompleteMultipartUpload', {
      Bucket: bucket(),
      Key,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
    });
    expect(await capturedAt(cut)).toEqual(first);
  });

  test('writes and deletes inside a freeze are witnessed, those around it are not', async () => {
    await put('before', 'x');
    await pass(3);
    const cut = newCut(at);
    const from = instant(at.clock.now());
    await pass(2);
    await put('during', 'x');
    await call('DeleteObject', { Bucket: bucket(), Key: 'plain' });
    const T = wholeSecond();
    await pass(3);
    const to = instant(at.clock.now());
    await pass(2);
    await put('afterwards', 'x');
    const freeze: FreezeEvidence = {
      leaseSeconds: 20,
      asked: { from, to: from },
      released: { from: to, to },
      drained: true,
      flushed: true,
      broken: false,
      heldFrom: from,
      positions: { atFreeze: {} },
      clocksApartMillis: 0,
    };
    const { witnessed } = await capturedAt({ ...cut, instant: T, freeze });
    expect(witnessed?.map((sentence) => sentence.replace(/ at .*/, ''))).toEqual(['during was written', 'plain was deleted']);
  });

  test('reads the newest version that is not after it, and nothing of a key that was deleted then', async () => {
    const entry = (key: string, seconds: number, more: object = {}) => ({
      key,
      versionId: `${key}@${seconds}`,
      deleted: false,
      etag: '"e"',
      size: 1,
      modified: seconds * 1000,
      ...more,
    });
    const facts = { settings: {} as never, seenAt: instant(0), openUploads: [], noncurrentDays: null };
    async function* history() {
      yield* [entry('a', 12), entry('a', 10), entry('a', 5), entry('b', 9, { deleted: true }), entry('b', 8), entry('c', 11)];
    }
    const { versions } = await readHistory(history(), instant(10_000), facts);
    expect(versions.map(({ versionId }) => versionId)).toEqual(['a@10']);
  });
});

describe('copies', () => {
  const copiesIn = () =>
    s3()
      .peek(dataBucket(at.vault.place))!
      .keys.filter((key) => key.startsWith(versionsPrefix(bucket())));

  test('a version is copied once, whichever points need it', async () => {
    const one = await at.settle(captured(subject));
    await at.settle(copied(subject, one.cut, one.artifacts));
    const before = copiesIn().length;
    await put('new', 'x');
    await pass(5);
    at.world.journal.clear();
    const two = await at.settle(captured(subject));
    await at.settle(driven(kind.copy, copyWorks(subject, two.cut, two.artifacts, 2), at, at.vault.place));
    const made = at.world.journal.entries.filter(
      ({ operation, input }) => operation === 'CopyObject' && /^versions\//.test((input as { Key: string }).Key),
    );
    expect(made).toHaveLength(1);
    expect(copiesIn()).toHaveLength(before + 1);
  });

  test('a copy that no live list names is not relied on: an expiry may be deleting it', async () => {
    const one = await at.settle(captured(subject));
    const [copy] = await at.settle(copied(subject, one.cut, one.artifacts));
    const marker = copy!.id.split(':::')[1]!.split('/').slice(1).join('/');
    await call('DeleteObject', { Bucket: dataBucket(at.vault.place), Key: marker }, at.vault.place);
    await pass(5);
    at.world.journal.clear();
    await at.settle(driven(kind.copy, copyWorks(subject, one.cut, one.artifacts, 2), at, at.vault.place));
    const made = at.world.journal.entries.filter(
      ({ operation, input }) => operation === 'CopyObject' && /^versions\//.test((input as { Key: string }).Key),
    );
    expect(made).toHaveLength(copiesIn().length);
  });

  const days = (count: number) => instant(at.clock.now() + count * 86_400_000);
  const copyUntil = (keepUntil: string, cut: Cut, artifacts: readonly Artifact[], attempt: number) => {
    const works: CopyWork[] = copyWorks(subject, cut, artifacts, attempt).map((work) => ({ ...work, keepUntil }));
    return at.settle(driven(kind.copy as Passage<CopyWork, Artifact>, works, at, at.vault.place));
  };
  const endOfDay = (time: string) => instant(Math.ceil(Date.parse(time) / 86_400_000) * 86_400_000);

  test('are locked in a locked vault, to the end of the last day on which a point needs them', async () => {
    await begin({ mode: 'compliance', days: 7 });
    const one = await at.settle(captured(subject));
    const first = await copyUntil(days(7), one.cut, one.artifacts, 1);
    await pass(86_400);
    const two = await at.settle(captured(subject));
    const until = days(7);
    const second = await copyUntil(until, two.cut, two.artifacts, 2);
    const vaults = s3().peek(dataBucket(at.vault.place))!;
    for (const key of copiesIn())
      expect(vaults.versions(key).map(({ retention }) => retention?.RetainUntilDate.toISOString())).toEqual([endOfDay(until)]);
    const [early] = await at.settle(expired(subject, at.vault.place, first));
    expect(early).toMatchObject({ gone: false, why: expect.stringMatching(/could not be deleted \(AccessDenied/) });
    await pass(8 * 86_400);
    expect(await at.settle(expired(subject, at.vault.place, first))).toEqual([{ id: first[0]!.id, gone: true }]);
    const back = await at.settle(restored(subject, restoreWorks(subject, second, at.vault), at.vault));
    expect(back).toHaveLength(1);
  });

  const asked = (pattern: RegExp) =>
    at.world.journal.entries.flatMap(({ operation, input }) => {
      const { Key = '' } = input as { Key?: string };
      return pattern.test(operation) && Key.startsWith(versionsPrefix(bucket())) ? [`${operation} ${Key}`] : [];
    });

  test('a lock that reaches far enough is neither asked for nor extended', async () => {
    await begin({ mode: 'compliance', days: 7 });
    const one = await at.settle(captured(subject));
    await copyUntil(days(7), one.cut, one.artifacts, 1);
    await pass(3600);
    at.world.journal.clear();
    const two = await at.settle(captured(subject));
    await copyUntil(days(7), two.cut, two.artifacts, 2);
    expect(asked(/^CopyObject$|ObjectRetention$/)).toEqual([]);
    await pass(86_400);
    const three = await at.settle(captured(subject));
    await copyUntil(days(7), three.cut, three.artifacts, 3);
    expect(asked(/^CopyObject$/)).toEqual([]);
    expect(asked(/^PutObjectRetention$/).sort()).toEqual(copiesIn().map((key) => `PutObjectRetention ${key}`));
  });

  test('what was put in the place of a copy, of the same size, is not relied on: the version is copied anew', async () => {
    const one = await at.settle(captured(subject));
    await at.settle(copied(subject, one.cut, one.artifacts));
    const [Key] = copiesIn();
    const Bucket = dataBucket(at.vault.place);
    const Body = Buffer.from(s3().object(Bucket, Key!)!).fill('x');
    await call('PutObject', { Bucket, Key, Body }, at.vault.place);
    await pass(5);
    at.world.journal.clear();
    const two = await at.settle(captured(subject));
    await at.settle(driven(kind.copy, copyWorks(subject, two.cut, two.artifacts, 2), at, at.vault.place));
    expect(asked(/^CopyObject$/)).toEqual([`CopyObject ${Key}`]);
  });

  test('what was overwritten in the vault is restored all the same: exactly the version that was copied', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    for (const Key of copiesIn())
      await call('PutObject', { Bucket: dataBucket(at.vault.place), Key, Body: Buffer.from('ransom') }, at.vault.place);
    const [back] = await at.settle(restored(subject, restoreWorks(subject, copies, at.vault), at.vault));
    expect(Buffer.from(s3().object(back!.id.split(':::')[1]!, 'plain')!).toString()).toBe('first of plain');
  });

  test('a list that was changed is not restored from', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    const Key = `bundles/sha256/${(copies[0]!.facts as { copies: string }).copies}`;
    await call('PutObject', { Bucket: dataBucket(at.vault.place), Key, Body: Buffer.from('other bytes') }, at.vault.place);
    const items = await at.settle(
      driveItems(kind.restore, restoreWorks(subject, copies, at.vault), at, at.vault.place, at.transport),
    );
    expect(failures(items)).toEqual([expect.stringMatching(/has been changed: its bytes do not have that digest/)]);
  });

  test('what is gone at home fails the copy with a sentence', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const { versionId } = s3().peek(bucket())!.versions('plain')[0]!;
    await call('DeleteObject', { Bucket: bucket(), Key: 'plain', VersionId: versionId });
    const items = await at.settle(driveItems(kind.copy, copyWorks(subject, cut, artifacts), at, at.vault.place, at.transport));
    expect(failures(items)).toEqual([expect.stringMatching(/^Its versions could not be copied: NoSuchVersion: /)]);
  });

  test('many more than fit into one invocation are copied in several', async () => {
    for (let i = 0; i < 40; i++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, j) =>
          at.world.call({
            place: at.home.place,
            service: 's3',
            operation: 'PutObject',
            input: { Bucket: bucket(), Key: `many/${i}/${j}`, Body: Buffer.from('x') },
          }),
        ).map((work) => at.settle(work)),
      );
    }
    await pass(5);
    const { artifacts, cut } = await at.settle(captured(subject));
    const works = copyWorks(subject, cut, artifacts);
    const begun = await at.settle(
      open(kind.copy.start, at.transport, at.clock, { here: at.vault.place, home: at.home.place })(works),
    );
    const slow = {
      ...at.transport,
      async send(request: never) {
        await at.clock.sleep(4000);
        return at.transport.send(request);
      },
    };
    const settle = open(kind.copy.settle, slow, at.clock, { here: at.vault.place, home: at.home.place });
    const began = at.clock.now();
    const [item] = await at.settle(
      settle(works.map((work, i) => ({ ...work, handle: (begun[i] as unknown as { handle: Json }).handle }))),
    );
    expect(at.clock.now() - began).toBeLessThan(120_000);
    expect(item).toMatchObject({ state: 'started', why: expect.stringMatching(/^[1-9]\d{2} of 2008 versions are copied\.$/) });
    const copies = await at.settle(driven(kind.copy, works, at, at.vault.place, at.transport, [item!]));
    expect(copiesIn()).toHaveLength(2008);
    expect(copies[0]!.facts).toMatchObject({ objects: 2008 });
  });
});

describe('restore', () => {
  test('leaves a bucket alone that bears the name already', async () => {
    const { artifacts } = await at.settle(captured(subject));
    const Bucket = restoredName(bucket(), 'r1');
    await call('CreateBucket', { Bucket });
    await call('PutObject', { Bucket, Key: 'theirs', Body: Buffer.from('x') });
    const works = restoreWorks(subject, artifacts, at.home, 'r1');
    const items = await at.settle(driveItems(kind.restore, works, at, at.home.place, at.transport));
    expect(failures(items)).toEqual([
      `A bucket ${Bucket} exists already and is not of this restore; give the restore another name.`,
    ]);
    expect([...s3().asOf(Bucket, new Date(at.clock.now())).keys()]).toEqual(['theirs']);
  });

  test('goes on with a bucket that an earlier start made and could not tag', async () => {
    const { artifacts } = await at.settle(captured(subject));
    await call('CreateBucket', { Bucket: restoredName(bucket(), 'r1') });
    const back = await at.settle(restored(subject, restoreWorks(subject, artifacts, at.home, 'r1'), at.home));
    expect(back[0]!.id).toBe(`arn:aws:s3:::${bucket()}-r1`);
  });

  test('does not give back a policy, and says so', async () => {
    await call('PutBucketPolicy', { Bucket: bucket(), Policy: '{"Version":"2012-10-17","Statement":[]}' });
    const planned = await rediscovered();
    const { artifacts } = await at.settle(captured(planned));
    const [back] = await at.settle(restored(planned, restoreWorks(planned, artifacts, at.home, 'r1'), at.home));
    expect(back!.notes.join(' ')).toMatch(/The policy of .* is not set on .*; set one\./);
    expect(s3().peek(`${bucket()}-r1`)!.policy).toBeUndefined();
  });
});

test('objects that are too large for one request are copied in parts, with their metadata', async () => {
  const Body = 'abcdefghij'.repeat(10);
  await call('PutObject', {
    Bucket: bucket(),
    Key: 'large',
    Body: Buffer.from(Body),
    ContentType: 'text/x',
    Metadata: { a: 'b' },
    Tagging: 'k=v',
  });
  const copy = verb(taggedCopying('here'), (aws, size: number) =>
    copyObject(
      aws,
      { from: { Bucket: bucket(), Key: 'large' }, size, to: { Bucket: bucket(), Key: 'copy' } },
      { wholeUpTo: 50, partBytes: 30 },
    ),
  );
  await at.settle(open(copy, at.transport, at.clock, here())(Body.length));
  const made = s3().peek(bucket())!.current('copy')!;
  expect(Buffer.from(made.body!).toString()).toBe(Body);
  expect(made).toMatchObject({ metadata: { a: 'b' }, headers: { ContentType: 'text/x' }, tags: { k: 'v' } });
  expect(made.etag).toMatch(/-4$/);
  const ranges = at.world.journal.entries.flatMap(({ operation, input }) =>
    operation === 'UploadPartCopy' ? [(input as { CopySourceRange: string }).CopySourceRange] : [],
  );
  expect(ranges.sort()).toEqual(['bytes=0-29', 'bytes=30-59', 'bytes=60-89', 'bytes=90-99']);
});

test('names of restored buckets are valid and tell the original', () => {
  const long = `${'a'.repeat(40)}.${'b'.repeat(20)}`;
  expect(restoredName('media', 'r1')).toBe('media-r1');
  const name = restoredName(long, 'r20261122');
  expect(name).toMatch(/^a{40}\.?b*-[0-9a-f]{6}-r20261122$/);
  expect(name.length).toBeLessThanOrEqual(63);
  expect(name).not.toMatch(/[.]-/);
  expect(restoredName(`${'a'.repeat(40)}.${'b'.repeat(19)}c`, 'r20261122')).not.toBe(name);
});
