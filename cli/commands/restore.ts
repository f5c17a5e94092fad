import { createHash } from 'node:crypto';
import { type Preview, type Report, type RestorePlan, samePlace, type Vault } from '../../functions/domain.ts';
import { listSealed } from '../../functions/vault/ledger.ts';
import { readRestore } from '../../functions/vault/restores.ts';
import { start, wait } from '../executions.ts';
import { bad, bar, Complaint, duration, EXIT, good, type Output, table } from '../output.ts';
import {
  applicationIn,
  at,
  configurationFrom,
  findTarget,
  firstReachable,
  mayWrite,
  type Target,
  vaultNamed,
  vaultsFor,
} from '../target.ts';

interface Options {
  readonly config: string;
  readonly point: string;
  readonly vault?: string;
  readonly plan?: boolean;
  readonly name?: string;
  readonly cluster?: string;
  readonly namespace?: readonly string[];
  readonly yes?: boolean;
}

/** Restores a point of a vault into that vault's target, beside whatever is there. With --plan it shows what would happen and changes nothing. */
export async function restore(name: string | undefined, options: Options, output: Output): Promise<void> {
  const configuration = await configurationFrom(options.config);
  const application = applicationIn(configuration, name);
  const target = await findTarget(configuration, output);
  const vaults =
    options.vault === undefined ? vaultsFor(configuration, application) : [vaultNamed(configuration, application, options.vault)];
  const { vault } = await firstReachable(vaults, output, ({ place }) =>
    at(target, place, application.home)(listSealed)({ application: application.name, last: 1 }),
  );
  output.say(`Vault: "${vault.name}" (${vault.place.account}/${vault.place.region})`);

  const id =
    options.name ??
    `r${createHash('sha256')
      .update(`${application.name}${await target.now()}`)
      .digest('hex')
      .slice(0, 6)}`;
  const asked = {
    application: application.name,
    point: options.point,
    namespaces: namespacesIn(options.namespace ?? []),
    ...(options.cluster === undefined ? {} : { target: { cluster: options.cluster } }),
  };
  const record = `plan-${id}-${(await target.now()).toString(36)}`;
  const plan = await planned(target, vault, { ...asked, restore: id, record }, output);
  if (options.plan) return output.result(plan, describePlan(plan));
  for (const line of describePlan(plan)) output.say(line);
  if (plan.lacks.length > 0) throw new Complaint(`Nothing was made: the target lacks ${plan.lacks.length} things, named above.`);
  await mayWrite(target, `restore ${plan.point.slot}/${plan.point.attempt} into ${vault.place.region}`, options.yes);

  const arn = await start(target, vault.place, {
    workflow: 'restore',
    name: `restore-${application.name}-${id}`.slice(0, 80),
    input: { ...asked, point: `${plan.point.slot}/${plan.point.attempt}`, restore: id },
  });
  const read = () => at(target, vault.place)(readRestore)({ application: application.name, restore: id }).catch(() => undefined);
  const ended = await wait(target, vault.place, arn, async () => {
    const progress = (await read())?.progress;
    const done = progress?.items.filter(({ state }) => state === 'done').length ?? 0;
    output.progress(bar(done, plan.previews.length, progress?.marks.at(-1)?.name ?? 'Plan'));
    return undefined;
  });
  output.settle();
  const report = (await read())?.report;
  if (!report) throw new Complaint(`The restore ended without a report: ${ended?.cause ?? ended?.error ?? ended?.status}`);
  output.result(report, describeReport(report));
  if (report.status === 'failed') throw new Complaint('The restore failed; the report names everything that it made.');
}

async function planned(
  target: Target,
  vault: Vault,
  input: { application: string; restore: string; record: string },
  output: Output,
): Promise<RestorePlan> {
  const arn = await start(target, vault.place, {
    workflow: 'restore',
    name: `${input.record}-${input.application}`.slice(0, 80),
    input: { ...input, dryRun: true },
  });
  const ended = await wait(target, vault.place, arn, async () => {
    output.progress('Planning: every kind is asked what it would do, and what the target lacks.');
    return undefined;
  });
  output.settle();
  if (ended?.status !== 'SUCCEEDED')
    throw new Complaint(`The restore cannot be planned: ${sentenceIn(ended?.cause) ?? ended?.error ?? ended?.status}`);
  return (await at(target, vault.place)(readRestore)({ application: input.application, restore: input.record })).plan;
}

const sentenceIn = (cause: string | undefined): string | undefined => {
  try {
    return (JSON.parse(cause ?? '') as { errorMessage?: string }).errorMessage;
  } catch {
    return cause;
  }
};

function namespacesIn(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [from, to] = pair.split('=');
      if (!from || !to)
        throw new Complaint(
          `"${pair}" does not say which namespace becomes which; write --namespace shop=shop-copy.`,
          EXIT.usage,
        );
      return [from, to];
    }),
  );
}

function describePlan(plan: RestorePlan): string[] {
  const { point, target, previews, lacks, order } = plan;
  const where = `${target.place.account}/${target.place.region}${target.cluster ? `, cluster ${target.cluster}` : ''}`;
  return [
    '',
    `Plan: restore ${point.slot}/${point.attempt} (${point.consistency} at ${point.instant}) into ${where}.`,
    `${samePlace(target.place, point.home) ? 'Beside the original, which is not touched.' : 'Nothing of the home region is asked.'} Predicted: ${duration(plan.predictedMinutes * 60_000)}.`,
    '',
    ...table(
      ['WAVE', 'KIND', 'MINUTES', 'CREATES AND BINDS'],
      previews.flatMap((one) => rowsOf(one, 1 + order.findIndex((wave) => wave.includes(one.resource)))),
    ),
    ...section(
      'Rewires',
      previews.flatMap(({ renames }) => renames.map(({ what, was, is }) => `${what}: ${was} → ${is}`)),
    ),
    ...section(
      'Notes',
      previews.flatMap(({ notes }) => notes),
    ),
    ...section(bad('The target lacks'), lacks),
    '',
  ];
}

/** One line for each thing that is made or bound; what it is part of stands before the first. */
function rowsOf({ kind, minutes, creates, binds }: Preview, wave: number): (string | number)[][] {
  const things = [...creates.flatMap((one) => one.split('; ')), ...binds.map((bind) => `binds ${bind}`)];
  return things.map((thing, i) =>
    i === 0 ? [String(wave), kind, String(Math.round(minutes * 10) / 10), thing] : ['', '', '', thing],
  );
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

function describeReport(report: Report): string[] {
  return [
    '',
    `${report.status === 'restored' ? good('Restored') : bad('Failed')}: ${report.point} as "${report.id}" in ${duration(Date.parse(report.endedAt) - Date.parse(report.startedAt))}.`,
    '',
    ...table(
      ['STAGE', 'MINUTES'],
      report.stages.map(({ name, minutes }) => [name, minutes]),
    ),
    ...section(
      'Made',
      report.restored.map(({ kind, id }) => `${kind}: ${id}`),
    ),
    ...section(
      'Renamed',
      report.renames.map(({ what, was, is }) => `${what}: ${was} → ${is}`),
    ),
    ...section(
      'Notes',
      report.restored.flatMap(({ notes }) => notes.filter((note) => !note.startsWith('suspicious:'))),
    ),
    ...section('Still naming the lost place', report.suspicious),
    ...section('Verified', report.verified),
    ...section(bad('Problems'), report.problems),
  ];
}
