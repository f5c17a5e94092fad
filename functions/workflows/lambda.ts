import type { Call, Places } from '../aws/call.ts';
import { type Clock, systemClock } from '../aws/clock.ts';
import { classify, Permanent } from '../aws/errors.ts';
import type { Transport } from '../aws/transport.ts';
import { open } from '../aws/verb.ts';
import type { Configuration } from '../configuration/schema.ts';
import { type Application, type Place, samePlace, type Vault } from '../domain.ts';
import { kinds as registry } from '../kinds/index.ts';
import { type AnyStep, holds, kindVerb, type OpenedKind, type Request, type Stage } from './step.ts';

/** What a deployed function knows besides its step: where it runs, what is configured, and how to reach AWS. */
export interface Environment {
  readonly place: Place;
  readonly configuration: Configuration;
  readonly transport: Transport;
  /** The version of the code, written into every record. */
  readonly code: string;
  /** Where one line per invocation goes; it names what was done and never what was in it. */
  readonly log?: (line: object) => void;
}

/** Lambda's context, as far as it is used. The local Lambda adds its clock; AWS has none to add. */
export interface Context {
  readonly awsRequestId: string;
  readonly clock?: Clock;
}

/** A step as a Lambda handler: doors opened at the right places, errors thrown under the names that Retry and Catch know. */
export const handlerOf =
  (step: AnyStep, environment: Environment) =>
  async (event: Request, context: Context): Promise<unknown> => {
    const clock = context.clock ?? systemClock;
    const began = clock.now();
    const { transport, calls } = counted(environment.transport);
    const log = (outcome: object) =>
      environment.log?.({
        step: step.name,
        application: event.application,
        owner: event.owner,
        request: context.awsRequestId,
        millis: clock.now() - began,
        calls: calls(),
        ...outcome,
      });
    try {
      const stage = stageOf(step, event, { ...environment, transport }, clock);
      const use = Object.fromEntries(
        Object.entries(step.uses).map(([name, verb]) => [name, open(verb as never, stage.transport, clock, placesOf(stage))]),
      );
      const answer = await step.run(use, event, stage);
      log({ outcome: 'done' });
      return answer;
    } catch (error) {
      const classified = classify(error);
      log({ outcome: classified.name, why: classified.message });
      throw classified;
    }
  };

/** A transport that counts what is asked of AWS through it: what an invocation logs as its calls. Requests to clusters are not AWS's. */
function counted(transport: Transport): { transport: Transport; calls: () => number } {
  let calls = 0;
  const send: Transport['send'] = (request) => {
    calls++;
    return transport.send(request);
  };
  return { transport: { ...transport, send }, calls: () => calls };
}

function stageOf(step: AnyStep, event: Request, { place, configuration, transport, code }: Environment, clock: Clock): Stage {
  const application = configuration.applications[event.application];
  if (!application)
    throw new Permanent(
      `There is no application "${event.application}" in the deployed configuration; name one of ${names(configuration)}.`,
    );
  const scene = { here: place, home: application.home, clock, transport };
  const opened = async (name: string): Promise<OpenedKind> => {
    const kind = await registry[name]?.();
    if (!kind) throw new Permanent(`There is no kind "${name}"; this code protects ${Object.keys(registry).join(', ')}.`);
    return {
      name: kind.name,
      layer: kind.layer,
      cut: kind.cut,
      ...(kind.leastSeconds === undefined ? {} : { leastSeconds: kind.leastSeconds }),
      loses: kind.loses,
      open: (verb) => {
        if (!holds(step, verb, kind)) throw new TypeError(`${step.name} does not declare the verb ${verb} of ${kind.name}.`);
        return open(kindVerb(kind, verb), transport, clock, placesOf(scene));
      },
    };
  };
  return {
    ...scene,
    configuration,
    code,
    application,
    vault: vaultAt(configuration, application, place),
    kind: opened,
    kinds: () => Promise.all(Object.keys(registry).map(opened)),
  };
}

const placesOf = ({ here, home }: Pick<Stage, 'here' | 'home'>): Places => ({ here, home }) satisfies Record<Call['at'], Place>;
const names = (configuration: Configuration): string => Object.keys(configuration.applications).join(', ');

/** The configured vault at a place; where the application lives, home's own: unlocked, nearest, first. */
export function vaultAt(configuration: Configuration, application: Application, place: Place): Vault {
  if (samePlace(place, application.home)) return homeVault(application);
  const vault = Object.values(configuration.vaults).find((candidate) => samePlace(candidate.place, place));
  if (!vault)
    throw new Permanent(
      `There is no vault in ${place.account}/${place.region}; add one under \`vaults\` in stillpoint.yaml and deploy again.`,
    );
  return vault;
}

export const homeVault = ({ home, cluster }: Application): Vault => ({
  name: 'home',
  place: home,
  target: { place: home, ...(cluster === undefined ? {} : { cluster }), subnets: [], securityGroups: [], zones: [] },
});
