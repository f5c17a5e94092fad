import type { DBInstance } from '@aws-sdk/client-rds';
import { composed, verb } from '../../../aws/verb.ts';
import { asJson } from '../../items.ts';
import { type Asked, discovering, inScope, type Looked } from '../rds/discover.ts';
import { nameIn, rdsArn } from '../rds/names.ts';
import { asDatabase, ENGINES, instanceFacts } from './instance.ts';
import { findInstance, instances, looksAtInstances } from './instances.ts';

const described = verb(looksAtInstances, (aws, arn: string) => findInstance(aws, nameIn(arn)));

const look = composed({ described, inScope }, async (aws, asked: Asked, { here }): Promise<Looked | undefined> => {
  const found = await aws.described(asked.arn);
  if (!found) return undefined;
  const database = asDatabase(found);
  const facts = instanceFacts(found, database.tags);
  const { DBClusterIdentifier: cluster } = found;
  const { application, named } = asked;
  const clusters =
    cluster && !named ? [...application.resources.arns, ...(await aws.inScope({ application, type: 'rds:cluster' }))] : [];
  return {
    ...database,
    facts: { ...asJson(facts), retentionDays: facts.retentionDays, key: facts.key },
    refusal: refusalOf(found, asked.arn),
    elsewhere: cluster !== undefined && clusters.includes(rdsArn(here, 'cluster', cluster)),
  };
});

/** Instances by the application's tags and ARNs. One without automated backups, or of an engine that is not known here, is refused; the members of a cluster are the cluster's. */
export const discover = discovering(instances, look);

/** Why an instance cannot be protected, in one sentence that says how to fix it. */
function refusalOf({ DBInstanceIdentifier: name, ...found }: DBInstance, arn: string): string | undefined {
  const it = `DB instance ${name} (${arn})`;
  if (found.DBClusterIdentifier)
    return `${it} is a member of the cluster ${found.DBClusterIdentifier}, which is protected as a whole; name that instead, or give it the application's tags.`;
  if (!ENGINES[found.Engine ?? ''])
    return `${it} runs ${found.Engine}, and only ${Object.values(ENGINES).join(', ')} can be protected yet; take it out of the application.`;
  if (found.ReadReplicaSourceDBInstanceIdentifier)
    return `${it} is a read replica of ${found.ReadReplicaSourceDBInstanceIdentifier}; name that instead, for a replica lags behind the cut.`;
  if (!found.BackupRetentionPeriod)
    return `${it} has automated backups turned off, so it could not be had at the instant of the cut; set a backup retention period (console: Modify → Backup; API: ModifyDBInstance).`;
  return undefined;
}
