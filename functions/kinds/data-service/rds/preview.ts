import { DescribeAccountAttributesCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { composed, type Verb, verb } from '../../../aws/verb.ts';
import type { Preview, Rename } from '../../../domain.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import type { Databases } from './databases.ts';
import { artifactFacts } from './facts.ts';
import { restoredName } from './names.ts';
import { isMine } from './restore.ts';
import { sourceOf } from './source.ts';

/** A restore takes 15 to 40 minutes and the replay of the log besides (aws.md §10); more with what a kind adds. */
const MINUTES = 25;
const REPLAY_MINUTES = 10;

/** What differs: what a restored one is bound to, what it is made of, and how much room that takes. */
export interface Previewing {
  /** What the target has and lacks of what the restored one needs, beside its name and its source. */
  readonly lookAtTarget: Verb<any, RestoreWork, { readonly binds: object; readonly lacks: readonly string[] }>;
  readonly renamesOf: (work: RestoreWork, name: string) => Rename[];
  readonly minutes: (work: RestoreWork) => number;
  /** How many of what RDS counts one restore makes (RDS API, AccountQuota). */
  readonly rooms: readonly { readonly quota: string; readonly noun: string; readonly needed: (work: RestoreWork) => number }[];
}

const looking = {
  usable: verb(looksAtKeys, (aws, { key, work }: { key: string; work: RestoreWork }) =>
    troubleWithKey(aws, key, work.target.place),
  ),
  quotas: verb({ quotas: calls('rds', RDSClient).read(DescribeAccountAttributesCommand) }, async (aws) =>
    ((await aws.quotas({})).AccountQuotas ?? []).map(({ AccountQuotaName: name, Used = 0, Max = Number.POSITIVE_INFINITY }) => ({
      name,
      Used,
      Max,
    })),
  ),
};

export const previewing = (of: Databases, { lookAtTarget, renamesOf, minutes, rooms }: Previewing) =>
  composed(
    { ...looking, find: of.find, sourceOf: sourceOf(of), lookAtTarget },
    async (aws, works: readonly RestoreWork[]): Promise<Preview[]> => {
      if (works.length === 0) return [];
      const full = await lackingRoom();
      return Promise.all(works.map((work) => look(work, full)));

      /** Whether the target may have so many more (RDS guide, "Quotas and constraints"). */
      async function lackingRoom(): Promise<string[]> {
        const quotas = await aws.quotas(undefined);
        const { region } = works[0]!.target.place;
        return rooms.flatMap(({ quota, noun, needed }) => {
          const { Used, Max } = quotas.find(({ name }) => name === quota) ?? { Used: 0, Max: Number.POSITIVE_INFINITY };
          const more = works.reduce((sum, work) => sum + needed(work), 0);
          return Used + more <= Max
            ? []
            : [
                `${region} has ${Used} of the ${Max} ${noun} that the account may have there, and ${more} more are needed; delete some, or raise the quota.`,
              ];
        });
      }

      async function look(work: RestoreWork, full: readonly string[]): Promise<Preview> {
        const { resource, artifact, target } = work;
        const { by, at } = artifactFacts(artifact);
        const { region } = target.place;
        const name = restoredName(resource.name, work.restore);
        const [source, { binds, lacks }, there] = [await aws.sourceOf(work), await aws.lookAtTarget(work), await aws.find(name)];
        const ofSource =
          'trouble' in source ? [source.trouble] : source.key === null ? [] : await aws.usable({ key: source.key, work });
        const taken = there && !isMine(work, there);
        return {
          resource: resource.id,
          kind: of.kind,
          creates: [`${of.noun} ${name} in ${region}, out of ${by === 'log' ? `the log at ${at}` : 'a snapshot'}`],
          binds: Object.entries(binds).map(([what, value]) => `${what}: ${[value].flat().join(', ')}`),
          renames: renamesOf(work, name),
          lacks: [
            ...ofSource,
            ...lacks,
            ...(taken ? [`A ${of.noun} ${name} exists already in ${region}; give the restore another name.`] : []),
            ...full,
          ],
          notes:
            at === null
              ? [`${resource.name} comes back as of an instant between ${artifact.interval.from} and ${artifact.interval.to}.`]
              : [],
          minutes: MINUTES + (by === 'log' ? REPLAY_MINUTES : 0) + minutes(work),
        };
      }
    },
  );
