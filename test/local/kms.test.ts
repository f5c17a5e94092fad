import { createHash, createPublicKey, createVerify, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { service as kms } from '../../local/services/kms/index.ts';
import type { KmsState } from '../../local/services/kms/state.ts';
import { type Caller, type Place, World } from '../../local/world/world.ts';

const HOME: Place = { account: '111111111111', region: 'us-east-1' };
const WEST: Place = { account: '111111111111', region: 'eu-west-1' };
const OTHER: Place = { account: '222222222222', region: 'us-east-1' };
const services = new Map([[kms.name, kms]]);
const DAY = 86_400_000;

function setUp() {
  const world = new World(services, { seed: 'kms', latency: [0, 0] });
  const call = (operation: string, input: object = {}, place = HOME, caller?: Caller): Promise<any> =>
    world.clock.settle(world.call({ place, service: 'kms', operation, input, ...(caller ? { caller } : {}) }));
  const key = async (input: object = {}, place = HOME) => (await call('CreateKey', input, place)).KeyMetadata;
  const sealed = async (KeyId: string, text = 'secret', EncryptionContext?: object) =>
    (await call('Encrypt', { KeyId, Plaintext: Buffer.from(text), EncryptionContext })).CiphertextBlob;
  const refused = (work: Promise<unknown>, code: string, message = /./) =>
    expect(work).rejects.toMatchObject({
      code,
      ...(String(message) === '/./' ? {} : { message: expect.stringMatching(message) }),
    });
  return { world, call, key, sealed, refused, wait: (millis: number) => world.clock.advance(millis) };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('encryption', () => {
  test('is bound to its context, and a blob names its key', async () => {
    const { call, key, sealed, refused } = setUp();
    const { KeyId, Arn } = await key();
    const CiphertextBlob = await sealed(KeyId, 'secret', { b: '2', a: '1' });
    const opened = await call('Decrypt', { CiphertextBlob, EncryptionContext: { a: '1', b: '2' } });
    expect([text(opened.Plaintext), opened.KeyId]).toEqual(['secret', Arn]);
    await refused(call('Decrypt', { CiphertextBlob, EncryptionContext: { a: '1' } }), 'InvalidCiphertextException');
    await refused(call('Decrypt', { CiphertextBlob }), 'InvalidCiphertextException');
    for (const at of [60, 85, CiphertextBlob.length - 1]) {
      const tampered = new Uint8Array(CiphertextBlob);
      tampered[at]! ^= 1;
      await expect(call('Decrypt', { CiphertextBlob: tampered, EncryptionContext: { a: '1', b: '2' } })).rejects.toThrow();
    }
    for (const garbage of [new Uint8Array(), Buffer.from('not a blob'), Buffer.alloc(200, 1)])
      await refused(call('Decrypt', { CiphertextBlob: garbage }), 'InvalidCiphertextException');
    expect(text(CiphertextBlob)).not.toContain('secret');
  });

  test('of another key, region or account cannot be undone', async () => {
    const { call, key, sealed, refused } = setUp();
    const [one, two] = [await key(), await key()];
    const CiphertextBlob = await sealed(one.KeyId);
    await refused(call('Decrypt', { CiphertextBlob, KeyId: two.KeyId }), 'IncorrectKeyException');
    const unknown = /does not exist in this region, or you are not allowed to access/;
    await refused(call('Decrypt', { CiphertextBlob }, WEST), 'AccessDeniedException', unknown);
    await refused(call('Decrypt', { CiphertextBlob }, OTHER), 'AccessDeniedException', unknown);
    await refused(call('Decrypt', { CiphertextBlob, KeyId: one.Arn }, WEST), 'NotFoundException', /Invalid arn us-east-1/);
    await refused(call('Decrypt', { CiphertextBlob, KeyId: one.KeyId }, OTHER), 'NotFoundException');
  });

  test('data keys come sealed, and open or not as asked', async () => {
    const { call, key, refused } = setUp();
    const { KeyId } = await key();
    const { Plaintext, CiphertextBlob } = await call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    expect(Plaintext).toHaveLength(32);
    expect(Buffer.from((await call('Decrypt', { CiphertextBlob })).Plaintext).equals(Plaintext)).toBe(true);
    const without = await call('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 48 });
    expect(without).not.toHaveProperty('Plaintext');
    expect((await call('Decrypt', { CiphertextBlob: without.CiphertextBlob })).Plaintext).toHaveLength(48);
    await refused(call('GenerateDataKey', { KeyId }), 'ValidationException');
    await refused(call('GenerateDataKey', { KeyId, KeySpec: 'AES_256', NumberOfBytes: 8 }), 'ValidationException');
    await refused(call('GenerateRandom', { NumberOfBytes: 1025 }), 'ValidationException');
    const [a, b] = [await call('GenerateRandom', { NumberOfBytes: 16 }), await call('GenerateRandom', { NumberOfBytes: 16 })];
    expect(text(a.Plaintext)).not.toBe(text(b.Plaintext));
  });

  test('can be moved to another key without being seen', async () => {
    const { call, key, sealed } = setUp();
    const [from, to] = [await key(), await key()];
    const moved = await call('ReEncrypt', {
      CiphertextBlob: await sealed(from.KeyId, 'moved', { a: '1' }),
      SourceEncryptionContext: { a: '1' },
      DestinationKeyId: to.Arn,
      DestinationEncryptionContext: { b: '2' },
    });
    expect(moved).toMatchObject({ SourceKeyId: from.Arn, KeyId: to.Arn });
    await call('ScheduleKeyDeletion', { KeyId: from.KeyId });
    const { Plaintext } = await call('Decrypt', { CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { b: '2' } });
    expect(text(Plaintext)).toBe('moved');
  });

  test('takes 1 to 4096 bytes', async () => {
    const { sealed, key, refused } = setUp();
    const { KeyId } = await key();
    await sealed(KeyId, 'x'.repeat(4096));
    await refused(sealed(KeyId, 'x'.repeat(4097)), 'ValidationException');
    await refused(sealed(KeyId, ''), 'ValidationException');
  });
});

describe('a key’s life', () => {
  test('disabled, it does nothing until it is enabled', async () => {
    const { call, key, sealed, refused } = setUp();
    const { KeyId } = await key();
    const CiphertextBlob = await sealed(KeyId);
    await call('DisableKey', { KeyId });
    await refused(call('Decrypt', { CiphertextBlob }), 'DisabledException', /is disabled/);
    await refused(sealed(KeyId), 'DisabledException');
    expect((await call('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false });
    await call('EnableKey', { KeyId });
    expect(text((await call('Decrypt', { CiphertextBlob })).Plaintext)).toBe('secret');
  });

  test('is deleted after its days unless that is taken back, and with it what it sealed', async () => {
    const { call, key, sealed, refused, wait } = setUp();
    const { KeyId } = await key();
    await call('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId });
    const CiphertextBlob = await sealed(KeyId);
    await refused(call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 6 }), 'ValidationException');
    await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await refused(call('Decrypt', { CiphertextBlob }), 'KMSInvalidStateException', /pending deletion/);
    await refused(call('EnableKey', { KeyId }), 'KMSInvalidStateException');
    await wait(6 * DAY);
    await call('CancelKeyDeletion', { KeyId });
    await refused(call('CancelKeyDeletion', { KeyId }), 'KMSInvalidStateException');
    await refused(sealed(KeyId), 'DisabledException');
    await call('EnableKey', { KeyId });
    await wait(2 * DAY);
    await call('Decrypt', { CiphertextBlob });
    await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await wait(7 * DAY);
    await refused(call('DescribeKey', { KeyId }), 'NotFoundException');
    await refused(call('DescribeKey', { KeyId: 'alias/mine' }), 'NotFoundException');
    await refused(call('Decrypt', { CiphertextBlob }), 'AccessDeniedException');
    expect((await call('ListAliases')).Aliases).toEqual([]);
  });

  test('is for one thing', async () => {
    const { call, key, refused } = setUp();
    const [symmetric, signing] = [await key(), await key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })];
    const sign = { Message: Buffer.from('m'), SigningAlgorithm: 'ECDSA_SHA_256' };
    await refused(call('Sign', { KeyId: symmetric.KeyId, ...sign }), 'InvalidKeyUsageException');
    await refused(call('Encrypt', { KeyId: signing.KeyId, Plaintext: Buffer.from('x') }), 'InvalidKeyUsageException');
    await refused(call('GetPublicKey', { KeyId: symmetric.KeyId }), 'UnsupportedOperationException');
    await refused(key({ KeySpec: 'ECC_NIST_P256' }), 'ValidationException');
    await refused(key({ KeyUsage: 'SIGN_VERIFY' }), 'ValidationException');
    await refused(key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }), 'UnsupportedOperationException');
  });

  test('bears tags, a policy and a description, and is listed in pages', async () => {
    const { call, key, refused } = setUp();
    const { KeyId, Arn } = await key({ Description: 'first', Tags: [{ TagKey: 'app', TagValue: 'shop' }] });
    await call('TagResource', { KeyId, Tags: [{ TagKey: 'more', TagValue: '1' }] });
    await call('UntagResource', { KeyId, TagKeys: ['app'] });
    expect((await call('ListResourceTags', { KeyId })).Tags).toEqual([{ TagKey: 'more', TagValue: '1' }]);
    expect(JSON.parse((await call('GetKeyPolicy', { KeyId })).Policy).Statement[0].Principal.AWS).toBe(
      'arn:aws:iam::111111111111:root',
    );
    await refused(call('PutKeyPolicy', { KeyId, Policy: 'no' }), 'MalformedPolicyDocumentException');
    await call('EnableKeyRotation', { KeyId });
    expect((await call('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled).toBe(true);
    const more = [await key(), await key()];
    const first = await call('ListKeys', { Limit: 2 });
    const second = await call('ListKeys', { Limit: 2, Marker: first.NextMarker });
    expect([first.Truncated, second.Truncated]).toEqual([true, false]);
    expect([...first.Keys, ...second.Keys].map(({ KeyArn }: any) => KeyArn)).toEqual([Arn, ...more.map((one) => one.Arn)]);
  });
});

describe('names of keys', () => {
  test('an id, an ARN, an alias and an alias’s ARN are one key', async () => {
    const { call, key } = setUp();
    const { KeyId, Arn } = await key();
    await call('CreateAlias', { AliasName: 'alias/shop/data', TargetKeyId: KeyId });
    for (const name of [KeyId, Arn, 'alias/shop/data', 'arn:aws:kms:us-east-1:111111111111:alias/shop/data'])
      expect((await call('DescribeKey', { KeyId: name })).KeyMetadata.Arn).toBe(Arn);
  });

  test('an alias moves between keys of one kind', async () => {
    const { call, key, sealed, refused } = setUp();
    const [one, two] = [await key(), await key()];
    await call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.KeyId });
    const before = await sealed('alias/a');
    await refused(call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: two.KeyId }), 'AlreadyExistsException');
    await call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: two.KeyId });
    expect((await call('DescribeKey', { KeyId: 'alias/a' })).KeyMetadata.Arn).toBe(two.Arn);
    expect(text((await call('Decrypt', { CiphertextBlob: before })).Plaintext)).toBe('secret');
    await refused(call('Decrypt', { CiphertextBlob: before, KeyId: 'alias/a' }), 'IncorrectKeyException');
    const signing = await key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await refused(call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: signing.KeyId }), 'ValidationException');
    await call('DeleteAlias', { AliasName: 'alias/a' });
    await refused(call('DeleteAlias', { AliasName: 'alias/a' }), 'NotFoundException');
    await refused(call('CreateAlias', { AliasName: 'alias/aws/mine', TargetKeyId: one.KeyId }), 'InvalidAliasNameException');
  });

  test('AWS’s own keys come to be when they are used, and are nobody’s to manage', async () => {
    const { call, sealed, refused, world } = setUp();
    const blob = await sealed('alias/aws/ebs');
    const { KeyMetadata } = await call('DescribeKey', { KeyId: 'alias/aws/ebs' });
    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', AWSAccountId: HOME.account });
    expect((await call('Decrypt', { CiphertextBlob: blob })).KeyId).toBe(KeyMetadata.Arn);
    for (const operation of ['DisableKey', 'ScheduleKeyDeletion'])
      await refused(call(operation, { KeyId: KeyMetadata.KeyId }), 'AccessDeniedException', /AWS managed key/);
    expect(world.state<KmsState>('kms', HOME).taggedResources()).toEqual([]);
  });
});

