import type * as SDK from '@aws-sdk/client-rds';
import { MOST_CLUSTERS } from './clusters/make.ts';
import { MOST_CLUSTER_SNAPSHOTS } from './clusters/snapshot.ts';
import { ENGINES } from './engines.ts';
import { MOST_INSTANCES } from './make.ts';
import { paged } from './paging.ts';
import { MOST_SNAPSHOTS } from './snapshot.ts';
import type { RdsState } from './state.ts';

/** What an account may have in a region and has (RDS API, AccountQuota: names as DescribeAccountAttributes gives them). */
export const quotasOf = (state: RdsState): SDK.AccountQuota[] => [
  { AccountQuotaName: 'DBInstances', Used: state.instances.size, Max: MOST_INSTANCES },
  { AccountQuotaName: 'ManualSnapshots', Used: state.snapshots.size, Max: MOST_SNAPSHOTS },
  { AccountQuotaName: 'DBClusters', Used: state.clusters.size, Max: MOST_CLUSTERS },
  { AccountQuotaName: 'ManualClusterSnapshots', Used: state.clusterSnapshots.size, Max: MOST_CLUSTER_SNAPSHOTS },
  { AccountQuotaName: 'DBClusterParameterGroups', Used: state.clusterParameterGroups.size, Max: 50 },
  { AccountQuotaName: 'DBParameterGroups', Used: state.parameterGroups.size, Max: 50 },
  { AccountQuotaName: 'DBSubnetGroups', Used: state.subnetGroups.size, Max: 50 },
  { AccountQuotaName: 'OptionGroups', Used: state.optionGroups.size, Max: 20 },
];

export function describeEngines(
  name: string | undefined,
  version: string | undefined,
  paging: { MaxRecords?: number | undefined; Marker?: string | undefined },
) {
  const all = Object.entries(ENGINES).flatMap(([Engine, { versions, family }]) =>
    versions.map(
      (EngineVersion): SDK.DBEngineVersion => ({ Engine, EngineVersion, DBParameterGroupFamily: family(EngineVersion) }),
    ),
  );
  const matching = all.filter(
    ({ Engine, EngineVersion }) => (!name || Engine === name) && (!version || EngineVersion === version),
  );
  const { page, ...next } = paged(matching, paging);
  return { DBEngineVersions: page, ...next };
}
