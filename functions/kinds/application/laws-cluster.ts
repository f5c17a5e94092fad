import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { calls } from '../../aws/call.ts';
import { when } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import type { Place } from '../../domain.ts';
import { connecting } from '../../kubernetes/client.ts';
import { waitFor } from '../proof.ts';

/** The cluster in which kinds of the application layer are proved. */
export const LAWS = 'laws';
const eks = calls('eks', EKSClient);

/** A cluster of the place's own, made once; its API server answers some minutes after it was asked for. */
export const lawsCluster = verb(
  { ...connecting, createCluster: eks.again(CreateClusterCommand) },
  async (aws, { account, region }: Place, { clock }): Promise<void> => {
    await aws
      .createCluster({
        name: LAWS,
        roleArn: `arn:aws:iam::${account}:role/eks-cluster`,
        resourcesVpcConfig: { subnetIds: ['subnet-0a', 'subnet-0b'] },
        accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true },
      })
      .catch(when('ResourceInUseException', () => undefined));
    await waitFor(clock, `Cluster ${LAWS} in ${region}`, async () => {
      const { cluster } = await aws.describeCluster({ name: LAWS });
      return cluster?.status === 'ACTIVE' || undefined;
    });
  },
);
