import type * as SDK from '@aws-sdk/client-rds';
import { ENGINES } from './engines.ts';
import { MOST_INSTANCES } from './make.ts';
import { paged } from './paging.ts';
import { MOST_SNAPSHOTS } from './snapshot.ts';
import type { RdsState } from './state.ts';

/** What an account may have in a region and has (RDS API, AccountQuota: names as DescribeAccountAttributes gives them). */
export const quotasOf = (state: RdsState): SDK.AccountQuota[] => [
  { AccountQuotaName: 'DBInstances', Used: state.instances.size, Max: MOST_INSTANCES },
  { AccountQuotaName: 'ManualSnapshots', Used: state.snapshots.size, Max: MOST_SNAPSHOTS },
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
