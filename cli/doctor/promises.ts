import { longestGapSeconds } from '../../functions/configuration/gap.ts';
import { beyond, type Demand, needsOf, queueing, usualSeconds } from '../../functions/decide/quota.ts';
import { judgeRpo } from '../../functions/decide/rpo.ts';
import { spoken } from '../../functions/decide/slow.ts';
import type { Policy, Sealed, Vault } from '../../functions/domain.ts';
import type { Kind } from '../../functions/kinds/kind.ts';
import { listSealed } from '../../functions/vault/ledger.ts';
import { type ApplicationSubject, applicationCheck, ok, placeCheck, problem, type Said, type Scope, warning } from './check.ts';

/** How many members of each kind a scope has. */
const countsIn = ({ kinds, found }: Scope): { kind: Kind; count: number }[] =>
  kinds.map((kind, index) => ({ kind, count: found[index]?.resources.length ?? 0 }));

/** What cannot be seen is told by `members`. */
const scopeOf = (subject: ApplicationSubject): Promise<Scope> => subject.scope().catch(() => ({ kinds: [], found: [] }));

async function demandsOf(subjects: readonly ApplicationSubject[], vault?: string): Promise<Demand[]> {
  const all = await Promise.all(
    subjects.map(async (subject) => {
      const counts = countsIn(await scopeOf(subject));
      const policies = subject.policies.filter(({ vaults }) => vault === undefined || vaults.includes(vault));
      return policies.flatMap((policy) =>
        counts.map(({ kind: { name, quotas }, count }) => ({ kind: name, quotas, count, policy })),
      );
    }),
  );
  return all.flat();
}

/** Whether what the policies keep fits into AWS's default quotas, in this region. */
export const quotas = placeCheck({
  name: 'quotas',
  uses: {},
  run: async (_, { place, residents, guests, vault }) => {
    const [home, copies] = await Promise.all([demandsOf(residents), vault ? demandsOf(guests, vault.name) : []]);
    const needs = [...needsOf('home', home), ...needsOf('vault', copies)];
    const troubles = [...needs.flatMap((need) => beyond(need, place.region) ?? []), ...queueing(copies, place.region)];
    if (troubles.length > 0) return troubles.map((one) => warning(one));
    return home.length + copies.length > 0 ? [ok('What the policies keep here is within AWS’s default quotas.')] : [];
  },
});

/** So many of the newest points show how long points take. */
const SHOWN = 10;

/** Whether the schedule, and the time that points take until they count, leave room for the RPO that is promised. */
export const rpo = applicationCheck({
  name: 'rpo',
  uses: { listSealed },
  run: async (look, subject): Promise<Said[]> => {
    const { application, policies, vaults } = subject;
    const promised = policies.filter(({ schedule, rpoSeconds }) => schedule !== undefined && rpoSeconds !== undefined);
    const usual = usualSeconds(countsIn(await scopeOf(subject)).map(({ kind, count }) => ({ ...kind, count })));
    const judged = await Promise.all(
      promised.flatMap((policy) =>
        vaults
          .filter(({ name }) => name === 'home' || policy.vaults.includes(name))
          .map(async (vault) => {
            const read = look(vault.place, application.home).listSealed({ application: application.name, last: SHOWN });
            const points = (await read.catch(() => [])).map(({ point }) => point);
            const takes = points.length > 0 ? shownBy(points) : usualOf(usual, vault);
            return about(policy, vault, takes);
          }),
      ),
    );
    return judged.flat().map((one) => ({ where: application.name, ...one }));
  },
});

interface Takes {
  readonly shown: boolean;
  readonly seconds: number;
  readonly evidence: string;
}

/** The median of how long these points took. */
function shownBy(points: readonly Sealed[]): Takes {
  const took = points.map(({ instant, sealedAt }) => (Date.parse(sealedAt) - Date.parse(instant)) / 1000).sort((a, b) => a - b);
  return {
    shown: true,
    seconds: took[Math.floor(took.length / 2)] as number,
    evidence: took.length === 1 ? 'as the newest point took' : `as the newest ${took.length} points took`,
  };
}

const usualOf = ({ seal, copy }: { seal: number; copy: number }, { name }: Vault): Takes => ({
  shown: false,
  seconds: name === 'home' ? seal : seal + copy,
  evidence: 'usual for these kinds; no point has shown it yet',
});

function about({ name, schedule = '', timezone, rpoSeconds = 0, windowSeconds = 0 }: Policy, vault: Vault, takes: Takes): Said[] {
  // from a fixed day: what a schedule promises does not depend on when it is asked
  const from = Date.UTC(2026, 0, 1);
  const gapSeconds = longestGapSeconds(schedule, 'UTC', from);
  if (!Number.isFinite(gapSeconds))
    return [
      problem(
        `policies.${name}.schedule ${schedule} comes to an end, and the RPO of ${spoken(rpoSeconds * 1000)} with it.`,
        'leave the year *',
      ),
    ];
  const rhythm = {
    gapSeconds,
    longestGapSeconds: longestGapSeconds(schedule, timezone, from),
    windowSeconds,
    takesSeconds: takes.seconds,
  };
  const { kept, sentence } = judgeRpo(rpoSeconds, rhythm, {
    policy: name,
    vault: vault.name,
    timezone,
    shown: takes.shown,
    evidence: takes.evidence,
  });
  return [{ surely: ok, doubtful: warning, never: problem }[kept](sentence)];
}
