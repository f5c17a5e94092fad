import { type Door, verb } from '../../../aws/verb.ts';
import type { Preview } from '../../../domain.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import { lookingAtPoints, troubleWithPoint } from '../aws-backup.ts';
import { factsOf, KIND } from './file-system.ts';
import { lookingAtSubnets, mountsOf } from './mounts.ts';
import { renamesToCome } from './renames.ts';
import { keyFor } from './restore.ts';

const looking = { ...lookingAtPoints, ...lookingAtSubnets, ...looksAtKeys };

/** A job rests in its queue first, and then goes at some 100 MB a second (AWS Backup guide, "Amazon EFS performance"). */
const QUEUE_MINUTES = 15;
const BYTES_A_MINUTE = 6_000_000_000;

export const preview = verb(
  looking,
  (aws, works: readonly RestoreWork[]): Promise<Preview[]> => Promise.all(works.map((work) => look(aws, work))),
);

async function look(aws: Door<typeof looking>, work: RestoreWork): Promise<Preview> {
  const { resource, artifact, target } = work;
  const { performanceMode, accessPoints, bytes, zone } = factsOf(resource);
  const key = keyFor(work);
  const { mounts, lacks } = await mountsOf(aws, work);
  const { from, to } = artifact.interval;
  return {
    resource: resource.id,
    kind: KIND,
    creates: [
      `a ${performanceMode} file system in ${target.place.region} from ${artifact.id}`,
      ...accessPoints.map(({ root }) => `an access point to ${root}`),
      ...mounts.map((mount) => `a mount target in ${mount.subnet} (${mount.zone})`),
    ],
    binds: [],
    renames: renamesToCome(work),
    lacks: [
      ...(await troubleWithPoint(aws, work)),
      ...(key === null ? [] : await troubleWithKey(aws, key, target.place)),
      ...lacks,
    ],
    notes: [
      `Each of its files is as it was at some time from ${from} to ${to}.`,
      ...(zone === null ? [] : [`${resource.name} was in the one zone ${zone}; a Regional file system is made.`]),
    ],
    minutes: QUEUE_MINUTES + Math.ceil(bytes / BYTES_A_MINUTE),
  };
}
