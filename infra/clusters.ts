import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { AnyStep } from '../functions/workflows/step.ts';
import type { Deployment } from './deployment.ts';
import { askedBy } from './role.ts';
import { CONNECTS } from './scope.ts';

/** Reading a namespace includes its Secrets, which are enveloped before they leave the function (EKS guide, "Review access policy permissions"). */
const READS = 'AmazonEKSAdminViewPolicy';
/** What is restored may be of any type, cluster-wide ones too. */
const RESTORES = 'AmazonEKSClusterAdminPolicy';

/** A function that talks to clusters is let in to those that the configuration names, by access entries (the cluster's mode must be API or API_AND_CONFIG_MAP). */
export async function accessTo(scope: Construct, step: AnyStep, role: CfnRole, { around, clusters }: Deployment): Promise<void> {
  if (!(await askedBy(step, around)).some(({ action }) => action === CONNECTS)) return;
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
