import { kind } from '../../kind.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';
import { KIND } from './table.ts';

/**
 * What DynamoDB promises: with point-in-time recovery on, the table can be had as it was at any second of the last days, from some five minutes
 * ago on (DynamoDB guide, "Point-in-time recovery"). An on-demand backup may be a minute off to either side, so it is not used.
 */
export default kind({
  name: KIND,
  layer: 'data-service',
  cut: 'exact',
  usual: { sealMinutes: 6, copyMinutes: 30 }, // the log reaches T five minutes later; an export takes tens of minutes whatever its size
  // DynamoDB guide, "Service, account, and table quotas"
  quotas: [{ name: 'Concurrent exports to S3', most: 300, at: ['vault'], takes: 'copy' }],
  loses: [
    'The table’s name, ARN and stream ARN: what names them is rewired, and what is outside the point keeps the old ones.',
    'The records of its stream, and where consumers stood in it.',
    'Auto scaling, resource policies, alarms, contributor insights, Kinesis destinations and replicas of a global table.',
    'At home, changes of indexes, billing or encryption since the cut are not undone; the report names them.',
    'Away from home, the original encryption key: the copy is under the vault’s key.',
  ],
  discover,
  capture,
  copy,
  restore,
  preview,
  strays,
  expire,
});
