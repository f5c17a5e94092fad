import { Permanent } from '../aws/errors.ts';
import { type Door, type Scene, verb } from '../aws/verb.ts';
import { keepUntil } from '../decide/promise.ts';
import type { Abandoned, Attempt, Instant, Outcome, Place, Plan, PointName, Progress, Sealed } from '../domain.ts';
import { retention } from './bundles.ts';
import { ledgerBucket, outcomeKey, planKey, pointsPrefix, progressKey, publicKeyKey } from './layout.ts';
import {
  listing,
  listKeys,
  reading,
  readingOldest,
  readNewest,
  readOldest,
  readOldestOf,
  replace,
  writeOnce,
  writing,
  writingLocked,
} from './objects.ts';
import { parseRecord } from './records.ts';
import { fetchPublicKey, publishing, readSigned, sign, signing, verifySigned } from './signature.ts';

/**
 * The ledger of a vault: the only truth about restore points. A plan and an outcome are written once; the first outcome is the outcome.
 * Every verb works on the ledger of the place that it is opened at.
 */

/** An attempt with what one needs to change it. */
export interface Read extends Attempt {
  /** Under which progress may be replaced; absent where there is none yet. */
  readonly etag?: string;
  /** Of a sealed outcome: the digest that other records name it by. */
  readonly digest?: string;
}

const parse = <T>(text: string, place: Place, key: string): T =>
  parseRecord<T>(JSON.parse(text), `${ledgerBucket(place)}/${key}`);

/** Writes the intent. Ours again goes on with what was written first; another's is a Conflict. */
export const writePlan = verb(writingLocked, async (aws, plan: Plan, { here }): Promise<Plan> => {
  const owned = (text: string) => parse<Plan>(text, here, planKey(plan)).owner === plan.owner;
  const put = {
    Bucket: ledgerBucket(here),
    Key: planKey(plan),
    Body: JSON.stringify(plan),
    ...lockOf(plan.vault, plan.plannedAt),
  };
  return parse<Plan>(await writeOnce(aws, put, owned), here, planKey(plan));
});

/** Everything that the ledger holds of an attempt. Permanent where it holds no such plan. */
export const readAttempt = verb(reading, async (aws, point: PointName, { here }): Promise<Read> => {
  const bucket = ledgerBucket(here);
  const [plan, progress, outcome] = await Promise.all([
    readOldest(aws, bucket, planKey(point)),
    readNewest(aws, bucket, progressKey(point)),
    readOldest(aws, bucket, outcomeKey(point)),
  ]);
  if (plan === undefined)
    throw new Permanent(`There is no restore point ${point.slot}/${point.attempt} of "${point.application}" in ${bucket}.`);
  return {
    plan: parse<Plan>(plan, here, planKey(point)),
    ...(progress ? { progress: parse<Progress>(progress.text, here, progressKey(point)), etag: progress.etag } : {}),
    ...(outcome === undefined ? {} : decisionIn(outcome, `${bucket}/${outcomeKey(point)}`)),
  };
});

/** Replaces what was captured so far, under the ETag that was read. Answers the next ETag. Conflict where another wrote in between. */
export const noteProgress = verb(
  writing,
  (
    aws,
    { point, progress, etag }: { point: PointName; progress: Progress; etag: string | undefined },
    { here },
  ): Promise<string> => replace(aws, ledgerBucket(here), progressKey(point), JSON.stringify(progress), etag),
);

/**
 * Commits the outcome, signed. The first one written is the outcome: ours of the same status goes on, any other is a Conflict. The public
 * key that verifies it is put beside it first, so that a sealed point can always be verified offline.
 */
const committing = { ...writing, ...signing, ...publishing };

async function commit(aws: Door<typeof committing>, outcome: Outcome, { here }: Scene): Promise<{ digest: string }> {
  const Bucket = ledgerBucket(here);
  const Key = outcomeKey(outcome);
  const signer = publicKeyKey(here);
  if ((await readOldest(aws, Bucket, signer)) === undefined) {
    await writeOnce(aws, { Bucket, Key: signer, Body: await fetchPublicKey(aws) }, () => true);
  }
  const { text } = await sign(aws, outcome);
  const where = `${Bucket}/${Key}`;
  const same = (there: string) => {
    const { record } = readSigned<Outcome>(there, where);
    return record.owner === outcome.owner && record.status === outcome.status;
  };
  const lock = outcome.status === 'sealed' ? lockOf(outcome.vault, outcome.sealedAt) : {};
  const written = await writeOnce(aws, { Bucket, Key, Body: text, ...lock }, same);
  return { digest: readSigned<Outcome>(written, where).signature.digest };
}

/** Commits a sealed point, which is locked as its vault says. */
export const commitOutcome = verb({ ...writingLocked, ...signing, ...publishing }, commit);
/** Commits that an attempt was given up, which needs no lock: the oldest version is the outcome. */
export const commitAbandoned = verb(committing, commit);

