import { verb } from '../../../aws/verb.ts';
import type { Preview } from '../../../domain.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import { keyOf, renamesOf } from './restore.ts';
import { describing, findSnapshots } from './snapshots.ts';
import { factsOf, KIND } from './volume.ts';
import { zoneFor, zonesOf, zoning } from './zones.ts';

/** CreateVolume takes about a minute whatever the size; blocks are then fetched from S3 as they are read (EBS guide, "Initialize volumes"). */
const MINUTES = 2;
const NOT_YET = 'known once made';

export const preview = verb(
  { ...describing, ...zoning, ...looksAtKeys },
  async (aws, works: readonly RestoreWork[]): Promise<Preview[]> => {
    const snapshots = await findSnapshots(
      aws,
      works.map(({ artifact }) => artifact.id),
    );
    return Promise.all(
      works.map(async (work) => {
        const { resource, artifact, target } = work;
        const facts = factsOf(resource);
        const zone = zoneFor(facts.zone, await zonesOf(aws, target));
        const key = keyOf(work);
        const state = snapshots.get(artifact.id)?.State;
        const lacks = [
          ...(state === 'completed'
            ? []
            : [
                `Snapshot ${artifact.id} of ${resource.name} is ${state ?? 'not'} in ${artifact.place.region}; choose another restore point.`,
              ]),
          ...(zone ? [] : [`No zone of ${target.place.region} is available; name one under the vault's target.zones.`]),
          ...(key === null ? [] : await troubleWithKey(aws, key, target.place)),
        ];
        return {
          resource: resource.id,
          kind: KIND,
          creates: [`a ${facts.type} volume of ${facts.size} GiB in ${zone ?? target.place.region} from ${artifact.id}`],
          binds: [],
          renames: renamesOf(work, NOT_YET, zone ?? NOT_YET).map((rename) =>
            rename.what === 'volume ARN' ? { ...rename, is: NOT_YET } : rename,
          ),
          lacks,
          notes: [],
          minutes: MINUTES,
        };
      }),
    );
  },
);
