import { kind } from '../../kind.ts';
import { capturing, snapshotting } from '../rds/capture.ts';
import { copying } from '../rds/copy.ts';
import { expiring, straysOf } from '../rds/expire.ts';
import { clusters } from './clusters.ts';
import { discover } from './discover.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What Aurora promises: a cluster can be had as it was at any second of the last days, up to some five minutes ago (Aurora guide, "Restoring a
 * DB cluster to a specified time"); but its log never leaves its region. So where a vault keeps copies every point is made a snapshot, and
 * that takes no instances: a volume is restored, snapshotted and removed.
 */
export default kind({
  name: clusters.kind,
  layer: 'data-service',
  cut: 'exact',
  usual: { sealMinutes: 45, copyMinutes: 30 }, // what a vault keeps is restored to T and snapshotted before it is sealed
  // Aurora guide, "Quotas and constraints for Amazon Aurora"
  quotas: [
    { name: 'Snapshot copies in progress per destination Region', most: 5, at: ['vault'], takes: 'copy' },
    { name: 'Manual DB cluster snapshots', most: 100, at: ['home', 'vault'], takes: 'copied' },
  ],
  loses: [
    'The cluster’s and its instances’ names, endpoints and ARNs: what names them is rewired, and what is outside the point keeps the old ones.',
    'Custom endpoints, which are made anew for the restored instances.',
    'Its resource id, which IAM policies for database logins name (`rds-db:connect`).',
    'A master user secret that RDS manages: the restored cluster keeps the password that it had; hand it to RDS again (ModifyDBCluster).',
    'Membership in a global database, auto scaling of its readers, proxies, event subscriptions, alarms, activity streams, enhanced monitoring, Performance Insights and associated roles.',
    'What Backtrack could undo: a restored cluster begins with nothing to turn back to.',
    'Changes of its parameter groups since the cut: groups are taken as the target has them.',
    'A lock: neither the log nor a snapshot of RDS can be locked against those who may delete it.',
    'Away from home, the original encryption key: snapshots there are under the vault’s.',
  ],
  discover,
  capture: capturing(clusters),
  snapshot: snapshotting(clusters),
  copy: copying(clusters),
  restore,
  preview,
  strays: straysOf(clusters),
  expire: expiring(clusters),
});
