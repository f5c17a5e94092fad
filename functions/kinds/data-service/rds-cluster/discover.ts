import { type DBCluster, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { verb } from '../../../aws/verb.ts';
import { asJson } from '../../items.ts';
import { everyPage } from '../rds/databases.ts';
import { type Asked, discovering, type Looked } from '../rds/discover.ts';
import { nameIn } from '../rds/names.ts';
import { asDatabase, clusterFacts, ENGINES } from './cluster.ts';
import { clusters, findCluster, looksAtClusters } from './clusters.ts';

export const looksAtMembers = { instances: calls('rds', RDSClient).read(DescribeDBInstancesCommand) };

const look = verb({ ...looksAtClusters, ...looksAtMembers }, async (aws, { arn }: Asked): Promise<Looked | undefined> => {
  const found = await findCluster(aws, nameIn(arn));
  if (!found) return undefined;
  const members = await everyPage(async (marker) => {
    const Filters = [{ Name: 'db-cluster-id', Values: [found.DBClusterIdentifier!] }];
    const { DBInstances, Marker } = await aws.instances({ Filters, ...marker });
    return { found: DBInstances, Marker };
  });
  const database = asDatabase(found);
  const facts = clusterFacts(found, members, database.tags);
  return {
    ...database,
    facts: { ...asJson(facts), retentionDays: facts.retentionDays, key: facts.key },
    refusal: refusalOf(found, arn),
  };
});

/** Clusters by the application's tags and ARNs, with their instances. What is called a cluster and is none of Aurora's is refused. */
export const discover = discovering(clusters, look);

/** Multi-AZ DB clusters are of the engines of instances; DocumentDB and Neptune are told of by the same call (RDS API, DescribeDBClusters). */
const MULTI_AZ = ['postgres', 'mysql'];
/** The only mode of clusters whose capacity is that of their instances (RDS API, DBCluster, EngineMode). */
const MODE = 'provisioned';

/** Why a cluster cannot be protected, in one sentence that says how to fix it. */
function refusalOf({ DBClusterIdentifier: name, ...found }: DBCluster, arn: string): string | undefined {
  const it = `DB cluster ${name} (${arn})`;
  const { Engine: engine = '', EngineMode: mode = MODE } = found;
  if (MULTI_AZ.includes(engine))
    return `${it} is a Multi-AZ DB cluster of ${engine}, and only Aurora's clusters can be protected yet; take it out of the application, or move it to a Multi-AZ DB instance or to Aurora.`;
  if (!ENGINES[engine])
    return `${it} runs ${engine}, and only ${Object.values(ENGINES).join(', ')} can be protected yet; take it out of the application.`;
  if (mode !== MODE)
    return `${it} is of the engine mode "${mode}", and only "${MODE}" can be protected; move it to Serverless v2 or provisioned instances.`;
  if (found.ReplicationSourceIdentifier)
    return `${it} follows ${found.ReplicationSourceIdentifier}; name that instead, for what follows lags behind the cut.`;
  return undefined;
}
