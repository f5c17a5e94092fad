import type * as SDK from '@aws-sdk/client-rds';
import { operations, refuse } from '../../../world/service.ts';
import type { ParameterGroup } from '../groups/group.ts';
import { standard } from '../groups/parameter-groups.ts';
import { identifier, paged } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';

/** Aurora guide, "Quotas and constraints". */
const MOST = 50;

const find = (name: string | undefined, state: RdsState): ParameterGroup =>
  (name?.startsWith('default.') ? standard(name) : state.clusterParameterGroups.get(name ?? '')) ??
  refuse('DBParameterGroupNotFoundFault', `DBClusterParameterGroup not found: ${name}`, { status: 404 });

const describe = ({ name, family, description }: ParameterGroup, state: RdsState): SDK.DBClusterParameterGroup => ({
  DBClusterParameterGroupName: name,
  DBParameterGroupFamily: family,
  Description: description,
  DBClusterParameterGroupArn: state.arn('cluster-pg', name),
});

export const clusterParameterGroups = operations<typeof SDK, RdsState>()({
  CreateDBClusterParameterGroup(input, { state }) {
    const { DBClusterParameterGroupName, DBParameterGroupFamily: family = '', Description: description = '', Tags } = input;
    const name = identifier(DBClusterParameterGroupName, 'DBClusterParameterGroupName', 255);
    if (state.clusterParameterGroups.has(name))
      refuse('DBParameterGroupAlreadyExistsFault', `Parameter group ${name} already exists`);
    if (!standard(`default.${family}`))
      refuse('InvalidParameterValue', `ParameterGroupFamily ${family} is not a valid parameter group family`);
    if (state.clusterParameterGroups.size >= MOST)
      refuse('DBParameterGroupQuotaExceededFault', `Cannot create more than ${MOST} parameter groups`);
    const group = { name, family, description, parameters: new Map<string, string>(), tags: tagsOf(Tags) };
    state.clusterParameterGroups.set(name, group);
    return { DBClusterParameterGroup: describe(group, state) };
  },

  DescribeDBClusterParameterGroups({ DBClusterParameterGroupName, ...paging }, { state }) {
    const all = DBClusterParameterGroupName
      ? [find(DBClusterParameterGroupName, state)]
      : [...state.clusterParameterGroups.values()];
    const { page, ...next } = paged(all, paging);
    return { DBClusterParameterGroups: page.map((group) => describe(group, state)), ...next };
  },

  DeleteDBClusterParameterGroup({ DBClusterParameterGroupName }, { state }) {
    const { name } = find(DBClusterParameterGroupName, state);
    const used = [...state.clusters.values()].some(({ settings }) => settings.parameterGroup === name);
    if (name.startsWith('default.') || used)
      refuse('InvalidDBParameterGroupStateFault', `One or more DB clusters still use the parameter group ${name}.`);
    state.clusterParameterGroups.delete(name);
    return {};
  },
});
