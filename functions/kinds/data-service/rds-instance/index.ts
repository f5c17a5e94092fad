import { kind } from '../../kind.ts';
import { capturing, snapshotting } from '../rds/capture.ts';
import { copying } from '../rds/copy.ts';
import { expiring, straysOf } from '../rds/expire.ts';
import { discover } from './discover.ts';
import { instances } from './instances.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What RDS promises: with automated backups on, an instance can be had as it was at any second of the last days, up to some five minutes ago
 * (RDS guide, "Restoring a DB instance to a specified time"); and in another region too, somewhat later, where the backups are replicated.
 */
export default kind({
  name: instances.kind,
  layer: 'data-service',
  cut: 'exact',
  usual: { sealMinutes: 6, copyMinutes: 15 }, // the log reaches T five minutes later, its replica some minutes after that
  // RDS guide, "Quotas and constraints for Amazon RDS"
  quotas: [
    { name: 'Cross-Region automated backups', most: 20, at: ['vault'], takes: 'member' },
    {
      name: 'Manual DB instance snapshots',
      most: 100,
      at: ['home', 'vault'],
      takes: 'outlasting',
      by: ['materialise', 'snapshot'],
    },
  ],
  loses: [
    'The instance’s name, endpoint and ARN: what names them is rewired, and what is outside the point keeps the old ones.',
    'Its resource id, which IAM policies for database logins name (`rds-db:connect`).',
    'A master user secret that RDS manages: the restored instance keeps the password that it had; hand it to RDS again (ModifyDBInstance).',
    'Read replicas, proxies, event subscriptions, alarms, enhanced monitoring, Performance Insights and associated roles.',
    'Changes of its parameter and option groups since the cut: groups are taken as the target has them.',
    'A lock: neither the log nor a snapshot of RDS can be locked against those who may delete it.',
    'Away from home, the original encryption key: replicas have the key that they were set up with, snapshots the vault’s.',
  ],
  discover,
  capture: capturing(instances),
  snapshot: snapshotting(instances),
  copy: copying(instances),
  restore,
  preview,
  strays: straysOf(instances),
  expire: expiring(instances),
});
