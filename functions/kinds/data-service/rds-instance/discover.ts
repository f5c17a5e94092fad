import type { DBInstance } from '@aws-sdk/client-rds';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Resource } from '../../../domain.ts';
import { asJson, inParallel } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, scoping, taggedArns, tagMap } from '../../scope.ts';
import { findInstance, looksAtInstances } from './describe.ts';
import { ENGINES, instanceFacts, isInstanceArn, KIND, nameIn } from './instance.ts';

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
  'restore-error',
];
const WIDTH = 5;

/** Instances by the application's tags and ARNs. One without automated backups, or of an engine that is not known here, is refused. */
export const discover = verb({ ...looksAtInstances, ...scoping }, async (aws, application: Application): Promise<Discovery> => {
  const { arns, refusals } = namedArns(application, isInstanceArn);
  const tagged = (await taggedArns(aws, application, 'rds:db')).filter(isInstanceArn);
  const all = [...new Set([...arns, ...tagged])].sort();
  const found = await inParallel(all, WIDTH, (arn) => look(aws, application, arn, arns.includes(arn)));
  return {
    resources: found.flatMap(({ resource }) => (resource ? [resource] : [])),
    notes: found.flatMap(({ note }) => (note ? [note] : [])),
    refusals: [...refusals, ...found.flatMap(({ refusal }) => (refusal ? [refusal] : []))],
  };
});

async function look(aws: Door<typeof looksAtInstances>, { home }: Application, arn: string, named: boolean): Promise<Found> {
  const found = await findInstance(aws, nameIn(arn));
  if (!found) return {};
  const tags = tagMap(found.TagList);
  const name = found.DBInstanceIdentifier!;
  const note = named ? undefined : madeByRestore(`DB instance ${name}`, tags);
  if (note) return { note };
  if (PASSING.includes(found.DBInstanceStatus ?? ''))
    return { note: `DB instance ${name} is ${found.DBInstanceStatus}, so ${arn} is not protected.` };
  const refusal = refusalOf(found, arn);
  if (refusal) return { refusal };
  const facts = instanceFacts(found, tags);
  const resource: Resource = {
    kind: KIND,
    id: arn,
    name,
    createdAt: found.InstanceCreateTime!.toISOString(),
    place: home,
    logDays: facts.retentionDays,
    logInVaults: true,
    outlasts: ['materialise', 'snapshot'],
    facts: asJson(facts),
  };
  return { resource };
}

/** Why an instance cannot be protected, in one sentence that says how to fix it. */
function refusalOf({ DBInstanceIdentifier: name, ...found }: DBInstance, arn: string): string | undefined {
  if (found.DBClusterIdentifier)
    return `DB instance ${name} (${arn}) is a member of the cluster ${found.DBClusterIdentifier}; clusters cannot be protected yet, so take it out of the application.`;
  if (!ENGINES[found.Engine ?? ''])
    return `DB instance ${name} (${arn}) runs ${found.Engine}, and only ${Object.values(ENGINES).join(', ')} can be protected yet; take it out of the application.`;
  if (found.ReadReplicaSourceDBInstanceIdentifier)
    return `DB instance ${name} (${arn}) is a read replica of ${found.ReadReplicaSourceDBInstanceIdentifier}; name that instead, for a replica lags behind the cut.`;
  if (!found.BackupRetentionPeriod)
    return `DB instance ${name} (${arn}) has automated backups turned off, so it could not be had at the instant of the cut; set a backup retention period (console: Modify → Backup; API: ModifyDBInstance).`;
  if (STANDING.includes(found.DBInstanceStatus ?? ''))
    return `DB instance ${name} (${arn}) is ${found.DBInstanceStatus}, so its log would never reach the cut; start it, or take it out of the application.`;
  return undefined;
}
