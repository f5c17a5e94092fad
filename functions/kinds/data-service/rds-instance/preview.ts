import { DescribeAccountAttributesCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { TAG } from '../../../aws/tags.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Preview } from '../../../domain.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { findInstance, looksAtBackups, looksAtInstances, looksAtSnapshots } from './describe.ts';
import { lackingGroups, looksAtGroups, placingOf } from './groups.ts';
import { artifactFacts, factsOf, instanceArn, KIND, restoredName } from './instance.ts';
import { renamesOf } from './restore.ts';
import { sourceOf } from './source.ts';

const looking = {
  ...looksAtInstances,
  ...looksAtBackups,
  ...looksAtSnapshots,
  ...looksAtGroups,
  ...looksAtKeys,
  quotas: calls('rds', RDSClient).read(DescribeAccountAttributesCommand),
};
type Looking = Door<typeof looking>;

/** A restore takes 15 to 40 minutes and the replay of the log besides (aws.md §10); more with size. */
const MINUTES = 25;
const REPLAY_MINUTES = 10;
const GIGABYTES_A_MINUTE = 20;

export const preview = verb(looking, async (aws, works: readonly RestoreWork[]): Promise<Preview[]> => {
  if (works.length === 0) return [];
  const full = await lackingRoom(aws, works);
  return Promise.all(works.map((work) => look(aws, work, full)));
});

async function look(aws: Looking, work: RestoreWork, full: readonly string[]): Promise<Preview> {
  const { resource, artifact, target } = work;
  const { by, at } = artifactFacts(artifact);
  const name = restoredName(resource.name, work.restore);
  const [source, placing, there] = [await sourceOf(aws, work), await placingOf(aws, work), await findInstance(aws, name)];
  const ours = there && tagMap(there.TagList).get(TAG.restore) === work.restore;
  return {
    resource: resource.id,
    kind: KIND,
    creates: [`DB instance ${name} in ${target.place.region}, out of ${by === 'log' ? `the log at ${at}` : 'a snapshot'}`],
    binds: Object.entries(placing).map(([what, value]) => `${what}: ${[value].flat().join(', ')}`),
    renames: renamesOf(work, name, instanceArn(target.place, name), 'known once made'),
    lacks: [
      ...('trouble' in source
        ? [source.trouble]
        : source.key === null
          ? []
          : await troubleWithKey(aws, source.key, target.place)),
      ...(await lackingGroups(aws, placing, work)),
      ...(there && !ours
        ? [`A DB instance ${name} exists already in ${target.place.region}; give the restore another name.`]
        : []),
      ...full,
    ],
    notes:
      at === null
        ? [`${resource.name} comes back as of an instant between ${artifact.interval.from} and ${artifact.interval.to}.`]
        : [],
    minutes: MINUTES + (by === 'log' ? REPLAY_MINUTES : 0) + factsOf(resource).gigabytes / GIGABYTES_A_MINUTE,
  };
}

/** Whether the target may have so many instances more (RDS guide, "Quotas and constraints"). */
async function lackingRoom(aws: Looking, works: readonly RestoreWork[]): Promise<string[]> {
  const { AccountQuotas = [] } = await aws.quotas({});
  const { Used = 0, Max = Number.POSITIVE_INFINITY } =
    AccountQuotas.find(({ AccountQuotaName }) => AccountQuotaName === 'DBInstances') ?? {};
  const { region } = works[0]!.target.place;
  return Used + works.length <= Max
    ? []
    : [
        `${region} has ${Used} of the ${Max} DB instances that the account may have there, and ${works.length} more are needed; delete some, or raise the quota.`,
      ];
}
