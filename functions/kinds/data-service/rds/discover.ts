import { composed, type Verb, verb } from '../../../aws/verb.ts';
import type { Application, Facts, Outlasting, Resource } from '../../../domain.ts';
import { inParallel } from '../../items.ts';
import { looksAtKeys } from '../../keys.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, scoping, taggedArns } from '../../scope.ts';
import type { Database, Databases } from './databases.ts';
import { isRdsArn } from './names.ts';

/** One that was found: what a restore will need to know of it, or why it cannot be protected. */
export interface Looked extends Database {
  readonly facts: Facts & { readonly retentionDays: number; readonly key: string | null };
  readonly refusal?: string | undefined;
  /** It is protected as a part of something else in the scope, so nothing is to be said of it. */
  readonly elsewhere?: boolean;
}

export interface Asked {
  readonly arn: string;
  readonly application: Application;
  readonly named: boolean;
}

type Found = { readonly resource?: Resource; readonly note?: string; readonly refusal?: string };

/** Coming or going, so that there is nothing to protect yet, or any more. */
const PASSING = ['creating', 'deleting'];
/** It does not run, so its log does not go on and never reaches the cut. */
const STANDING = [
  'stopped',
  'stopping',
  'starting',
  'failed',
  'storage-full',
  'inaccessible-encryption-credentials',
  'inaccessible-encryption-credentials-recoverable',
  'restore-error',
  'migration-failed',
  'cloning-failed',
];
const OUTLASTS: readonly Outlasting[] = ['materialise', 'snapshot'];
const WIDTH = 5;

export const inScope = verb(scoping, async (aws, { application, type }: { application: Application; type: string }) =>
  taggedArns(aws, application, type),
);

/** Whether a key is the account's default one, which AWS manages. */
const isDefaultKey = verb(
  looksAtKeys,
  async (aws, KeyId: string) => (await aws.key({ KeyId })).KeyMetadata?.KeyManager === 'AWS',
);

/** Databases by the application's tags and ARNs; one that could not be had at the instant of the cut is refused. */
export const discovering = (of: Databases, look: Verb<any, Asked, Looked | undefined>) =>
  composed({ inScope, look, isDefaultKey }, async (aws, application: Application): Promise<Discovery> => {
    const isMine = (arn: string) => isRdsArn(arn, of.type);
    const { arns, refusals } = namedArns(application, isMine);
    const tagged = (await aws.inScope({ application, type: `rds:${of.type}` })).filter(isMine);
    const all = [...new Set([...arns, ...tagged])].sort();
    const found = await inParallel(all, WIDTH, async (arn) => {
      const named = arns.includes(arn);
      const found = judged(of, application, named, arn, await aws.look({ arn, application, named }));
      const { resource } = found;
      const key = resource?.facts['key'];
      if (!resource || typeof key !== 'string' || !(await aws.isDefaultKey(key))) return found;
      const homebound = underDefaultKey(of, arn);
      return { resource: { ...resource, homebound }, note: homebound };
    });
    return {
      resources: found.flatMap(({ resource }) => resource ?? []),
      notes: found.flatMap(({ note }) => note ?? []),
      refusals: [...refusals, ...found.flatMap(({ refusal }) => refusal ?? [])],
    };
  });

/** A snapshot under the account's default key cannot be shared with another account (RDS guide, "Sharing encrypted snapshots"). */
const underDefaultKey = ({ noun }: Databases, arn: string): string =>
  `${noun} ${arn} is encrypted with the account's default key (alias/aws/rds), so its snapshots cannot be shared with another account or copied there; restore it once under a key of your own if copies must leave the account.`;

function judged(of: Databases, { home }: Application, named: boolean, arn: string, found: Looked | undefined): Found {
  if (!found || found.elsewhere) return {};
  const { name, status, facts } = found;
  const note = named ? undefined : madeByRestore(`${of.noun} ${name}`, found.tags);
  if (note) return { note };
  if (PASSING.includes(status)) return { note: `${of.noun} ${name} is ${status}, so ${arn} is not protected.` };
  if (found.refusal) return { refusal: found.refusal };
  if (STANDING.includes(status))
    return {
      refusal: `${of.noun} ${name} (${arn}) is ${status}, so its log would never reach the cut; start it, or take it out of the application.`,
    };
  const resource: Resource = {
    kind: of.kind,
    id: arn,
    name,
    createdAt: found.createdAt,
    place: home,
    logDays: facts.retentionDays,
    ...(of.replicated ? { logInVaults: true as const } : {}),
    outlasts: OUTLASTS,
    facts,
  };
  return { resource };
}
