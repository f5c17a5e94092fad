import validate from 'asl-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { shortestGapSeconds } from '../../functions/configuration/schedule.ts';
import { functionName, ledgerBucket, machineName } from '../../functions/vault/layout.ts';
import { ledgerPolicy } from '../../functions/vault/policy.ts';
import { definitionOf } from '../../functions/workflows/asl.ts';
import { workflows, workflowsIn } from '../../functions/workflows/index.ts';
import {
  ACCOUNT,
  ofType,
  rolesOf,
  SAFE_ACCOUNT,
  type Synthesised,
  synthesised,
  type Template,
  THREE_VAULTS,
} from './synthesised.ts';

/** What the templates hold, for a configuration with two homes and two vaults, one place being both. */
let made: Synthesised;
let home: Template;
let both: Template;
let vault: Template;
beforeAll(async () => {
  made = await synthesised(THREE_VAULTS);
  home = made.templates['stillpoint-home-us-east-1']!;
  both = made.templates['stillpoint-home-eu-west-1']!;
  vault = made.templates['stillpoint-vault-eu-north-1']!;
});

const each = () => Object.entries(made.templates);
const names = (template: Template, type: string, property: string): string[] =>
  ofType(template, type)
    .map((properties) => properties[property] as string)
    .sort();
const machinesOf = (which: readonly { name: string }[]) => which.map(({ name }) => machineName(name)).sort();

describe('stacks', () => {
  test('there is one for each place that the configuration names', () => {
    expect(Object.keys(made.templates).sort()).toEqual([
      'stillpoint-home-eu-west-1',
      'stillpoint-home-us-east-1',
      'stillpoint-vault-eu-central-1',
      'stillpoint-vault-eu-north-1',
    ]);
  });

  test('none holds a custom resource, nor a function that is not a step', () => {
    const steps = new Set(workflows.flatMap((workflow) => workflow.steps.map(({ name }) => functionName(name))));
    for (const [, template] of each()) {
      const types = Object.values(template.Resources).map(({ Type }) => Type);
      expect(types.filter((type) => /^Custom::|CustomResource|^AWS::CloudFormation::Macro/.test(type))).toEqual([]);
      expect(names(template, 'AWS::Lambda::Function', 'FunctionName').filter((name) => !steps.has(name))).toEqual([]);
      expect(types.length).toBeLessThan(500); // CloudFormation quotas, "Resources"
    }
  });

  test('every place has the workflows of what it is', () => {
    const machines = (template: Template) => names(template, 'AWS::StepFunctions::StateMachine', 'StateMachineName');
    expect(machines(home)).toEqual(machinesOf(workflowsIn('home')));
    expect(machines(vault)).toEqual(machinesOf(workflowsIn('vault')));
    expect(machines(both)).toEqual(machinesOf(workflows));
  });

  test('what is in a template is the definition that the tests run, accepted by asl-validator, with every function beside it', () => {
    for (const [, template] of each()) {
      const functions = new Set(names(template, 'AWS::Lambda::Function', 'FunctionName'));
      for (const { StateMachineName, DefinitionString } of ofType(template, 'AWS::StepFunctions::StateMachine')) {
        const definition = JSON.parse(DefinitionString as string);
        expect(definition).toEqual(definitionOf(workflows.find(({ name }) => machineName(name) === StateMachineName)!));
        expect(validate(definition).errors).toEqual([]);
        for (const state of Object.values(definition.States as Record<string, any>)) {
          if (state.Type === 'Task') expect(functions).toContain(state.Arguments.FunctionName);
        }
      }
    }
  });

  test('functions are Node 24 on arm64, within the limits that their steps declare', () => {
    const steps = new Map(workflows.flatMap(({ steps }) => steps).map((step) => [functionName(step.name), step]));
    for (const [, template] of each()) {
      for (const made of ofType(template, 'AWS::Lambda::Function')) {
        const { limits } = steps.get(made['FunctionName'])!;
        expect(made).toMatchObject({
          Runtime: 'nodejs24.x',
          Architectures: ['arm64'],
          Timeout: limits.seconds,
          MemorySize: limits.memoryMb,
        });
      }
    }
  });
});

