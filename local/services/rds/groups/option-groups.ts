import type * as SDK from '@aws-sdk/client-rds';
import { operations, refuse } from '../../../world/service.ts';
import { ENGINES, majorVersion } from '../engines.ts';
import { identifier, paged } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import type { OptionGroup } from './group.ts';

/** RDS guide, "Quotas and constraints". */
const MOST = 20;

const describe = (group: OptionGroup, state: RdsState): SDK.OptionGroup => ({
  OptionGroupName: group.name,
  OptionGroupDescription: group.description,
  EngineName: group.engine,
  MajorEngineVersion: group.majorVersion,
  Options: [],
  OptionGroupArn: state.arn('og', group.name),
});

/** `default:postgres-16`: the default groups are there for every engine. */
function standard(name: string | undefined): OptionGroup | undefined {
  for (const [engine, { versions }] of Object.entries(ENGINES)) {
    for (const version of versions) {
      const major = majorVersion(engine, version);
      if (name === `default:${engine}-${major.replaceAll('.', '-')}`)
        return { name, engine, majorVersion: major, description: `Default option group for ${engine} ${major}`, tags: {} };
    }
  }
  return undefined;
}

const find = (name: string | undefined, state: RdsState): OptionGroup =>
  standard(name) ??
  state.optionGroups.get(name ?? '') ??
  refuse('OptionGroupNotFoundFault', `Specified OptionGroupName: ${name} not found.`, { status: 404 });

/** Option groups are names for which an engine must match; no option means anything here. */
export const optionGroups = operations<typeof SDK, RdsState>()({
  CreateOptionGroup({ OptionGroupName, EngineName = '', MajorEngineVersion = '', OptionGroupDescription = '', Tags }, { state }) {
    const name = identifier(OptionGroupName, 'OptionGroupName', 255);
    if (state.optionGroups.has(name)) refuse('OptionGroupAlreadyExistsFault', `Option group ${name} already exists.`);
    if (!ENGINES[EngineName]?.versions.some((version) => majorVersion(EngineName, version) === MajorEngineVersion))
      refuse('InvalidParameterCombination', `Invalid engine ${EngineName} ${MajorEngineVersion}`);
    if (state.optionGroups.size >= MOST) refuse('OptionGroupQuotaExceededFault', `Cannot create more than ${MOST} option groups`);
    const group = {
      name,
      engine: EngineName,
      majorVersion: MajorEngineVersion,
      description: OptionGroupDescription,
      tags: tagsOf(Tags),
    };
    state.optionGroups.set(name, group);
    return { OptionGroup: describe(group, state) };
  },

  DescribeOptionGroups({ OptionGroupName, ...paging }, { state }) {
    const all = OptionGroupName ? [find(OptionGroupName, state)] : [...state.optionGroups.values()];
    const { page, ...next } = paged(all, paging);
    return { OptionGroupsList: page.map((group) => describe(group, state)), ...next };
  },

  DeleteOptionGroup({ OptionGroupName }, { state }) {
    const { name } = find(OptionGroupName, state);
    const used = [...state.instances.values(), ...state.snapshots.values()].some(({ settings }) => settings.optionGroup === name);
    if (used || name.startsWith('default:'))
      refuse('InvalidOptionGroupStateFault', `The option group '${name}' cannot be deleted because it is in use.`);
    state.optionGroups.delete(name);
    return {};
  },
});
