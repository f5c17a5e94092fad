import { DescribeOptionGroupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { composed, verb } from '../../../aws/verb.ts';
import type { RestoreWork } from '../../kind.ts';
import { lacking, lackingParameterGroup, lackingSubnetGroup, networkOf } from '../rds/groups.ts';
import { previewing } from '../rds/preview.ts';
import { factsOf } from './instance.ts';
import { instances } from './instances.ts';
import { renamesOf } from './restore.ts';

const GIGABYTES_A_MINUTE = 20;

const lackingOptionGroup = verb(
  { optionGroups: calls('rds', RDSClient).read(DescribeOptionGroupsCommand) },
  (aws, work: RestoreWork) =>
    lacking(
      { what: 'option group', name: factsOf(work.resource).optionGroup },
      work,
      (OptionGroupName) => aws.optionGroups({ OptionGroupName }),
      'OptionGroupNotFoundFault',
    ),
);

const lookAtTarget = composed(
  { networkOf, lackingParameterGroup, lackingOptionGroup, lackingSubnetGroup },
  async (aws, work: RestoreWork) => {
    const { parameterGroup, optionGroup } = factsOf(work.resource);
    const network = await aws.networkOf(work);
    return {
      binds: {
        ...(parameterGroup ? { DBParameterGroupName: parameterGroup } : {}),
        ...(optionGroup ? { OptionGroupName: optionGroup } : {}),
        ...network,
      },
      lacks: [
        ...(await aws.lackingParameterGroup({ work, name: parameterGroup })),
        ...(await aws.lackingOptionGroup(work)),
        ...(await aws.lackingSubnetGroup({ work, network })),
      ],
    };
  },
);

export const preview = previewing(instances, {
  lookAtTarget,
  renamesOf: (work, name) => renamesOf(work, name, 'known once made'),
  minutes: ({ resource }) => factsOf(resource).gigabytes / GIGABYTES_A_MINUTE,
  rooms: [{ quota: 'DBInstances', noun: 'DB instances', needed: () => 1 }],
});