test('functions that talk to clusters, and no others, run in the network that is named, which only Lambda may put them into', async () => {
  const network = '    network: { subnets: [subnet-0a1b2c3d], securityGroups: [sg-0a1b2c3d] }';
  const { templates } = await synthesised(THREE_VAULTS.replace('    cluster: shop\n', `    cluster: shop\n${network}\n`));
  const functions = ofType(templates['stillpoint-home-us-east-1']!, 'AWS::Lambda::Function');
  const inside = functions.filter(({ VpcConfig }) => VpcConfig);
  expect(inside.map(({ FunctionName }) => FunctionName)).toContain('stillpoint-protect-capture');
  expect(inside.map(({ FunctionName }) => FunctionName)).not.toContain('stillpoint-protect-seal');
  for (const { VpcConfig } of inside) {
    expect(VpcConfig).toEqual({ SubnetIds: ['subnet-0a1b2c3d'], SecurityGroupIds: ['sg-0a1b2c3d'] });
  }
  const roles = rolesOf(templates).filter(({ stack }) => stack === 'stillpoint-home-us-east-1');
  const denied = roles.filter(({ statements }) =>
    statements.some(({ Effect, Action }) => Effect === 'Deny' && Action.includes('ec2:CreateNetworkInterface')),
  );
  expect(denied.map(({ name }) => name.replace(/-us-east-1$/, '')).sort()).toEqual(
    inside.map(({ FunctionName }) => FunctionName).sort(),
  );
  const elsewhere = ofType(templates['stillpoint-vault-eu-north-1']!, 'AWS::Lambda::Function');
  expect(elsewhere.filter(({ VpcConfig }) => VpcConfig)).toEqual([]);
});

