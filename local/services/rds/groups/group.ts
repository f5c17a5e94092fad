import { type Context, refuse } from '../../../world/service.ts';
import { defaultOptionGroup, defaultParameterGroup, engineNamed, majorVersion } from '../engines.ts';
import type { Tags } from '../instance.ts';
import type { RdsState } from '../state.ts';

export interface ParameterGroup {
  readonly name: string;
  readonly family: string;
  readonly description: string;
  readonly parameters: Map<string, string>;
  tags: Tags;
}

export interface SubnetGroup {
  readonly name: string;
  readonly description: string;
  readonly vpc: string | undefined;
  subnets: readonly { readonly id: string; readonly zone: string }[];
  tags: Tags;
}

export interface OptionGroup {
  readonly name: string;
  readonly engine: string;
  readonly majorVersion: string;
  readonly description: string;
  tags: Tags;
}

interface Wanted {
  readonly engine: string;
  readonly version: string;
}

/** The parameter group of an instance: one that is there and is of the engine's family; the family's default is always there. */
export function parameterGroupFor(
  name: string | undefined,
  { engine, version }: Wanted,
  { state }: Context<RdsState>,
  among: ReadonlyMap<string, ParameterGroup> = state.parameterGroups,
  unknown = 'DBParameterGroupNotFoundFault',
): string {
  const standard = defaultParameterGroup(engine, version);
  if (name === undefined || name === standard) return standard;
  const group = among.get(name);
  if (!group) return refuse(unknown, `${unknown.replace(/NotFoundFault$/, '')} not found: ${name}`, { status: 404 });
  if (group.family !== engineNamed(engine).family(version))
    refuse(
      'InvalidParameterCombination',
      `The parameter group ${name} with DBParameterGroupFamily ${group.family} can't be used for this instance. Use a parameter group with DBParameterGroupFamily ${engineNamed(engine).family(version)}.`,
    );
  return name;
}

export function optionGroupFor(name: string | undefined, { engine, version }: Wanted, { state }: Context<RdsState>): string {
  const standard = defaultOptionGroup(engine, version);
  if (name === undefined || name === standard) return standard;
  const group = state.optionGroups.get(name);
  if (!group) return refuse('OptionGroupNotFoundFault', `Specified OptionGroupName: ${name} not found.`, { status: 404 });
  if (group.engine !== engine || group.majorVersion !== majorVersion(engine, version))
    refuse('InvalidParameterCombination', `The option group ${name} is not for ${engine} ${version}.`);
  return name;
}

/** `default` is the subnet group of the default VPC, which every account has (RDS guide, "Working with a DB instance in a VPC"). */
export function subnetGroupFor(name: string | undefined, { state }: Context<RdsState>): string {
  if (name === undefined || name === 'default') return 'default';
  return (
    state.subnetGroups.get(name)?.name ??
    refuse('DBSubnetGroupNotFoundFault', `DBSubnetGroup '${name}' doesn't exist`, { status: 404 })
  );
}
