import type * as SDK from '@aws-sdk/client-cloudformation';
import { Refusal } from '../../world/service.ts';
import { invalid, type Parameter, type Template } from './template.ts';

/** A parameter's value as it was given, and what it stands for where it names a parameter of Systems Manager. */
export interface Given {
  readonly written: string;
  readonly value: string | readonly string[];
  readonly noEcho: boolean;
}

export type Parameters = Readonly<Record<string, Given>>;

type Ask = (name: string) => Promise<string>;

const SSM = /^AWS::SSM::Parameter::Value<(.+)>$/;
const LIST = /^(CommaDelimitedList|List<.+>)$/;

/** Every parameter's value: as given, as it was before, or its default. Refuses what AWS refuses before anything is made. */
export async function parametersFor(
  { Parameters = {} }: Template,
  given: readonly SDK.Parameter[],
  before: Parameters,
  ask: Ask,
): Promise<Parameters> {
  const unknown = given.map(({ ParameterKey }) => ParameterKey as string).filter((key) => !Object.hasOwn(Parameters, key));
  if (unknown.length > 0) invalid(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const written = Object.entries(Parameters).map(
    ([name, parameter]) => [name, parameter, writtenFor(name, parameter, given, before)] as const,
  );
  const missing = written.filter(([, , text]) => text === undefined).map(([name]) => name);
  if (missing.length > 0) invalid(`Parameters: [${missing.join(', ')}] must have values`);
  const found: Record<string, Given> = {};
  for (const [name, parameter, text] of written) {
    check(name, parameter, text!);
    found[name] = { written: text!, value: await lookedUp(parameter.Type, text!, ask), noEcho: parameter.NoEcho === true };
  }
  return found;
}

function writtenFor(
  name: string,
  { Default }: Parameter,
  given: readonly SDK.Parameter[],
  before: Parameters,
): string | undefined {
  const one = given.find(({ ParameterKey }) => ParameterKey === name);
  if (one?.UsePreviousValue) return before[name]?.written;
  return one?.ParameterValue ?? (Default === undefined ? undefined : String(Default));
}

function check(name: string, { AllowedValues, AllowedPattern, ConstraintDescription, Type }: Parameter, text: string): void {
  if (AllowedValues && !AllowedValues.map(String).includes(text)) invalid(`Parameter '${name}' must be one of AllowedValues`);
  if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(text))
    invalid(
      `Parameter '${name}' must match pattern ${AllowedPattern}${ConstraintDescription ? `: ${ConstraintDescription}` : ''}`,
    );
  if (Type === 'Number' && !Number.isFinite(Number(text))) invalid(`Parameter '${name}' must be a number.`);
}

async function lookedUp(type: string, text: string, ask: Ask): Promise<Given['value']> {
  const stored = SSM.exec(type)?.[1];
  if (stored !== undefined) return listed(stored, await ask(text).catch((error: unknown) => notStored(text, error)));
  return listed(type, text);
}

const listed = (type: string, text: string): Given['value'] =>
  LIST.test(type) ? (text === '' ? [''] : text.split(',').map((one) => one.trim())) : text;

const notStored = (name: string, error: unknown): never => {
  if (!(error instanceof Refusal) || error.code !== 'ParameterNotFound') throw error;
  return invalid(`Unable to fetch parameters [${name}] from parameter store for this account.`);
};

export const valuesOf = (parameters: Parameters): Record<string, unknown> =>
  Object.fromEntries(Object.entries(parameters).map(([name, { value }]) => [name, value]));

export const described = (parameters: Parameters): SDK.Parameter[] =>
  Object.entries(parameters).map(([ParameterKey, { written, value, noEcho }]) => ({
    ParameterKey,
    ParameterValue: noEcho ? '****' : written,
    ...(value === written || Array.isArray(value) ? {} : { ResolvedValue: value as string }),
  }));
