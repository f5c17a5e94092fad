import type * as SDK from '@aws-sdk/client-rds';
import { operations, refuse } from '../../../world/service.ts';
import { ENGINES } from '../engines.ts';
import { identifier, paged } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import type { ParameterGroup } from './group.ts';

/** RDS guide, "Quotas and constraints". */
const MOST = 50;

const find = (name: string | undefined, state: RdsState): ParameterGroup =>
  (name?.startsWith('default.') ? standard(name) : state.parameterGroups.get(name ?? '')) ??
  refuse('DBParameterGroupNotFoundFault', `DBParameterGroup not found: ${name}`, { status: 404 });

/** The default groups of every family are there and cannot be changed (RDS guide, "Working with parameter groups"). */
export function standard(name: string): ParameterGroup | undefined {
  const family = name.slice('default.'.length);
  const known = Object.values(ENGINES).some((engine) => engine.versions.some((version) => engine.family(version) === family));
  return known
    ? { name, family, description: `Default parameter group for ${family}`, parameters: new Map(), tags: {} }
    : undefined;
}

const describe = ({ name, family, description }: ParameterGroup, state: RdsState): SDK.DBParameterGroup => ({
  DBParameterGroupName: name,
  DBParameterGroupFamily: family,
  Description: description,
  DBParameterGroupArn: state.arn('pg', name),
});

const usedBy = (name: string, state: RdsState): boolean =>
  [...state.instances.values()].some(({ settings }) => settings.parameterGroup === name);

export const parameterGroups = operations<typeof SDK, RdsState>()({
  CreateDBParameterGroup({ DBParameterGroupName, DBParameterGroupFamily = '', Description = '', Tags }, { state }) {
    const name = identifier(DBParameterGroupName, 'DBParameterGroupName', 255);
    if (state.parameterGroups.has(name)) refuse('DBParameterGroupAlreadyExistsFault', `Parameter group ${name} already exists`);
    if (!standard(`default.${DBParameterGroupFamily}`))
      refuse('InvalidParameterValue', `ParameterGroupFamily ${DBParameterGroupFamily} is not a valid parameter group family`);
    if (state.parameterGroups.size >= MOST)
      refuse('DBParameterGroupQuotaExceededFault', `Cannot create more than ${MOST} parameter groups`);
    const group = {
      name,
      family: DBParameterGroupFamily,
      description: Description,
      parameters: new Map<string, string>(),
      tags: tagsOf(Tags),
    };
    state.parameterGroups.set(name, group);
    return { DBParameterGroup: describe(group, state) };
  },

  DescribeDBParameterGroups({ DBParameterGroupName, ...paging }, { state }) {
    const all = DBParameterGroupName ? [find(DBParameterGroupName, state)] : [...state.parameterGroups.values()];
    const { page, ...next } = paged(all, paging);
    return { DBParameterGroups: page.map((group) => describe(group, state)), ...next };
  },

  ModifyDBParameterGroup({ DBParameterGroupName, Parameters = [] }, { state }) {
    const group = find(DBParameterGroupName, state);
    if (group.name.startsWith('default.'))
      refuse('InvalidDBParameterGroupStateFault', `Default parameter groups cannot be modified: ${group.name}`);
    for (const { ParameterName = '', ParameterValue = '' } of Parameters) group.parameters.set(ParameterName, ParameterValue);
    return { DBParameterGroupName: group.name };
  },

  /** Only what a user has set; the defaults of an engine are many and none of them means anything here. */
  DescribeDBParameters({ DBParameterGroupName, ...paging }, { state }) {
    const set = [...find(DBParameterGroupName, state).parameters];
    const { page, ...next } = paged(set, paging);
    const Parameters = page.map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue, Source: 'user' }));
    return { Parameters, ...next };
  },

  DeleteDBParameterGroup({ DBParameterGroupName }, { state }) {
    const { name } = find(DBParameterGroupName, state);
    if (name.startsWith('default.') || usedBy(name, state))
      refuse(
        'InvalidDBParameterGroupStateFault',
        `One or more database instances are still members of this parameter group ${name}, so the group cannot be deleted`,
      );
    state.parameterGroups.delete(name);
    return {};
  },
});
