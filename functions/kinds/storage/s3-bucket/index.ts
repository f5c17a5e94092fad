import { kind } from '../../kind.ts';
import { KIND } from './bucket.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What S3 promises: a versioned bucket keeps every version until someone or a lifecycle rule deletes it, listings are strongly consistent, and
 * `LastModified` has a grain of one second (S3 guide, "Versioning", "Data consistency model"). So what it held at T can be read afterwards.
 */
export default kind({
  name: KIND,
  layer: 'storage',
  cut: 'exact',
  usual: { sealMinutes: 2, copyMinutes: 10 }, // by the number of versions that are new
  quotas: [],
  loses: [
    'The bucket’s name and ARN: what names them is rewired, and what is outside the point keeps the old ones.',
    'Older versions, version ids, times of last change, and the ETags of objects that were uploaded in parts.',
    'The bucket’s policy, ACLs, Object Lock settings, notifications, replication, logging, website, access points and inventories.',
    'Storage classes: everything is restored as STANDARD. What lies in an archive class cannot be copied and fails the copy.',
    'Away from home, the original encryption key: copies are under the vault’s key.',
  ],
  discover,
  capture,
  copy,
  restore,
  preview,
  strays,
  expire,
});
