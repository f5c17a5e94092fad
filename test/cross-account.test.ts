import { beforeAll, describe, expect, test } from 'vitest';
import { mismatches, tears } from '../demo/shop/audit.ts';
import type { Report, Sealed } from '../functions/domain.ts';
import type { Execution } from '../local/services/states/execution.ts';
import { silenceAfter } from '../local/world/faults.ts';
import { HOME, SAFE, type Stage, type StageOptions, stage } from './world.ts';

/** A vault in another account: what home seals comes there by roles and policies alone, and is restored there while home is dark. */
const abroad = (more: Partial<StageOptions> = {}): Promise<Stage> =>
  stage({ seed: 'cross-account', shop: { cluster: true, standbyAccount: SAFE.account }, vault: SAFE, ...more });

const call = (stand: Stage, service: string, operation: string, input: object, place = HOME): Promise<any> =>
  stand.settle(stand.world.call({ place, service, operation, input }));

async function protect(stand: Stage): Promise<Execution> {
  stand.shop.writers.start();
  await stand.advance(5);
  const execution = stand.startProtect();
  await stand.advance(60);
  await stand.settle(stand.shop.writers.stop());
  await stand.settle(execution.ended);
  return execution;
}

/** How the one replication into the vault's account ended, and why. */
async function replication(stand: Stage): Promise<string> {
  await stand.advance(2 * 3600);
  const [only] = [...stand.states(SAFE).executions.values()].filter(({ arn }) => arn.includes(':stillpoint-replicate:'));
  return `${only?.status}: ${only?.cause}`;
}

describe('a point that leaves its account', () => {
  let stand: Stage;
  let home: Sealed;
  let copy: Sealed;
  let report: Report;

  beforeAll(async () => {
    stand = await abroad();
    expect((await protect(stand)).status).toBe('SUCCEEDED');
    [home] = (await stand.sealed(HOME)) as [Sealed];
    [copy] = (await stand.replicated(SAFE)) as [Sealed];
    stand.world.dark.add(HOME.region);
    const restored = await stand.restore(SAFE, 'safe');
    expect([restored.execution.status, restored.execution.cause]).toEqual(['SUCCEEDED', undefined]);
    report = restored.report!;
  });

  test('is durable there, every part of it', () => {
    expect(copy.artifacts.map(({ endurance }) => endurance)).toEqual(home.artifacts.map(() => 'durable'));
    expect(new Set(copy.artifacts.map(({ place }) => place.account))).toEqual(new Set([SAFE.account]));
    expect(copy.consistency).toBe(home.consistency);
  });
  test('comes back in the other account as it was at its instant, while home is dark', async () => {
    const restored = await stand.settle(stand.shop.readRestored(SAFE, report.renames));
    const truth = stand.shop.truthAt(copy.instant);
    expect([mismatches(restored, truth), tears(restored)]).toEqual([[], []]);
    expect(await stand.settle(stand.shop.wrongUploads(SAFE, report.renames, copy))).toEqual([]);
  });
  test('needed nothing that a role or a policy does not allow', () => expect(stand.world.permissions.denied).toEqual([]));
  test('is reached at home in roles that trust the one step of the vault, and nobody else', async () => {
    const RoleName = 'stillpoint-replicate-copy-for-444455556666-us-east-1';
    stand.world.dark.delete(HOME.region);
    const RoleArn = `arn:aws:iam::${HOME.account}:role/${RoleName}`;
    const as = (arn: string) =>
      stand.settle(
        stand.world.call({
          place: SAFE,
          service: 'sts',
          operation: 'AssumeRole',
          input: { RoleArn, RoleSessionName: 'me' },
          caller: { account: arn.split(':')[4]!, arn },
        }),
      );
    const role = (name: string) => `arn:aws:sts::${SAFE.account}:assumed-role/${name}/me`;
    await expect(as(role('stillpoint-replicate-copy-eu-west-1'))).resolves.toBeDefined();
    for (const other of [
      role('stillpoint-replicate-plan-eu-west-1'),
      role('stillpoint-restore-provision-eu-west-1'),
      `arn:aws:iam::${SAFE.account}:root`,
      'arn:aws:iam::999999999999:root',
    ])
      await expect(as(other), other).rejects.toThrow(/is not authorized to perform: sts:AssumeRole/);
  });
});

test('what is shared is shared once more where the answer was lost', async () => {
  const stand = await abroad({ shop: { cluster: false, standbyAccount: SAFE.account } });
  const lost = new Set<string>();
  stand.world.faults = ({ operation }) => {
    if (!/^Modify(DB)?SnapshotAttribute$/.test(operation) || lost.has(operation)) return undefined;
    lost.add(operation);
    return silenceAfter;
  };
  expect((await protect(stand)).status).toBe('SUCCEEDED');
  expect(await replication(stand)).toBe('SUCCEEDED: undefined');
  expect([...lost].sort()).toEqual(['ModifyDBSnapshotAttribute', 'ModifySnapshotAttribute']);
});

describe('a vault in another account is refused, in a sentence', () => {
  test('a database under the default key, before anything is made', async () => {
    const stand = await abroad({ shop: { cluster: false, standbyAccount: SAFE.account } });
    const { KeyMetadata } = await call(stand, 'kms', 'DescribeKey', { KeyId: 'alias/aws/ebs' });
    await call(stand, 'ec2', 'CreateVolume', {
      AvailabilityZone: 'us-east-1a',
      Size: 1,
      Encrypted: true,
      KmsKeyId: KeyMetadata.Arn,
      TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'app', Value: 'shop' }] }],
    });
    await stand.advance(60);
    const execution = stand.startProtect();
    await stand.settle(execution.ended);
    expect(execution.cause).toMatch(
      /Policy "hourly" keeps copies in "west", in account 444455556666, but vol-\w+ is encrypted with the account's default key/,
    );
  });
  test('a bucket whose policy does not let it in; once it does, the vault fetches the point by itself', async () => {
    const stand = await abroad({ shop: { cluster: false, standbyAccount: SAFE.account } });
    const Bucket = stand.shop.names.bucket;
    const { Policy } = await call(stand, 's3', 'GetBucketPolicy', { Bucket });
    await call(stand, 's3', 'DeleteBucketPolicy', { Bucket });
    expect((await protect(stand)).status).toBe('SUCCEEDED');
    expect(await replication(stand)).toMatch(
      /FAILED.*shop-media-.*replicate-settle is not authorized to perform: s3:GetObject\w* .*no resource-based policy allows/,
    );
    await call(stand, 's3', 'PutBucketPolicy', { Bucket, Policy });
    await stand.run(SAFE, 'reconcile', { application: 'shop' });
    expect(await stand.replicated(SAFE)).toHaveLength(1);
  });
  test('a key whose policy does not let it in', async () => {
    const stand = await abroad({ shop: { cluster: false, standbyAccount: SAFE.account } });
    const { KeyMetadata } = await call(stand, 'kms', 'DescribeKey', { KeyId: 'alias/shop' });
    const own = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HOME.account}:root` }, Action: 'kms:*', Resource: '*' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [own] });
    await call(stand, 'kms', 'PutKeyPolicy', { KeyId: KeyMetadata.KeyId, PolicyName: 'default', Policy });
    expect((await protect(stand)).status).toBe('SUCCEEDED');
    expect(await replication(stand)).toMatch(
      /FAILED.*db:shop-orders failed: .*KMSKeyNotAccessibleFault: .* you do not have permissions/,
    );
  });
});
