import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { AnyStep } from '../functions/workflows/step.ts';
import type { Deployment } from './deployment.ts';
import { askedBy, type Statement } from './role.ts';
import { CONNECTS } from './scope.ts';

/** Reading a namespace includes its Secrets, which are enveloped before they leave the function (EKS guide, "Review access policy permissions"). */
const READS = 'AmazonEKSAdminViewPolicy';
/** What is restored may be of any type, cluster-wide ones too. */
const RESTORES = 'AmazonEKSClusterAdminPolicy';

/** Whether a step talks to clusters. */
export const talksToClusters = async (step: AnyStep, { around }: Deployment): Promise<boolean> =>
  (await askedBy(step, around)).some(({ action }) => action === CONNECTS);

/** A function that talks to clusters is let in to those that the configuration names, by access entries (the cluster's mode must be API or API_AND_CONFIG_MAP). */
export function accessTo(scope: Construct, step: AnyStep, role: CfnRole, { clusters }: Deployment): void {
  for (const clusterName of clusters) {
    new CfnAccessEntry(scope, `Access-${clusterName}`, {
      clusterName,
      principalArn: role.attrArn,
      accessPolicies: [
        {
          policyArn: `arn:aws:eks::aws:cluster-access-policy/${step.duty === 'restore' ? RESTORES : READS}`,
          accessScope: { type: 'cluster' },
        },
      ],
    });
  }
}

/** What Lambda does with a function's role to put it into a VPC (Lambda guide, "Giving Lambda functions access to resources in an Amazon VPC"). */
const INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/** Lambda may, the function's own code may not: its requests bear the function's ARN (same page, "Best practices"). */
export const intoNetwork = (functionArn: string): Statement[] => [
  { Effect: 'Allow', Action: INTERFACES, Resource: ['*'] },
  { Effect: 'Deny', Action: INTERFACES, Resource: ['*'], Condition: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } } },
];
