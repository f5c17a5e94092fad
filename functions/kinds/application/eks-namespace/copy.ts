import { type Door, verb } from '../../../aws/verb.ts';
import type { Artifact, Item, Place } from '../../../domain.ts';
import { bundleCopying, copyBundle, type Keeping } from '../../../vault/bundles.ts';
import { envelopeCopying, rewrapKey } from '../../../vault/envelope.ts';
import { allAnswered, failing } from '../../items.ts';
import { type CopyWork, done, type Passage, type Started, started } from '../../kind.ts';
import { markerId, markerListing, markerOf, markerWriting, putMarkerOnce, readMarker, sharing } from './marker.ts';
import { factsOf } from './namespace.ts';

const pulling = { ...bundleCopying, ...envelopeCopying, ...markerWriting, ...markerListing };

/**
 * Pulls the two bundles and wraps the data key of the sealed one again, so that the vault needs nothing of home. `start` puts the marker;
 * `settle` pulls once nobody's expiry, begun before that, can take away any more what is found there already (see marker.ts).
 */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    markerWriting,
    (aws, works: readonly CopyWork[]): Promise<Item<Artifact>[]> =>
      allAnswered(
        works.map((work) =>
          put(aws, work)
            .then(() => started(work.resource.id, {}, 'Its bundles are being pulled.'))
            .catch(failing(work.resource.id, 'Its bundles could not be copied')),
        ),
      ),
  ),
  settle: verb(
    pulling,
    (aws, works: readonly Started<CopyWork>[], { home }): Promise<Item<Artifact>[]> =>
      allAnswered(
        works.map((work) => settle(aws, home, work).catch(failing(work.resource.id, 'Its bundles could not be copied'))),
      ),
  ),
};

const nameOf = ({ vault, resource, point, cut }: CopyWork) => markerOf(vault.place, resource, point, cut);
const keepingOf = ({ vault, keepUntil }: CopyWork): Keeping => ({ vault, ...(keepUntil ? { keepUntil } : {}) });

const copied = (work: CopyWork): Artifact => ({
  ...work.artifact,
  id: markerId(nameOf(work)),
  place: work.vault.place,
  endurance: 'durable',
});

const put = (aws: Door<typeof markerWriting>, work: CopyWork) => putMarkerOnce(aws, nameOf(work), { artifact: copied(work) });

async function pull(aws: Door<typeof pulling>, home: Place, work: CopyWork): Promise<void> {
  const { manifests, secrets } = factsOf(work.artifact);
  const keeping = keepingOf(work);
  await allAnswered([
    copyBundle(aws, home, manifests, keeping),
    copyBundle(aws, home, secrets, keeping),
    rewrapKey(aws, home, secrets, work.point.application, keeping),
  ]);
}

async function settle(aws: Door<typeof pulling>, home: Place, work: Started<CopyWork>): Promise<Item<Artifact>> {
  const others = await Promise.all((await sharing(aws, work.vault.place, nameOf(work))).map((name) => readMarker(aws, name)));
  if (others.some((marker) => marker?.condemned)) {
    return started(work.resource.id, {}, 'An earlier copy of the same cut is being deleted; its end is waited for.');
  }
  await put(aws, work);
  await pull(aws, home, work);
  return done(work.resource.id, copied(work));
}
