import { kind } from '../../kind.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';
import { KIND } from './volume.ts';

/**
 * What EBS promises: a snapshot holds the writes that the volume had acknowledged when the call was accepted, and nothing that a host still
 * keeps in its caches (EBS guide, "Create snapshots"). There is no asking for another instant afterwards: the call is the instant.
 */
export default kind({
  name: KIND,
  layer: 'storage',
  cut: 'prompt',
  usual: { sealMinutes: 10, copyMinutes: 30 }, // by what changed since the last one; hours after much (EBS guide, "How snapshots work")
  // EBS guide, "Amazon EBS quotas": the first is raised by AWS Support only
  quotas: [
    { name: 'Concurrent snapshot copies per destination Region', most: 20, at: ['vault'], takes: 'copy' },
    { name: 'Snapshots per Region', most: 100_000, at: ['home', 'vault'], takes: 'point' },
  ],
  loses: [
    'The volume’s id and zone: what names them is rewired, and what is outside the point keeps the old ones.',
    'What a host had not yet written to the volume when the snapshot was accepted, unless a freeze had it flushed.',
    'Attachments to instances, fast snapshot restore, and Recycle Bin rules.',
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
