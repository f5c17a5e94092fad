import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { clusterBackups } from './clusters/backups.ts';
import { clusters } from './clusters/clusters.ts';
import { clusterParameterGroups } from './clusters/parameter-groups.ts';
import { clusterRestores } from './clusters/restores.ts';
import { clusterSnapshots } from './clusters/snapshots.ts';
import { exportTasks } from './exports/exports.ts';
import { optionGroups } from './groups/option-groups.ts';
import { parameterGroups } from './groups/parameter-groups.ts';
import { subnetGroups } from './groups/subnet-groups.ts';
import { instances } from './instances.ts';
import { modify } from './modify.ts';
import { replication } from './replication.ts';
import { restores } from './restores.ts';
import { snapshots } from './snapshots.ts';
import { RdsState } from './state.ts';
import { tags } from './tags.ts';

export const service = defineService<RdsState>({
  name: 'rds',
  sdk: () => import('@aws-sdk/client-rds'),
  client: 'RDSClient',
  scope: 'region',
  state: (context) => new RdsState(context),
  authorization,
  operations: {
    ...instances,
    ...modify,
    ...snapshots,
    ...restores,
    ...replication,
    ...clusters,
    ...clusterSnapshots,
    ...clusterRestores,
    ...clusterBackups,
    ...clusterParameterGroups,
    ...parameterGroups,
    ...subnetGroups,
    ...optionGroups,
    ...exportTasks,
    ...tags,
  },
});
