import { DescribeDBClusterParameterGroupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { composed, verb } from '../../../aws/verb.ts';
import type { RestoreWork } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { lacking, lackingParameterGroup, lackingSubnetGroup, networkOf } from '../rds/groups.ts';
import { previewing } from '../rds/preview.ts';
import { isMine } from '../rds/restore.ts';
import { factsOf } from './cluster.ts';
import { clusters } from './clusters.ts';
import { looksAtMembers } from './discover.ts';
import { findMember, memberName } from './members.ts';
import { renamesOf } from './restore.ts';

/** Instances are made once the cluster is there, and take 5 to 15 minutes more (aws.md §4.5). */
const MEMBER_MINUTES = 15;

const lackingClusterGroup = verb(
  { clusterGroups: calls('rds', RDSClient).read(DescribeDBClusterParameterGroupsCommand) },
  (aws, work: RestoreWork) =>
    lacking(
      { what: 'cluster parameter group', name: factsOf(work.resource).parameterGroup },
      work,
      (DBClusterParameterGroupName) => aws.clusterGroups({ DBClusterParameterGroupName }),
      'DBParameterGroupNotFoundFault',
    ),
);

const lackingNames = verb(looksAtMembers, async (aws, work: RestoreWork): Promise<string[]> => {
  const taken: string[] = [];
  for (const member of factsOf(work.resource).members) {
    const name = memberName(member, work.restore);
    const there = await findMember(aws, name);
    if (there && !isMine(work, { tags: tagMap(there.TagList) }))
      taken.push(`A DB instance ${name} exists already in ${work.target.place.region}; give the restore another name.`);
  }
  return taken;
});

const lookAtTarget = composed(
  { networkOf, lackingClusterGroup, lackingParameterGroup, lackingSubnetGroup, lackingNames },
  async (aws, work: RestoreWork) => {
    const { parameterGroup, members } = factsOf(work.resource);
    const network = await aws.networkOf(work);
    const lacks = [
      ...(await aws.lackingClusterGroup(work)),
      ...(await aws.lackingSubnetGroup({ work, network })),
      ...(await aws.lackingNames(work)),
    ];
    for (const name of new Set(members.map(({ parameterGroup }) => parameterGroup)))
      lacks.push(...(await aws.lackingParameterGroup({ work, name })));
    return { binds: { ...(parameterGroup ? { DBClusterParameterGroupName: parameterGroup } : {}), ...network }, lacks };
  },
);

const LATER = 'known once made';

export const preview = previewing(clusters, {
  lookAtTarget,
  renamesOf: (work, name) =>
    renamesOf(work, name, {
      writer: LATER,
      reader: LATER,
      members: Object.fromEntries(factsOf(work.resource).members.map((member) => [member.name, LATER])),
    }),
  minutes: ({ resource }) => (factsOf(resource).members.length > 0 ? MEMBER_MINUTES : 0),
  rooms: [
    { quota: 'DBClusters', noun: 'DB clusters', needed: () => 1 },
    { quota: 'DBInstances', noun: 'DB instances', needed: ({ resource }) => factsOf(resource).members.length },
  ],
});