/** A sealed point, its signature verified against the key in this ledger. Permanent where it is not sealed or was tampered with. */
export const readSealed = verb(
  readingOldest,
  async (aws, point: PointName, { here }): Promise<{ point: Sealed; digest: string }> => {
    const bucket = ledgerBucket(here);
    const id = `${point.slot}/${point.attempt}`;
    const [text, key] = await Promise.all([
      readOldest(aws, bucket, outcomeKey(point)),
      readOldest(aws, bucket, publicKeyKey(here)),
    ]);
    if (text === undefined) throw new Permanent(`${id} of "${point.application}" is not a sealed restore point of ${bucket}.`);
    if (key === undefined) throw new Permanent(`${bucket} holds no public key, so ${id} cannot be verified; it is not used.`);
    const { record, digest } = verifySigned<Outcome>(text, key, `${bucket}/${outcomeKey(point)}`);
    const outcome = parseRecord<Outcome>(record, `${bucket}/${outcomeKey(point)}`);
    if (outcome.status !== 'sealed') throw new Permanent(`${id} of "${point.application}" was abandoned: ${outcome.because}`);
    if (outcome.application !== point.application || outcome.slot !== point.slot || outcome.attempt !== point.attempt) {
      throw new Permanent(
        `${bucket}/${outcomeKey(point)} holds the outcome of another point (${outcome.application} ${outcome.slot}/${outcome.attempt}); it is not used.`,
      );
    }
    return { point: outcome, digest };
  },
);

/** The attempts that a ledger holds, by name, oldest slot first; of one application or of all. */
export const listAttempts = verb(
  listing,
  async (
    aws,
    { application, slot }: { application?: string; slot?: string },
    { here },
  ): Promise<(PointName & { readonly decided: boolean })[]> => {
    const keys = await listKeys(aws, ledgerBucket(here), pointsPrefix(application, slot));
    const decided = new Map<string, PointName & { decided: boolean }>();
    for (const key of keys) {
      const [, application, slot, attempt, file] = key.split('/') as [string, string, string, string, string];
      const name = `${application}/${slot}/${attempt}`;
      const before = decided.get(name)?.decided ?? false;
      decided.set(name, { application, slot, attempt: Number(attempt), decided: before || file === 'outcome.json' });
    }
    return [...decided.values()].sort((a, b) => compare(a.slot, b.slot) || a.attempt - b.attempt);
  },
);

/** What became of a slot's last attempt; undefined where nothing was tried yet. */
export const readLastAttempt = verb(
  { ...listing, ...reading },
  async (aws, slot: { application: string; slot: string }, scene): Promise<Read | undefined> => {
    const last = (await listAttempts.run(aws, slot, scene)).at(-1);
    return last && readAttempt.run(aws, last, scene);
  },
);

/** An outcome and the digest that other records name it by. */
interface Decision {
  readonly outcome: Outcome;
  readonly digest: string;
}

/** What became of attempts, in their order; undefined of those that are not decided. All of them are found with one listing. */
export const readOutcomes = verb(
  readingOldest,
  async (
    aws,
    { application, points }: { application?: string; points: readonly PointName[] },
    { here },
  ): Promise<(Decision | undefined)[]> => {
    const bucket = ledgerBucket(here);
    const texts = await readOldestOf(aws, bucket, pointsPrefix(application), new Set(points.map(outcomeKey)));
    return points.map((point) => {
      const text = texts.get(outcomeKey(point));
      return text === undefined ? undefined : decisionIn(text, `${bucket}/${outcomeKey(point)}`);
    });
  },
);

async function readOutcome(aws: Door<typeof readingOldest>, point: PointName, { here }: Scene): Promise<Decision | undefined> {
  const Bucket = ledgerBucket(here);
  const text = await readOldest(aws, Bucket, outcomeKey(point));
  return text === undefined ? undefined : decisionIn(text, `${Bucket}/${outcomeKey(point)}`);
}

function decisionIn(text: string, where: string): Decision {
  const { record, signature } = readSigned<Outcome>(text, where);
  return { outcome: record, digest: signature.digest };
}

/** Every sealed point of an application (or of all), oldest first. What was abandoned, or is not decided, is not among them. */
export const listSealed = verb(
  { ...listing, ...readingOldest },
  async (aws, { application, last }: { application?: string; last?: number }, scene): Promise<SealedRead[]> => {
    const of = application === undefined ? {} : { application };
    const decided = (await listAttempts.run(aws, of, scene)).filter((attempt) => attempt.decided);
    if (last === undefined) return (await readOutcomes.run(aws, { ...of, points: decided }, scene)).flatMap(sealedIn);
    const sealed: SealedRead[] = [];
    for (const point of decided.reverse()) {
      if (sealed.length >= last) break;
      sealed.unshift(...sealedIn(await readOutcome(aws, point, scene)));
    }
    return sealed;
  },
);

export interface SealedRead {
  readonly point: Sealed;
  readonly digest: string;
}

const sealedIn = (read: Decision | undefined): SealedRead[] =>
  read?.outcome.status === 'sealed' ? [{ point: read.outcome, digest: read.digest }] : [];

/** The oldest sealed point of an application, of slots from a time on, of which something is so; undefined where of none. */
export const findSealed = verb(
  { ...listing, ...readingOldest },
  async (
    aws,
    { application, from, so }: { application: string; from: string; so: (point: Sealed) => boolean },
    scene,
  ): Promise<Sealed | undefined> => {
    for (const attempt of await listAttempts.run(aws, { application }, scene)) {
      if (!attempt.decided || attempt.slot < from) continue;
      const [found] = sealedIn(await readOutcome(aws, attempt, scene));
      if (found && so(found.point)) return found.point;
    }
    return undefined;
  },
);

/** An abandonment, ready to be committed. */
export const abandonment = (
  plan: Pick<Plan, 'application' | 'slot' | 'attempt' | 'code'>,
  owner: string,
  at: Instant,
  because: string,
): Abandoned => ({
  schema: 1,
  code: plan.code,
  status: 'abandoned',
  application: plan.application,
  slot: plan.slot,
  attempt: plan.attempt,
  owner,
  abandonedAt: at,
  because,
});

const lockOf = (vault: Plan['vault'], from: Instant) => {
  const until = keepUntil(vault, from);
  return retention({ vault, ...(until ? { keepUntil: until } : {}) });
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
