import { Stack } from 'aws-cdk-lib';
import { CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup, CfnMetricFilter } from 'aws-cdk-lib/aws-logs';
import { CfnTopic, CfnTopicPolicy } from 'aws-cdk-lib/aws-sns';
import type { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Place, Policy } from '../functions/domain.ts';
import { functionName, machineArn } from '../functions/vault/layout.ts';
import type { Workflow } from '../functions/workflows/asl.ts';
import { type Deployment, policiesOf } from './deployment.ts';

const NAMESPACE = 'Stillpoint';
const SEALED = 'PointsSealed';
/** CloudWatch looks back a day at most with periods below an hour, and seven days with longer ones (CloudWatch API, PutMetricAlarm). */
const STEPS = [
  { period: 300, upTo: 86_400 },
  { period: 3600, upTo: 604_800 },
];

/**
 * Alarms of a place, above all on the RPO: it rings when for so long nothing was sealed in this very ledger. Missing data counts as breaching, so
 * a vault rings too when home is dead and no longer says anything.
 */
export function watch(
  scope: Construct,
  workflows: readonly Workflow[],
  deployment: Deployment,
  dead: CfnQueue,
  key: CfnKey,
): CfnTopic {
  const within = new Construct(scope, 'Watch');
  const { configuration, around, residents, guests } = deployment;
  const { here } = around;
  const topic = alarmTopic(within, here, key);
  const alarm = (name: string, AlarmDescription: string, props: object): string => {
    const alarmName = `stillpoint-${name}`;
    new CfnAlarm(within, alarmName, {
      alarmName,
      alarmDescription: AlarmDescription,
      alarmActions: [topic.ref],
      okActions: [topic.ref],
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      evaluationPeriods: 1,
      period: 300,
      statistic: 'Sum',
      treatMissingData: 'notBreaching',
      ...props,
    });
    return `arn:aws:cloudwatch:${here.region}:${here.account}:alarm:${alarmName}`;
  };

  countSeals(within, workflows);
  const promised = [
    ...residents.flatMap(({ name }) => promises(name, policiesOf(configuration, name))),
    ...guests.flatMap(({ name }) =>
      promises(
        name,
        policiesOf(configuration, name).filter(({ vaults }) => vaults.includes(deployment.vault!.name)),
      ),
    ),
  ];
  const alarms = promised.map(({ application, policy, rpoSeconds }) =>
    alarm(
      `rpo-${application}-${policy}`,
      `No restore point of ${application} was sealed here within the RPO of ${policy}. See docs/runbook.md.`,
      {
        namespace: NAMESPACE,
        metricName: SEALED,
        dimensions: [{ name: 'application', value: application }],
        comparisonOperator: 'LessThanThreshold',
        threshold: 1,
        treatMissingData: 'breaching',
        ...periodsOf(rpoSeconds),
      },
    ),
  );
  for (const workflow of workflows) {
    alarms.push(
      alarm(`failed-${workflow.name}`, `An execution of ${workflow.name} failed; its history says why. See docs/runbook.md.`, {
        namespace: 'AWS/States',
        metricName: 'ExecutionsFailed',
        dimensions: [{ name: 'StateMachineArn', value: machineArn(here, workflow.name) }],
      }),
    );
  }
  alarms.push(
    alarm('dead-letters', 'A schedule or an event could not start what it should. See docs/runbook.md.', {
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensions: [{ name: 'QueueName', value: dead.attrQueueName }],
      statistic: 'Maximum',
    }),
  );
  dashboard(within, here, alarms, [...new Set(promised.map(({ application }) => application))]);
  return topic;
}

/** What a policy promises; the strictest where two policies promise for one application under one name. */
const promises = (application: string, policies: readonly Policy[]) =>
  policies.flatMap(({ name, rpoSeconds }) => (rpoSeconds === undefined ? [] : [{ application, policy: name, rpoSeconds }]));

/** A window that slides in small steps: every one of them empty means that nothing was sealed in all of it. */
function periodsOf(rpoSeconds: number): { period: number; evaluationPeriods: number } {
  const { period, upTo } = STEPS.find((step) => rpoSeconds <= step.upTo) ?? STEPS.at(-1)!;
  return { period, evaluationPeriods: Math.max(1, Math.floor(Math.min(rpoSeconds, upTo) / period)) };
}

/** Functions whose duty is to seal say so in one line of JSON, and CloudWatch counts those lines by application. */
function countSeals(scope: Construct, workflows: readonly Workflow[]): void {
  for (const step of workflows.flatMap(({ steps }) => steps).filter(({ duty }) => duty === 'seal')) {
    const logGroupName = `/aws/lambda/${functionName(step.name)}`;
    const filter = new CfnMetricFilter(scope, `Seals-${step.name}`, {
      logGroupName,
      filterPattern: '{ $.outcome = "done" }',
      metricTransformations: [
        {
          metricNamespace: NAMESPACE,
          metricName: SEALED,
          metricValue: '1',
          unit: 'Count',
          dimensions: [{ key: 'application', value: '$.application' }],
        },
      ],
    });
    for (const log of logsNamed(scope, logGroupName)) filter.addResourceDependency(log); // a name alone makes nobody wait
  }
}

const logsNamed = (scope: Construct, name: string): CfnLogGroup[] =>
  Stack.of(scope)
    .node.findAll()
    .filter((made): made is CfnLogGroup => made instanceof CfnLogGroup && made.logGroupName === name);

function alarmTopic(scope: Construct, { account, region }: Place, key: CfnKey): CfnTopic {
  const topic = new CfnTopic(scope, 'Topic', { topicName: 'stillpoint-alarms', kmsMasterKeyId: key.ref });
  const Resource = `arn:aws:sns:${region}:${account}:stillpoint-alarms`;
  new CfnTopicPolicy(scope, 'TopicPolicy', {
    topics: [topic.ref],
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
          Action: 'sns:Publish',
          Resource,
          Condition: { StringEquals: { 'aws:SourceAccount': account } },
        },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sns:Publish',
          Resource,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    },
  });
  return topic;
}

/** The least that a person wants to see at once: what rings, and what was sealed when. */
function dashboard(scope: Construct, { region }: Place, alarms: readonly string[], applications: readonly string[]): void {
  const widgets = [
    { type: 'alarm', x: 0, y: 0, width: 24, height: 4, properties: { title: 'Alarms', alarms } },
    {
      type: 'metric',
      x: 0,
      y: 4,
      width: 24,
      height: 6,
      properties: {
        title: 'Restore points sealed here',
        region,
        stat: 'Sum',
        period: 3600,
        metrics: applications.map((application) => [NAMESPACE, SEALED, 'application', application]),
      },
    },
  ].filter(({ type }) => type === 'alarm' || applications.length > 0);
  new CfnDashboard(scope, 'Dashboard', { dashboardName: `stillpoint-${region}`, dashboardBody: JSON.stringify({ widgets }) });
}
