import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { functionArn, machineName } from '../functions/vault/layout.ts';
import { definitionOf, type Workflow } from '../functions/workflows/asl.ts';
import type { Deployment } from './deployment.ts';
import { LOG_DAYS, stepFunction } from './function.ts';
import { role, type Statement } from './role.ts';

/** A workflow becomes a state machine, its steps the functions that it may invoke and no others. The definition is the one that is tested. */
export async function machine(scope: Construct, workflow: Workflow, deployment: Deployment): Promise<CfnStateMachine> {
  const { here } = deployment.around;
  const within = new Construct(scope, workflow.name);
  const functions = [];
  for (const step of workflow.steps) functions.push(await stepFunction(within, step, deployment));
  const log = new CfnLogGroup(within, 'Log', {
    logGroupName: `/aws/vendedlogs/states/${machineName(workflow.name)}`,
    retentionInDays: LOG_DAYS,
  });
  const runs = role(within, workflow.name, here, 'states.amazonaws.com', [
    { Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: workflow.steps.map(({ name }) => functionArn(here, name)) },
    ...WATCHED,
  ]);
  const made = new CfnStateMachine(within, 'Machine', {
    stateMachineName: machineName(workflow.name),
    stateMachineType: 'STANDARD',
    definitionString: JSON.stringify(definitionOf(workflow)),
    roleArn: runs.attrArn,
    // what is carried names an application and a point and no secret; still, a log need not have it
    loggingConfiguration: {
      level: 'ALL',
      includeExecutionData: false,
      destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: log.attrArn } }],
    },
    tracingConfiguration: { enabled: true },
  });
  for (const one of functions) made.addResourceDependency(one);
  return made;
}

/** Delivering logs and traces has no resources to name (Step Functions guide, "Using CloudWatch Logs to log execution history", "X-Ray"). */
const WATCHED: readonly Statement[] = [
  {
    Effect: 'Allow',
    Action: [
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
    ],
    Resource: ['*'],
  },
  {
    Effect: 'Allow',
    Action: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    Resource: ['*'],
  },
];
