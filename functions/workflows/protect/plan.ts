import { instant, millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { nextAttempt } from '../../decide/attempt.ts';
import { LONGEST_DAYS, periodOf } from '../../decide/period.ts';
import { brokenPromises, unlocked } from '../../decide/promise.ts';
import { readSlot, slotOf } from '../../decide/slot.ts';
import {
  type Application,
  type Outlasting,
  otherAccount,
  type Plan,
  type Policy,
  type Resource,
  type Sealed,
  type Vault,
} from '../../domain.ts';
import type { Discovery } from '../../kinds/kind.ts';
import { abandonment, commitAbandoned, findSealed, listSealed, readLastAttempt, writePlan } from '../../vault/ledger.ts';
import { type Carried, type Request, type Stage, step } from '../step.ts';
import { refusalsOf } from './refusals.ts';

/** What asks for a restore point. */
export interface ProtectRequest extends Request {
  readonly policy: string;
  /** What it was: `schedule`, `event`, `gate` or `person`. */
  readonly trigger: string;
  /** When the point was due: the schedule's time, the event's, or that of the person's command. Names the slot. */
  readonly due: string;
  /** What stands in the slot's name beside the time; the policy's name unless given. */
  readonly asker?: string;
  /** The commit, execution or event that asks; the point records it. */
  readonly askedBy?: string;
}

/** How long an attempt may take before it is presumed aborted: the retries of its steps, and the slowest snapshot that is waited for. */
const PATIENCE_HOURS = 6;

/** Decides which attempt of which slot this is, finds what must be saved, and writes the intent. */
export const plan = step({
  name: 'protect-plan',
  duty: 'discover',
  uses: { readLastAttempt, listSealed, findSealed, writePlan, commitAbandoned },
  kinds: ['discover'],
  limits: { seconds: 300, memoryMb: 512 },
  run: async (
    { readLastAttempt, listSealed, findSealed, writePlan, commitAbandoned },
    request: ProtectRequest,
    stage: Stage,
  ): Promise<Carried> => {
    const { application, clock, code } = stage;
    const policy = policyOf(stage, request);
    const slot = slotOf(request.due, request.asker ?? policy.name);
    const carried = { application: application.name, owner: request.owner, slot };
    const last = await readLastAttempt({ application: application.name, slot });
    const next = nextAttempt(last, request.owner, clock.now());
    if (next.do === 'stop') throw new Conflict(next.because);
    if (next.do === 'resume') return { ...carried, attempt: next.attempt };
    if (next.do === 'abandon') await commitAbandoned(abandonment(last!.plan, request.owner, instant(clock.now()), next.because));
    const attempt = next.do === 'abandon' ? next.attempt + 1 : next.attempt;

    const vaults = policy.vaults.flatMap((name) => stage.configuration.vaults[name] ?? []);
    const { resources, notes } = await discover(stage, application, policy, vaults);
    const sealed = await listSealed({ application: application.name, last: 1 });
    const leaves = vaults.some(({ place }) => otherAccount(place, application.home));
    const outlasting = leaves ? leavingBy(policy) : await outlastingOf(policy, application, slot, findSealed);
    const plannedAt = instant(clock.now());
    const written: Plan = await writePlan({
      schema: 1,
      code,
      ...carried,
      attempt,
      plannedAt,
      deadline: instant(millis(plannedAt) + PATIENCE_HOURS * 3_600_000),
      trigger: request.trigger,
      ...(request.askedBy ? { askedBy: request.askedBy } : {}),
      policy,
      definition: application,
      vault: stage.vault,
      resources,
      notes: [...notes, ...unlocked(vaults, resources, outlasting)],
      ...(outlasting ? { outlasting } : {}),
      after: sealed.map(({ digest }) => digest),
    });
    return { ...carried, attempt: written.attempt };
  },
});

function policyOf({ configuration, application }: Stage, { policy: name }: ProtectRequest): Policy {
  const policy = configuration.policies[name];
  if (!policy)
    throw new Permanent(`There is no policy "${name}"; stillpoint.yaml has ${Object.keys(configuration.policies).join(', ')}.`);
  if (!policy.applications.includes(application.name)) {
    throw new Permanent(
      `Policy "${name}" does not protect "${application.name}"; add it under policies.${name}.applications in stillpoint.yaml.`,
    );
  }
  return policy;
}

/** No log leaves its account (RDS guide, "Replicating automated backups"), so every point that does is made durable, as its policy says. */
const leavingBy = ({ outlast }: Policy): Outlasting => outlast?.by ?? 'materialise';

/** How this point outlasts its members' logs, if it is the first sealed one of its policy's period that does. */
async function outlastingOf(
  policy: Policy,
  { name: application }: Application,
  slot: string,
  findSealed: (input: { application: string; from: string; so: (point: Sealed) => boolean }) => Promise<Sealed | undefined>,
): Promise<Outlasting | undefined> {
  if (!policy.outlast) return undefined;
  const { by, every } = policy.outlast;
  const { due } = readSlot(slot);
  const period = periodOf(due, every, policy.timezone);
  const earlier = await findSealed({
    application,
    from: slotOf(due - LONGEST_DAYS[every] * 86_400_000, '0'),
    so: (point) =>
      point.slot < slot &&
      point.outlasting === by &&
      point.policy.name === policy.name &&
      periodOf(readSlot(point.slot).due, every, policy.timezone) === period,
  });
  return earlier ? undefined : by;
}

/** Asks every kind what the application's scope holds. Refuses an empty scope, what cannot be protected, and a policy that cannot be kept. */
async function discover(
  stage: Stage,
  application: Application,
  policy: Policy,
  vaults: readonly Vault[],
): Promise<{ resources: Resource[]; notes: string[] }> {
  const kinds = await stage.kinds();
  const found = (await Promise.all(kinds.map((kind) => kind.open('discover')(application)))) as Discovery[];
  const resources = found.flatMap((discovery) => discovery.resources);
  const refusals = [...refusalsOf(application, kinds, found), ...brokenPromises(policy, resources, vaults)];
  if (refusals.length > 0) throw new Permanent(refusals.join(' '));
  return { resources, notes: found.flatMap((discovery) => discovery.notes) };
}