describe('signatures', () => {
  const signing = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
  const algorithm = { SigningAlgorithm: 'ECDSA_SHA_256' };

  test('of a message and of its digest are good for anyone with the public key', async () => {
    const { call, key } = setUp();
    const { KeyId } = await key(signing);
    const { PublicKey, SigningAlgorithms } = await call('GetPublicKey', { KeyId });
    expect(SigningAlgorithms).toEqual(['ECDSA_SHA_256']);
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const Message = Buffer.from('what was sealed');
    const digest = { Message: createHash('sha256').update(Message).digest(), MessageType: 'DIGEST' };
    for (const input of [{ Message, MessageType: 'RAW' }, digest]) {
      const { Signature } = await call('Sign', { KeyId, ...input, ...algorithm });
      expect(verify('sha256', Message, publicKey, Signature)).toBe(true);
      expect(createVerify('sha256').update('other').verify(publicKey, Signature)).toBe(false);
      for (const checked of [{ Message, MessageType: 'RAW' }, digest])
        expect((await call('Verify', { KeyId, ...checked, Signature, ...algorithm })).SignatureValid).toBe(true);
    }
  });

  test('that are not theirs are refused', async () => {
    const { call, key, refused } = setUp();
    const [one, two] = [await key(signing), await key(signing)];
    const Message = Buffer.from('m');
    const { Signature } = await call('Sign', { KeyId: one.KeyId, Message, ...algorithm });
    const check = (KeyId: string, more: object) => call('Verify', { KeyId, Message, Signature, ...algorithm, ...more });
    await refused(check(two.KeyId, {}), 'KMSInvalidSignatureException');
    await refused(check(one.KeyId, { Message: Buffer.from('n') }), 'KMSInvalidSignatureException');
    await refused(check(one.KeyId, { Signature: Buffer.from('garbage') }), 'KMSInvalidSignatureException');
    await refused(call('Sign', { KeyId: one.KeyId, Message, MessageType: 'DIGEST', ...algorithm }), 'ValidationException');
    await refused(call('Sign', { KeyId: one.KeyId, Message: Buffer.alloc(4097), ...algorithm }), 'ValidationException');
    await refused(call('Sign', { KeyId: one.KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_384' }), 'InvalidKeyUsageException');
  });

  test('codes of an HMAC key are checked', async () => {
    const { call, key, refused } = setUp();
    const { KeyId } = await key({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const input = { KeyId, Message: Buffer.from('m'), MacAlgorithm: 'HMAC_SHA_256' };
    const { Mac } = await call('GenerateMac', input);
    expect((await call('VerifyMac', { ...input, Mac })).MacValid).toBe(true);
    await refused(call('VerifyMac', { ...input, Message: Buffer.from('n'), Mac }), 'KMSInvalidMacException');
  });
});

describe('another account', () => {
  const role: Caller = { account: OTHER.account, arn: `arn:aws:sts::${OTHER.account}:assumed-role/restore/me` };
  const policyFor = (AWS: string, Action: string | string[], more: object = {}) =>
    JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS }, Action, Resource: '*', ...more }] });

  test('uses a key by its ARN as far as its policy goes', async () => {
    const { call, key, sealed, refused } = setUp();
    const { KeyId, Arn } = await key();
    const CiphertextBlob = await sealed(KeyId);
    const decrypt = (caller?: Caller) => call('Decrypt', { CiphertextBlob, KeyId: Arn }, OTHER, caller);
    await refused(decrypt(), 'AccessDeniedException', /not authorized to perform: kms:Decrypt on resource: arn/);
    const put = (Policy: string) => call('PutKeyPolicy', { KeyId, Policy });
    await put(policyFor(`arn:aws:iam::${OTHER.account}:root`, 'kms:De*'));
    expect(text((await decrypt()).Plaintext)).toBe('secret');
    expect((await call('DescribeKey', { KeyId: Arn }, OTHER)).KeyMetadata.AWSAccountId).toBe(HOME.account);
    await refused(call('Encrypt', { KeyId: Arn, Plaintext: Buffer.from('x') }, OTHER), 'AccessDeniedException');
    await put(policyFor(`arn:aws:iam::${OTHER.account}:role/restore`, 'kms:*'));
    expect(text((await decrypt(role)).Plaintext)).toBe('secret');
    await refused(decrypt({ ...role, arn: role.arn.replace('restore', 'other') }), 'AccessDeniedException');
    for (const [Condition, lets] of [
      [{ StringEquals: { 'kms:CallerAccount': OTHER.account } }, true],
      [{ StringEquals: { 'kms:CallerAccount': HOME.account } }, false],
      [{ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${OTHER.account}:role/rest*` } }, true],
      [{ StringEquals: { 'kms:ViaService': 'ec2.us-east-1.amazonaws.com' } }, false],
      [{ DateLessThan: { 'aws:CurrentTime': '2099-01-01T00:00:00Z' } }, true],
      [{ DateLessThan: { 'aws:CurrentTime': '2009-01-01T00:00:00Z' } }, false],
    ] as const) {
      await put(policyFor('*', 'kms:*', { Condition }));
      const answered = await decrypt(role).then(
        () => true,
        () => false,
      );
      expect([Condition, answered]).toEqual([Condition, lets]);
    }
  });

  test('is kept out by a deny', async () => {
    const { call, key, sealed, refused } = setUp();
    const { KeyId, Arn } = await key();
    const CiphertextBlob = await sealed(KeyId);
    const [allow] = JSON.parse(policyFor('*', 'kms:*')).Statement;
    const deny = { ...allow, Effect: 'Deny', Action: 'kms:Decrypt', Condition: { StringNotLike: { 'kms:Unknown': '?*' } } };
    await call('PutKeyPolicy', { KeyId, Policy: JSON.stringify({ Statement: [allow, deny] }) });
    await refused(call('Decrypt', { CiphertextBlob, KeyId: Arn }, OTHER), 'AccessDeniedException');
    await call('Encrypt', { KeyId: Arn, Plaintext: Buffer.from('x') }, OTHER);
  });

  test('uses it by a grant, until the grant is retired or revoked', async () => {
    const { call, key, sealed, refused } = setUp();
    const { KeyId, Arn } = await key();
    const grant = {
      KeyId,
      Name: 'restore',
      GranteePrincipal: `arn:aws:iam::${OTHER.account}:role/restore`,
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextSubset: { app: 'shop' } },
    };
    const made = await call('CreateGrant', grant);
    expect(await call('CreateGrant', grant)).toEqual(made);
    expect((await call('CreateGrant', { ...grant, Name: undefined })).GrantId).not.toBe(made.GrantId);
    await refused(call('CreateGrant', { ...grant, Operations: ['Sign'] }), 'ValidationException');
    const EncryptionContext = { app: 'shop', more: '1' };
    const decrypt = async (context: object) => {
      const CiphertextBlob = await sealed(KeyId, 'granted', context);
      return call('Decrypt', { CiphertextBlob, KeyId: Arn, EncryptionContext: context }, OTHER, role);
    };
    expect(text((await decrypt(EncryptionContext)).Plaintext)).toBe('granted');
    await refused(decrypt({ app: 'other' }), 'AccessDeniedException');
    const { Grants } = await call('ListGrants', { KeyId });
    expect(Grants).toHaveLength(2);
    expect(Grants[0]).not.toHaveProperty('GrantToken');
    await call('RetireGrant', { GrantToken: made.GrantToken });
    for (const { GrantId } of Grants.slice(1)) await call('RevokeGrant', { KeyId, GrantId });
    await refused(decrypt(EncryptionContext), 'AccessDeniedException');
    await refused(call('RetireGrant', { GrantToken: made.GrantToken }), 'NotFoundException');
  });
});

describe('keys of several regions', () => {
  test('open in one what was sealed in the other, and are otherwise their own', async () => {
    const { call, key, sealed, refused, world } = setUp();
    const primary = await key({ MultiRegion: true, Description: 'primary' });
    expect(primary.KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
    const CiphertextBlob = await sealed(primary.KeyId);
    await refused(call('Decrypt', { CiphertextBlob }, WEST), 'AccessDeniedException');
    const replicate = (KeyId: string) => call('ReplicateKey', { KeyId, ReplicaRegion: WEST.region });
    const { ReplicaKeyMetadata } = await replicate(primary.KeyId);
    expect(ReplicaKeyMetadata).toMatchObject({ KeyId: primary.KeyId, Description: '', AWSAccountId: HOME.account });
    expect(ReplicaKeyMetadata.MultiRegionConfiguration).toMatchObject({
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: primary.Arn, Region: HOME.region },
      ReplicaKeys: [{ Region: WEST.region }],
    });
    await refused(replicate(primary.KeyId), 'AlreadyExistsException');
    await refused(replicate((await key()).KeyId), 'UnsupportedOperationException');
    world.dark.add(HOME.region);
    expect(text((await call('Decrypt', { CiphertextBlob }, WEST)).Plaintext)).toBe('secret');
    await call('DisableKey', { KeyId: primary.KeyId }, WEST);
    world.dark.clear();
    expect((await call('DescribeKey', { KeyId: primary.KeyId })).KeyMetadata.KeyState).toBe('Enabled');
  });
});
