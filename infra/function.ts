import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { functionArn, functionName } from '../functions/vault/layout.ts';
import type { AnyStep } from '../functions/workflows/step.ts';
import { accessTo, intoNetwork, talksToClusters } from './clusters.ts';
import type { Deployment } from './deployment.ts';
import { stepRole } from './role.ts';

/** For how long lines of functions and machines are kept: longer than most incidents take to be noticed. */
export const LOG_DAYS = 90;

/** A step becomes a Lambda function with a role and a log of its own; nobody writes one by hand. */
export async function stepFunction(scope: Construct, step: AnyStep, deployment: Deployment): Promise<CfnFunction> {
  const { around, bundles } = deployment;
  const talks = await talksToClusters(step, deployment);
  const network = talks ? deployment.network : undefined;
  const within = new Construct(scope, step.name);
  const code = new Asset(within, 'Code', { path: bundles.get(step.name)!.folder });
  const role = await stepRole(within, step, around, network ? intoNetwork(functionArn(around.here, step.name)) : []);
  if (talks) accessTo(within, step, role, deployment);
  const log = new CfnLogGroup(within, 'Log', {
    logGroupName: `/aws/lambda/${functionName(step.name)}`,
    retentionInDays: LOG_DAYS,
  });
  const made = new CfnFunction(within, 'Function', {
    functionName: functionName(step.name),
    description: `Stillpoint: ${step.name}, whose one duty is ${step.duty}`,
    runtime: 'nodejs24.x',
    architectures: ['arm64'],
    handler: 'index.handler',
    code: { s3Bucket: code.s3BucketName, s3Key: code.s3ObjectKey },
    role: role.attrArn,
    timeout: step.limits.seconds,
    memorySize: step.limits.memoryMb,
    environment: { variables: { NODE_OPTIONS: '--enable-source-maps' } },
    tracingConfig: { mode: 'PassThrough' },
    ...(network ? { vpcConfig: { subnetIds: [...network.subnets], securityGroupIds: [...network.securityGroups] } } : {}),
  });
  made.addResourceDependency(log);
  return made;
}
