import type { Configuration } from '../../functions/configuration/schema.ts';
import { executionName, slotOf } from '../../functions/decide/slot.ts';
import type { Application, Policy } from '../../functions/domain.ts';
import { readLastAttempt } from '../../functions/vault/ledger.ts';
import { start, wait } from '../executions.ts';
import { bar, Complaint, EXIT, good, type Output } from '../output.ts';
import { applicationIn, at, configurationFrom, findTarget, mayWrite } from '../target.ts';

interface Options {
  readonly config: string;
  readonly policy?: string;
  readonly wait: 'sealed' | 'cut' | 'none';
  readonly yes?: boolean;
  readonly for?: string;
}

/** Takes a restore point now. Waits until it is sealed, or only until its cut is taken (which is when a deployment may go on). */
export async function protect(name: string | undefined, options: Options, output: Output): Promise<void> {
  const configuration = await configurationFrom(options.config);
  const application = applicationIn(configuration, name);
  const policy = policyFor(configuration, application, options.policy);
  const target = await findTarget(configuration, output);
  await mayWrite(target, `take a restore point of "${application.name}"`, options.yes);
  const due = new Date(await target.now()).toISOString();
  const slot = slotOf(due, 'manual');
  const input = {
    application: application.name,
    policy: policy.name,
    trigger: 'person',
    due,
    asker: 'manual',
    ...(options.for ? { askedBy: options.for } : {}),
  };
  const arn = await start(target, application.home, { workflow: 'protect', name: executionName(application.name, slot), input });
  output.say(`Started ${arn}`);
  if (options.wait === 'none')
    return output.result({ application: application.name, slot, execution: arn }, [`${slot} is being taken.`]);

  const attempt = () => at(target, application.home)(readLastAttempt)({ application: application.name, slot });
  let cut: string | undefined;
  const ended = await wait(target, application.home, arn, async () => {
    const last = await attempt();
    const items = last?.progress?.items ?? [];
    const done = items.filter(({ state }) => state === 'done').length;
    cut = last?.progress?.cut?.instant;
    output.progress(bar(done, last?.plan.resources.length ?? 0, cut === undefined ? 'waiting for the cut' : `cut at ${cut}`));
    return options.wait === 'cut' && cut !== undefined;
  });
  output.settle();
  if (!ended)
    return output.result({ application: application.name, slot, execution: arn, instant: cut }, [
      `The cut was taken at ${cut}; what must come after it may go on.`,
    ]);
  const last = await attempt();
  const outcome = last?.outcome;
  if (ended.status !== 'SUCCEEDED' || outcome?.status !== 'sealed') {
    throw new Complaint(
      `No restore point was sealed: ${outcome?.status === 'abandoned' ? outcome.because : (ended.cause ?? ended.error ?? ended.status)}`,
    );
  }
  output.result(
    {
      application: application.name,
      point: `${outcome.slot}/${outcome.attempt}`,
      instant: outcome.instant,
      consistency: outcome.consistency,
      skewSeconds: outcome.skewSeconds,
      because: outcome.because,
      notes: outcome.notes,
      execution: arn,
    },
    [
      `${good('Sealed')} ${outcome.slot}/${outcome.attempt}: ${outcome.consistency} at ${outcome.instant}, skew ${outcome.skewSeconds} s, ${outcome.artifacts.length} artifacts.`,
      ...(outcome.consistency === 'application-consistent' ? [] : outcome.because),
      ...outcome.notes,
    ],
  );
}

function policyFor({ policies }: Configuration, { name: application }: Application, wanted: string | undefined): Policy {
  const own = Object.values(policies).filter(({ applications }) => applications.includes(application));
  const found = wanted === undefined ? (own.length === 1 ? own[0] : undefined) : own.find(({ name }) => name === wanted);
  if (found) return found;
  const names = own.map(({ name }) => name).join(', ');
  if (own.length === 0)
    throw new Complaint(`No policy protects "${application}"; add one under \`policies\` in stillpoint.yaml.`, EXIT.usage);
  throw new Complaint(
    wanted === undefined
      ? `Say which policy with --policy: ${names}.`
      : `"${application}" has no policy "${wanted}"; it has ${names}.`,
    EXIT.usage,
  );
}