describe('stores', () => {
  test('a ledger has versions, Object Lock without a default, and its policy; stores and keys outlive the stack', () => {
    for (const [, template] of each()) {
      const ledger = ofType(template, 'AWS::S3::Bucket').find(({ BucketName }) => BucketName.startsWith('stillpoint-ledger'))!;
      expect(ledger).toMatchObject({ ObjectLockEnabled: true, VersioningConfiguration: { Status: 'Enabled' } });
      expect(ledger['ObjectLockConfiguration']).toBeUndefined();
      const policy = ofType(template, 'AWS::S3::BucketPolicy').find(({ Bucket }) => Bucket === ledger['BucketName'])!;
      expect(policy['PolicyDocument']).toEqual(ledgerPolicy(ledger['BucketName']));
      const kept = Object.values(template.Resources).filter(({ Type }) => /^AWS::(S3::Bucket|KMS::(Key|Alias))$/.test(Type));
      expect(kept.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(kept.map(() => 'Retain'));
    }
    expect(names(home, 'AWS::S3::Bucket', 'BucketName')).toContain(ledgerBucket({ account: ACCOUNT, region: 'us-east-1' }));
  });

  test('only homes have a staging bucket, and a vault that locks can', () => {
    const staging = (template: Template) =>
      names(template, 'AWS::S3::Bucket', 'BucketName').filter((name) => /staging/.test(name));
    expect([home, both, vault].map((template) => staging(template).length)).toEqual([1, 1, 0]);
    const data = (template: Template) => ofType(template, 'AWS::S3::Bucket').find(({ BucketName }) => /data/.test(BucketName))!;
    expect([home, both, vault].map((template) => data(template)['ObjectLockEnabled'])).toEqual([undefined, true, true]);
  });
});

test('every place has a backup vault, locked as the vault is, and outliving the stack', () => {
  const vaultOf = (template: Template) =>
    Object.values(template.Resources).find(({ Type }) => Type === 'AWS::Backup::BackupVault')!;
  expect([home, both, vault].map((template) => vaultOf(template).Properties['LockConfiguration'])).toEqual([
    undefined,
    { MinRetentionDays: 14, ChangeableForDays: 3 },
    { MinRetentionDays: 7 },
  ]);
  expect([home, both, vault].map((template) => vaultOf(template).DeletionPolicy)).toEqual(['Retain', 'Retain', 'Retain']);
});

test('a schedule with a window begins within it', async () => {
  const { templates } = await synthesised(THREE_VAULTS.replace('    timezone:', '    window: 15m\n    timezone:'));
  const [hourly] = ofType(templates['stillpoint-home-us-east-1']!, 'AWS::Scheduler::Schedule').filter(
    ({ Name }) => Name === 'stillpoint-hourly-shop',
  );
  expect(hourly!['FlexibleTimeWindow']).toEqual({ Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 });
});

describe('when a region is lost', () => {
  const asking = (does: string) => THREE_VAULTS.replace('    rpo: 90m', `    rpo: 90m\n    onRegionLoss: ${does}`);
  const rule = (template: Template | undefined, name: string) =>
    ofType(template!, 'AWS::Events::Rule').find(({ Name }) => Name === name);

  test('nothing is passed on where no policy asks', () => {
    expect(Object.keys(made.templates)).not.toContain('stillpoint-relay-us-west-2');
    for (const [, template] of each()) expect(rule(template, 'stillpoint-relay')).toBeUndefined();
  });

  test('what AWS Health says there, and in the region where it says it again, reaches every vault', async () => {
    const { templates } = await synthesised(asking('propose'));
    for (const stack of ['stillpoint-home-us-east-1', 'stillpoint-relay-us-west-2']) {
      const { EventPattern, Targets } = rule(templates[stack], 'stillpoint-relay')!;
      expect(EventPattern.detail, stack).toEqual({ eventTypeCategory: ['issue'], eventRegion: ['us-east-1'] });
      expect(Targets.map(({ Arn }: { Arn: string }) => Arn.split(':')[3]).sort()).toEqual([
        'eu-central-1',
        'eu-north-1',
        'eu-west-1',
      ]);
    }
  });

  test.each([
    ['propose', true],
    ['restore', false],
  ])('a vault answers as the policy says: %s', async (does, dryRun) => {
    const { templates } = await synthesised(asking(does));
    const { Targets } = rule(templates['stillpoint-vault-eu-north-1'], 'stillpoint-region-loss-shop')!;
    expect(JSON.parse(Targets[0].Input)).toEqual({ application: 'shop', point: 'latest', dryRun });
    expect(Targets[1].InputTransformer.InputTemplate).toMatch(/AWS Health reports <code> in us-east-1, where shop lives/);
    expect(rule(templates['stillpoint-vault-eu-north-1'], 'stillpoint-region-loss-books')).toBeUndefined();
  });
});

describe('what starts by itself', () => {
  test('a schedule names its slot by the scheduled time, and an event that is late is older than no period', () => {
    const all = each().flatMap(([, template]) => ofType(template, 'AWS::Scheduler::Schedule'));
    expect(all.length).toBe(2 + 2 + 4); // two policies; reconcile in three places, of two applications where both are
    for (const { ScheduleExpression, Target } of all) {
      expect(Target.DeadLetterConfig.Arn).toBeDefined();
      expect(Target.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThan(shortestGapSeconds(ScheduleExpression));
    }
    const hourly = all.find(({ Name }) => Name === 'stillpoint-hourly-shop')!;
    expect(hourly['ScheduleExpressionTimezone']).toBe('Europe/Berlin');
    expect(JSON.parse(hourly['Target'].Input)).toEqual({
      application: 'shop',
      policy: 'hourly',
      trigger: 'schedule',
      due: '<aws.scheduler.scheduled-time>',
    });
  });

  test('events by name and by pattern become rules', () => {
    const rules = new Map(ofType(home, 'AWS::Events::Rule').map((rule) => [rule['Name'], rule]));
    expect(rules.get('stillpoint-hourly-shop-codepipeline-started')!['EventPattern'].source).toEqual(['aws.codepipeline']);
    expect(rules.get('stillpoint-hourly-shop-custom-2')!['EventPattern']).toEqual({ source: ['shop.release'] });
  });

  test('home tells the buses of its vaults, each vault starts on what homes say and not on what it said itself', () => {
    const announce = ofType(home, 'AWS::Events::Rule').find(({ Name }) => Name === 'stillpoint-announce')!;
    expect(announce['Targets'].map(({ Arn }: { Arn: string }) => Arn).sort()).toEqual([
      `arn:aws:events:eu-central-1:${SAFE_ACCOUNT}:event-bus/default`,
      `arn:aws:events:eu-north-1:${ACCOUNT}:event-bus/default`,
      `arn:aws:events:eu-west-1:${ACCOUNT}:event-bus/default`,
    ]);
    const replicate = ofType(both, 'AWS::Events::Rule').find(({ Name }) => Name === 'stillpoint-replicate')!;
    expect(replicate['EventPattern']).toMatchObject({ region: ['us-east-1'], detail: { application: ['shop'] } });
    const fromBoth = ofType(vault, 'AWS::Events::Rule').find(({ Name }) => Name === 'stillpoint-replicate')!;
    expect(fromBoth['EventPattern'].region).toEqual(['us-east-1', 'eu-west-1']);
  });
});

test('an alarm on every promised RPO rings in each place that keeps copies, also when nothing is said any more', () => {
  const alarms = (template: Template) =>
    ofType(template, 'AWS::CloudWatch::Alarm').filter(({ AlarmName }) => /-rpo-/.test(AlarmName));
  expect(alarms(home).map(({ AlarmName }) => AlarmName)).toEqual(['stillpoint-rpo-shop-hourly']);
  expect(alarms(both).map(({ AlarmName }) => AlarmName)).toEqual(['stillpoint-rpo-books-nightly', 'stillpoint-rpo-shop-hourly']);
  expect(alarms(vault).map(({ AlarmName }) => AlarmName)).toEqual(['stillpoint-rpo-shop-hourly', 'stillpoint-rpo-books-nightly']);
  for (const alarm of [home, both, vault].flatMap(alarms)) {
    const seconds = alarm['Period'] * alarm['EvaluationPeriods'];
    expect(alarm).toMatchObject({ TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold', Threshold: 1 });
    expect(seconds).toBe(alarm['AlarmName'].endsWith('nightly') ? 3 * 86_400 : 90 * 60);
  }
});

describe('a vault in another account', () => {
  const safe = () => made.templates['stillpoint-vault-eu-central-1']!;
  const SAFE = `arn:aws:iam::${SAFE_ACCOUNT}:role`;

  test('hears homes on its bus, and takes pushes of AWS Backup from their accounts alone', () => {
    const root = [`arn:aws:iam::${ACCOUNT}:root`];
    expect(ofType(safe(), 'AWS::Events::EventBusPolicy')).toMatchObject([
      {
        Statement: {
          Principal: { AWS: root },
          Action: 'events:PutEvents',
          Condition: { StringEquals: { 'events:source': ['stillpoint', 'aws.health'] } },
        },
      },
    ]);
    const [{ AccessPolicy }] = ofType(safe(), 'AWS::Backup::BackupVault') as [Record<string, any>];
    expect(AccessPolicy.Statement).toMatchObject([{ Principal: { AWS: root }, Action: 'backup:CopyIntoBackupVault' }]);
    for (const template of [both, vault]) expect(ofType(template, 'AWS::Events::EventBusPolicy')).toEqual([]);
  });

  test('is let in at the home that it keeps copies of, step by step, and nowhere else', () => {
    const guests = ofType(home, 'AWS::IAM::Role').filter(({ RoleName }) => RoleName.includes(`-for-${SAFE_ACCOUNT}`));
    const trusted = guests.map(({ RoleName, AssumeRolePolicyDocument: { Statement } }) => {
      expect(Statement).toHaveLength(1);
      expect(Statement[0].Principal).toEqual({ AWS: `arn:aws:iam::${SAFE_ACCOUNT}:root` });
      return [RoleName, Statement[0].Condition.ArnEquals['aws:PrincipalArn']];
    });
    const of = (step: string) => [
      `stillpoint-${step}-for-${SAFE_ACCOUNT}-us-east-1`,
      [`${SAFE}/stillpoint-${step}-eu-central-1`],
    ];
    expect(trusted.sort()).toEqual(['reconcile-fetch', 'replicate-copy', 'replicate-plan', 'replicate-settle'].map(of));
    expect(rolesOf({ both }).filter(({ name }) => name.includes('-for-'))).toEqual([]);
    const assumes = rolesOf({ safe: safe() }).filter(({ statements }) =>
      statements.some(({ Action }) => Action.includes('sts:AssumeRole')),
    );
    expect(assumes.map(({ name }) => name).sort()).toEqual(
      ['reconcile-fetch', 'replicate-copy', 'replicate-plan', 'replicate-settle'].map(
        (step) => `stillpoint-${step}-eu-central-1`,
      ),
    );
  });

  test('reads what home’s buckets and key let its copying steps read, and no other account stands in any policy of home', () => {
    const roles = ['replicate-copy', 'replicate-settle'].map((step) => `${SAFE}/stillpoint-${step}-eu-central-1`);
    const policies = [
      ...ofType(home, 'AWS::S3::BucketPolicy').map(({ Bucket, PolicyDocument }) => [Bucket, PolicyDocument]),
      ...ofType(home, 'AWS::KMS::Key').map(({ Description, KeyPolicy }) => [Description, KeyPolicy]),
    ] as [string, { Statement: Record<string, any>[] }][];
    const open = policies.flatMap(([name, { Statement }]) =>
      Statement.filter(({ Principal }) => JSON.stringify(Principal).includes(SAFE_ACCOUNT)).map(({ Action, Condition }) => ({
        name,
        Action,
        Condition,
      })),
    );
    const Condition = { ArnEquals: { 'aws:PrincipalArn': roles } };
    const reads = ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectVersionTagging'];
    expect(open).toEqual([
      { name: `stillpoint-data-${ACCOUNT}-us-east-1`, Action: reads, Condition },
      { name: `stillpoint-staging-${ACCOUNT}-us-east-1`, Action: reads, Condition },
      { name: expect.stringContaining('wraps data keys'), Action: ['kms:Decrypt'], Condition },
    ]);
  });
});
