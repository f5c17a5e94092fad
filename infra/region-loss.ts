import type { App } from 'aws-cdk-lib';
import { Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import type { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { machineArn } from '../functions/vault/layout.ts';
import { type Deployment, policiesOf, stackName } from './deployment.ts';
import { role } from './role.ts';
import { busArn } from './scope.ts';
import { deadLetters } from './triggers.ts';

const troubleIn = (regions: readonly string[]): object => ({
  source: ['aws.health'],
  'detail-type': ['AWS Health Event'],
  detail: { eventTypeCategory: ['issue'], eventRegion: regions },
});

/** Passes on what AWS Health says of homes' regions to the buses of their vaults. */
export function relays(scope: Construct, { relayed, around: { here } }: Deployment, dead: CfnQueue): void {
  if (relayed.length === 0) return;
  const within = new Construct(scope, 'Relays');
  const vaults = new Map(relayed.flatMap(({ vaults }) => vaults).map((place) => [busArn(place), place]));
  const others = [...vaults.keys()].filter((arn) => arn !== busArn(here));
  if (others.length === 0) return;
  const tells = role(within, 'relay', here, 'events.amazonaws.com', [
    { Effect: 'Allow', Action: ['events:PutEvents'], Resource: others },
  ]);
  new CfnRule(within, 'Rule', {
    name: 'stillpoint-relay',
    description: 'What AWS Health says of a home is passed on to its vaults',
    eventPattern: troubleIn(relayed.map(({ region }) => region)),
    targets: others.map((arn, index) => ({
      id: `vault-${index + 1}`,
      arn,
      roleArn: tells.attrArn,
      deadLetterConfig: { arn: dead.attrArn },
    })),
  });
}

/** A vault proposes a restore (a plan to read, and a word to whoever listens to the alarms), or begins it, when AWS Health says that a home is in trouble. */
export function answersLoss(scope: Construct, deployment: Deployment, dead: CfnQueue, topicArn: string): void {
  const { configuration, guests, vault, around } = deployment;
  const { here } = around;
  const answers = guests.flatMap((application) =>
    policiesOf(configuration, application.name)
      .filter(({ vaults, onRegionLoss }) => onRegionLoss && vaults.includes(vault!.name))
      .map(({ onRegionLoss }) => ({ application, does: onRegionLoss! }))
      .toSorted((a, b) => (a.does < b.does ? 1 : -1)) // `restore` wins where two policies of an application differ
      .slice(0, 1),
  );
  if (answers.length === 0) return;
  const within = new Construct(scope, 'AnswersLoss');
  const target = machineArn(here, 'restore');
  const starting = role(within, 'region-loss', here, 'events.amazonaws.com', [
    { Effect: 'Allow', Action: ['states:StartExecution'], Resource: [target] },
  ]);
  for (const { application, does } of answers) {
    const { name, home } = application;
    const dryRun = does === 'propose';
    const next = dryRun
      ? `A plan to restore it here is in the ledger. To do it: npx stillpoint restore ${name} --vault ${vault!.name}`
      : `It is being restored here from its newest point: npx stillpoint status ${name}`;
    new CfnRule(within, name, {
      name: `stillpoint-region-loss-${name}`,
      description: `${dryRun ? 'Proposes' : 'Begins'} a restore of ${name} when its home region is in trouble`,
      eventPattern: troubleIn([home.region]),
      targets: [
        {
          id: 'restore',
          arn: target,
          roleArn: starting.attrArn,
          deadLetterConfig: { arn: dead.attrArn },
          input: JSON.stringify({ application: name, point: 'latest', dryRun }),
        },
        {
          id: 'tell',
          arn: topicArn,
          deadLetterConfig: { arn: dead.attrArn },
          inputTransformer: {
            inputPathsMap: { code: '$.detail.eventTypeCode' },
            inputTemplate: JSON.stringify(`AWS Health reports <code> in ${home.region}, where ${name} lives. ${next}`),
          },
        },
      ],
    });
  }
}

/** The stack of a place that only passes on. */
export function relayStack(app: App, deployment: Deployment): Stack {
  const { here } = deployment.around;
  const stack = new Stack(app, `${stackName(here, 'relay')}-${here.account}`, {
    stackName: stackName(here, 'relay'),
    env: here,
    description: 'Stillpoint: passes on what AWS Health says of other regions',
    terminationProtection: true,
  });
  relays(stack, deployment, deadLetters(stack, here));
  return stack;
}
