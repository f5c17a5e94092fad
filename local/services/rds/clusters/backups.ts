import type * as SDK from '@aws-sdk/client-rds';
import { operations, refuse } from '../../../world/service.ts';
import { paged, passes } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { clusterBackupsOf, describeClusterBackup } from './backup.ts';

export const clusterBackups = operations<typeof SDK, RdsState>()({
  /** Of clusters that are there as of those that are gone (RDS API, DescribeDBClusterAutomatedBackups); none is an empty list. */
  DescribeDBClusterAutomatedBackups({ DbClusterResourceId, DBClusterIdentifier, Filters, ...paging }, { state }) {
    const described = clusterBackupsOf(state)
      .filter(
        ({ cluster }) =>
          (!DbClusterResourceId || cluster.resourceId.toLowerCase() === DbClusterResourceId.toLowerCase()) &&
          (!DBClusterIdentifier || cluster.id === DBClusterIdentifier.toLowerCase()),
      )
      .map((backup) => describeClusterBackup(backup, state))
      .filter(({ Status, DBClusterIdentifier: id, DbClusterResourceId: resource }) =>
        passes(Filters, { status: [Status], 'db-cluster-id': [id], 'db-cluster-resource-id': [resource] }),
      );
    const { page, ...next } = paged(described, paging);
    return { DBClusterAutomatedBackups: page, ...next };
  },

  DeleteDBClusterAutomatedBackup({ DbClusterResourceId }, { state }) {
    const found = [...state.clusterBackups.values()].find(({ cluster }) => cluster.resourceId === DbClusterResourceId);
    if (!found) return refuse('DBClusterAutomatedBackupNotFoundFault', 'Automated backup not found.', { status: 404 });
    state.clusterBackups.delete(found.id);
    return { DBClusterAutomatedBackup: { ...describeClusterBackup(found, state), Status: 'deleting' } };
  },
});
