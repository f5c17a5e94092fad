import { CfnEventBusPolicy, CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { CfnQueue, CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { askedByPath, eventName, patternOf } from '../functions/configuration/events.ts';
import { shortestGapSeconds } from '../functions/configuration/schedule.ts';
import { otherAccount, type Place, type Policy } from '../functions/domain.ts';
import { EVENT_SOURCE, machineArn, SEALED_EVENT, triggerName } from '../functions/vault/layout.ts';
import { type Deployment, policiesOf } from './deployment.ts';
import { role, type Statement } from './role.ts';
import { busArn, rootsOf } from './scope.ts';

const SEALED = { source: [EVENT_SOURCE], 'detail-type': [SEALED_EVENT] };
/** How often each place puts itself in order (DESIGN §3.3). */
const RECONCILE: Timing = { schedule: 'rate(15 minutes)', timezone: 'UTC' };
type Timing = Pick<Policy, 'schedule' | 'timezone' | 'windowSeconds'>;
/** Between these EventBridge Scheduler wants the age of an event, in seconds (Scheduler API, RetryPolicy). */
const AGE = { least: 60, most: 86_400 };

/** Where a trigger goes whose target could not be reached: nothing is lost without a word. */
export function deadLetters(scope: Construct, { account, region }: Place): CfnQueue {
  const within = new Construct(scope, 'DeadLetters');
  const queueName = 'stillpoint-dead-letters';
  const queue = new CfnQueue(within, 'Queue', { queueName, sqsManagedSseEnabled: true, messageRetentionPeriod: 1_209_600 });
  const Resource = `arn:aws:sqs:${region}:${account}:${queueName}`;
  new CfnQueuePolicy(within, 'Policy', {
    queues: [queue.ref],
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource,
          Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:events:${region}:${account}:rule/stillpoint-*` } },
        },
        { Effect: 'Deny', Principal: '*', Action: 'sqs:*', Resource, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ],
    },
  });
  return queue;
}

/** What takes restore points of the applications that live here: policies' schedules, and the events that they name. */
export function protects(scope: Construct, { configuration, residents, around: { here } }: Deployment, dead: CfnQueue): void {
  const within = new Construct(scope, 'Protects');
  const target = machineArn(here, 'protect');
  const schedules = schedulesTo(within, 'protect-schedule', target, here, dead);
  const due = residents.flatMap(({ name }) => policiesOf(configuration, name).map((policy) => ({ name, policy })));
  const events = due.flatMap(({ name, policy }) =>
    policy.on.map((event, index) => ({ name, policy, event, called: eventName(event, index) })),
  );
  for (const { name, policy } of due) {
    if (policy.schedule === undefined) continue;
    schedules(triggerName(policy.name, name), policy, {
      application: name,
      policy: policy.name,
      trigger: 'schedule',
      due: '<aws.scheduler.scheduled-time>', // names the slot, so that a schedule which fires twice makes one point
    });
  }
  if (events.length === 0) return;
  const asks = role(within, 'protect-event', here, 'events.amazonaws.com', [starts([target])]);
  for (const { name, policy, event, called } of events) {
    const asked = { application: name, policy: policy.name, trigger: 'event', due: '<time>', asker: called, askedBy: '<id>' };
    const ruleName = triggerName(policy.name, name, called);
    new CfnRule(within, ruleName, {
      name: ruleName,
      description: `Takes a restore point of ${name}`,
      eventPattern: patternOf(event),
      targets: [
        {
          id: 'protect',
          arn: target,
          roleArn: asks.attrArn,
          deadLetterConfig: { arn: dead.attrArn },
          inputTransformer: { inputPathsMap: { time: '$.time', id: askedByPath(event) }, inputTemplate: JSON.stringify(asked) },
        },
      ],
    });
  }
}

/** What home seals is announced on the buses of the vaults that keep copies; what does not arrive, each vault's reconcile finds. */
export function announces(scope: Construct, { vaults, around: { here } }: Deployment, dead: CfnQueue): void {
  if (vaults.length === 0) return;
  const within = new Construct(scope, 'Announces');
  const buses = vaults.map(({ place }) => busArn(place));
  const tells = role(within, 'announce', here, 'events.amazonaws.com', [
    { Effect: 'Allow', Action: ['events:PutEvents'], Resource: buses },
  ]);
  new CfnRule(within, 'Rule', {
    name: 'stillpoint-announce',
    description: 'What is sealed here is told to the vaults',
    eventPattern: { ...SEALED, account: [here.account], region: [here.region] }, // not what was told to us: two homes may be vaults to each other
    targets: vaults.map(({ name, place }) => ({
      id: name,
      arn: busArn(place),
      roleArn: tells.attrArn,
      deadLetterConfig: { arn: dead.attrArn },
    })),
  });
}

/** The events that homes send: what they announce, and what AWS Health says of their regions. */
const TOLD = [EVENT_SOURCE, 'aws.health'];

/** Lets homes in other accounts be heard on the bus that is here (EventBridge guide, "Sending and receiving events between AWS accounts"). */
export function hears(scope: Construct, { guests, around: { here } }: Deployment): void {
  const far = guests.map(({ home }) => home).filter((home) => otherAccount(home, here));
  if (far.length === 0) return;
  new CfnEventBusPolicy(scope, 'HearsHomes', {
    statementId: 'stillpoint-homes',
    statement: {
      Effect: 'Allow',
      Principal: { AWS: rootsOf(far) },
      Action: 'events:PutEvents',
      Resource: busArn(here),
      Condition: { StringEquals: { 'events:source': TOLD } },
    },
  });
}

/** What homes announce is pulled into the vault that is here. */
export function pulls(scope: Construct, { guests, around: { here, homes } }: Deployment, dead: CfnQueue): void {
  const within = new Construct(scope, 'Pulls');
  const target = machineArn(here, 'replicate');
  const starting = role(within, 'replicate-event', here, 'events.amazonaws.com', [starts([target])]);
  const elsewhere = homes.filter((home) => home.region !== here.region || home.account !== here.account);
  new CfnRule(within, 'Rule', {
    name: 'stillpoint-replicate',
    description: 'What is sealed at home is copied into this vault',
    eventPattern: {
      ...SEALED,
      account: [...new Set(elsewhere.map(({ account }) => account))],
      region: [...new Set(elsewhere.map(({ region }) => region))],
      detail: { application: guests.map(({ name }) => name) },
    },
    targets: [
      { id: 'replicate', arn: target, roleArn: starting.attrArn, inputPath: '$.detail', deadLetterConfig: { arn: dead.attrArn } },
    ],
  });
}

/** Every place puts itself in order, for every application that it knows. */
export function reconciles(scope: Construct, { residents, guests, around: { here } }: Deployment, dead: CfnQueue): void {
  const within = new Construct(scope, 'Reconciles');
  const schedules = schedulesTo(within, 'reconcile-schedule', machineArn(here, 'reconcile'), here, dead);
  for (const { name } of [...residents, ...guests]) schedules(triggerName('reconcile', name), RECONCILE, { application: name });
}

const starts = (Resource: readonly string[]): Statement => ({ Effect: 'Allow', Action: ['states:StartExecution'], Resource });

/** Schedules that start one machine. One that could not start before the next is due does not start at all. */
function schedulesTo(scope: Construct, what: string, target: string, here: Place, dead: CfnQueue) {
  const starting = role(scope, what, here, 'scheduler.amazonaws.com', [
    starts([target]),
    {
      Effect: 'Allow',
      Action: ['sqs:SendMessage'],
      Resource: [`arn:aws:sqs:${here.region}:${here.account}:stillpoint-dead-letters`],
    },
  ]);
  return (name: string, { schedule = '', timezone, windowSeconds }: Timing, input: object): void => {
    new CfnSchedule(scope, name, {
      name,
      scheduleExpression: schedule,
      scheduleExpressionTimezone: timezone,
      flexibleTimeWindow: windowSeconds ? { mode: 'FLEXIBLE', maximumWindowInMinutes: windowSeconds / 60 } : { mode: 'OFF' },
      target: {
        arn: target,
        roleArn: starting.attrArn,
        input: JSON.stringify(input),
        deadLetterConfig: { arn: dead.attrArn },
        retryPolicy: {
          maximumEventAgeInSeconds: Math.min(AGE.most, Math.max(AGE.least, shortestGapSeconds(schedule) - AGE.least)),
          maximumRetryAttempts: 10,
        },
      },
    });
  };
}
