import { CreateDBInstanceCommand, type DBInstance, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { inParallel } from '../../items.ts';
import type { RestoreWork, Started } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { ALREADY_THERE, FULL, GONE, LOST, WRONG_STATE } from '../rds/databases.ts';
import { restoredName } from '../rds/names.ts';
import { isMine, tagsFor } from '../rds/restore.ts';
import { factsOf, type Member } from './cluster.ts';
import { looksAtMembers } from './discover.ts';

const { again } = calls('rds', RDSClient);

const making = {
  ...looksAtMembers,
  /** Repeatable by its name. */
  createMember: again(CreateDBInstanceCommand, { also: ['rds:AddTagsToResource'] }),
};

/** Where instances are reached, by the names that they had. */
export type Addresses = Readonly<Record<string, string>>;

export const memberName = ({ name }: Member, restore: string): string => restoredName(name, restore);

export const findMember = (aws: Door<typeof looksAtMembers>, DBInstanceIdentifier: string): Promise<DBInstance | undefined> =>
  aws.instances({ DBInstanceIdentifier }).then(
    ({ DBInstances }) => DBInstances?.[0],
    when(GONE, () => undefined),
  );

type Stands = { readonly address: string } | { readonly why: string } | { readonly trouble: string };
const WIDTH = 4;

/**
 * Makes the instances of a restored cluster, the one that wrote before the others, so that it writes again; answers where they are reached
 * once all are there and set as they were.
 */
export const bringBackMembers = verb(
  making,
  async (
    aws,
    { work, name }: { work: Started<RestoreWork>; name: string },
  ): Promise<{ readonly addresses: Addresses } | { readonly why: string } | { readonly trouble: string }> => {
    const [writer, ...readers] = factsOf(work.resource).members;
    if (!writer) return { addresses: {} };
    const first = await bringBack(aws, work, name, writer);
    if (!('address' in first)) return first;
    const others = await inParallel(readers, WIDTH, (member) => bringBack(aws, work, name, member));
    const unfinished = others.find((one) => 'trouble' in one) ?? others.find((one) => 'why' in one);
    if (unfinished && !('address' in unfinished)) return unfinished;
    const stands = [first, ...others].map((one) => ('address' in one ? one.address : ''));
    return { addresses: Object.fromEntries([writer, ...readers].map((member, i) => [member.name, stands[i]!])) };
  },
);

async function bringBack(aws: Door<typeof making>, work: RestoreWork, cluster: string, member: Member): Promise<Stands> {
  const name = memberName(member, work.restore);
  const found = await findMember(aws, name);
  if (!found) return create(aws, work, cluster, member);
  const { DBInstanceStatus: status = '' } = found;
  if (found.DBClusterIdentifier !== cluster || !isMine(work, { tags: tagMap(found.TagList) }))
    return { trouble: `A DB instance ${name} exists already and is not of this restore; give the restore another name.` };
  if (LOST.includes(status) || status === 'deleting') return { trouble: `Its instance ${name} ended as ${status}.` };
  if (status !== 'available' || !found.Endpoint?.Address) return { why: `Its instance ${name} is ${status}.` };
  return { address: found.Endpoint.Address };
}

async function create(aws: Door<typeof making>, work: RestoreWork, cluster: string, member: Member): Promise<Stands> {
  const name = memberName(member, work.restore);
  const why = { why: `Its instance ${name} is being made.` };
  return aws
    .createMember({
      DBInstanceIdentifier: name,
      DBClusterIdentifier: cluster,
      Engine: factsOf(work.resource).engine,
      DBInstanceClass: member.class,
      PubliclyAccessible: member.public,
      AutoMinorVersionUpgrade: member.minorUpgrades,
      CopyTagsToSnapshot: member.copyTags,
      ...(member.promotionTier === null ? {} : { PromotionTier: member.promotionTier }),
      ...(member.parameterGroup === null ? {} : { DBParameterGroupName: member.parameterGroup }),
      ...(member.maintenanceWindow === null ? {} : { PreferredMaintenanceWindow: member.maintenanceWindow }),
      Tags: tagsFor(work, member.tags),
    })
    .then(() => why)
    .catch(when([...ALREADY_THERE, ...WRONG_STATE], () => why))
    .catch(when(FULL, ({ message }) => ({ why: `There is no room for its instance ${name} yet: ${message}.` })));
}
