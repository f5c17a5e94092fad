import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Artifact, Item } from '../../../domain.ts';
import { bundleCopying, copyBundle, type Keeping, retention } from '../../../vault/bundles.ts';
import { dataBucket } from '../../../vault/layout.ts';
import { asJson, failing } from '../../items.ts';
import { type CopyWork, done, type Passage, type Started, started } from '../../kind.ts';
import { copyObject, current, type Entry, LOCKING, objectCopying, objectListing, withinBudget } from '../../objects.ts';
import { digestOf, type ExportFacts, exportAt, exportId, rootOf } from './exports.ts';

const pulling = {
  ...objectCopying('home', LOCKING),
  ...objectListing,
  homesVersions: calls('s3', S3Client).read(ListObjectVersionsCommand, { at: 'home' }),
};
type Pulling = Door<typeof pulling>;

/** Pulls the table's definition, then every object of the export out of home's staging bucket. What is there already tells how far it got. */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    bundleCopying,
    (aws, works: readonly CopyWork[], { home }): Promise<Item<Artifact>[]> =>
      Promise.all(
        works.map((work) =>
          copyBundle(aws, home, factsOf(work).definition, keepingOf(work))
            .then(() => started(work.resource.id, {}))
            .catch(failing(work.resource.id, 'Its export could not be copied')),
        ),
      ),
  ),
  settle: verb(pulling, async (aws, works: readonly Started<CopyWork>[], scene): Promise<Item<Artifact>[]> => {
    const items: Item<Artifact>[] = [];
    // One after the other, for each uses the whole budget of parallel copies.
    for (const work of works)
      items.push(await pull(aws, work, scene).catch(failing(work.resource.id, 'Its export could not be copied')));
    return items;
  }),
};

const factsOf = ({ artifact }: CopyWork): ExportFacts => artifact.facts as unknown as ExportFacts;
const keepingOf = ({ vault, keepUntil }: CopyWork): Keeping => ({ vault, ...(keepUntil ? { keepUntil } : {}) });

async function pull(aws: Pulling, work: CopyWork, { clock }: Scene): Promise<Item<Artifact>> {
  const { resource, vault, artifact } = work;
  const facts = factsOf(work);
  const lies = exportAt(dataBucket(vault.place), work.point, resource.name);
  const source = await sourceOf(aws, facts);
  const there = await current(aws, lies.bucket, `${lies.prefix}/`);
  const rename = (key: string) => `${lies.prefix}${key.slice(facts.prefix.length)}`;
  const missing = source.filter(({ key, size }) => there.get(rename(key))?.size !== size);
  const copied = await withinBudget(missing, clock, ({ key, versionId, size }) =>
    copyObject(aws, {
      from: { Bucket: facts.bucket, Key: key, ...(versionId === 'null' ? {} : { VersionId: versionId }) },
      size,
      to: { Bucket: lies.bucket, Key: rename(key), ...retention(keepingOf(work)) },
    }),
  );
  if (copied > 0)
    return started(
      resource.id,
      {},
      `${source.length - missing.length + copied} of ${source.length} objects of its export are copied.`,
    );
  const { restorableUntil: _, ...kept } = artifact; // an export does not end with the log's window
  return done(resource.id, {
    ...kept,
    id: exportId(lies),
    place: vault.place,
    endurance: 'durable',
    facts: asJson({
      ...facts,
      ...lies,
      manifest: rename(facts.manifest),
      digest: digestOf(there.values(), lies.prefix),
    } satisfies ExportFacts),
  });
}

/** The objects of the export at home; refused where its summary, which is written last, is not among them. */
async function sourceOf(aws: Pulling, { bucket, prefix, exportArn, manifest }: ExportFacts): Promise<Entry[]> {
  const objects = [...(await current({ versions: aws.homesVersions }, bucket, rootOf(exportArn, prefix))).values()];
  if (objects.some(({ key }) => key === manifest)) return objects;
  throw new Permanent(
    `${bucket}/${manifest} is not there any more; a staged export is kept for a few days only, so copies must be made within them.`,
  );
}
