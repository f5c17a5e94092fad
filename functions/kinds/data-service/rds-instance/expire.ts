import { type DBSnapshot, DeleteDBInstanceCommand, DeleteDBSnapshotCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { type Place, samePlace } from '../../../domain.ts';
import { DATABASE_EXPORTS, dataBucket, databaseExportPrefix, stagingBucket } from '../../../vault/layout.ts';
import { inParallel, why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, history, objectDeleting, objectListing } from '../../objects.ts';
import { tagMap } from '../../scope.ts';
import { findInstance, findSnapshot, looksAtInstances, looksAtSnapshots } from './describe.ts';
import { isInstanceArn, isSnapshotArn, KIND, nameIn, snapshotArn } from './instance.ts';

const { again } = calls('rds', RDSClient);

const looking = { ...looksAtInstances, ...looksAtSnapshots, ...objectListing };
const deleting = {
  ...looking,
  ...objectDeleting,
  deleteSnapshot: again(DeleteDBSnapshotCommand),
  deleteInstance: again(DeleteDBInstanceCommand),
};
type Looking = Door<typeof looking>;
type Deleting = Door<typeof deleting>;

/** Snapshots that bear the application's stamp, the files of their exports, and temporary instances that were left over. */
export const strays = verb(looking, async (aws, { application }: StraysScope, { here, home }): Promise<Stray[]> => {
  const bearing = [...(await ourSnapshots(aws)), ...(await temporaryInstances(aws))].filter(
    ({ tags }) => tags.get(TAG.application) === application && tags.has(TAG.restorePoint),
  );
  const found = bearing.map(({ id, tags, createdAt }): Stray => {
    const cut = tags.get(TAG.cut);
    return {
      kind: KIND,
      id,
      restorePoint: tags.get(TAG.restorePoint)!,
      ...(cut === undefined ? {} : { cut }),
      resource: tags.get(TAG.resource) ?? '',
      createdAt,
    };
  });
  const known = new Set(found.map(({ id }) => id));
  const files = await exportsIn(aws, application, here, home);
  return [...found, ...files.filter(({ id }) => !known.has(id))];
});

interface Bearing {
  readonly id: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly createdAt: string;
}

async function ourSnapshots(aws: Looking): Promise<Bearing[]> {
  const all: DBSnapshot[] = [];
  let Marker: string | undefined;
  do {
    const page = await aws.snapshots({ SnapshotType: 'manual', ...(Marker ? { Marker } : {}) });
    all.push(...(page.DBSnapshots ?? []));
    Marker = page.Marker || undefined;
  } while (Marker);
  return all.map(({ DBSnapshotArn, TagList, SnapshotCreateTime, InstanceCreateTime }) => ({
    id: DBSnapshotArn!,
    tags: tagMap(TagList),
    createdAt: (SnapshotCreateTime ?? InstanceCreateTime)!.toISOString(),
  }));
}

/** What a restore made bears our tags too, and is nobody's to delete. */
async function temporaryInstances(aws: Looking): Promise<Bearing[]> {
  const found: Bearing[] = [];
  let Marker: string | undefined;
  do {
    const page = await aws.instances(Marker ? { Marker } : {});
    for (const { DBInstanceArn, DBInstanceStatus, InstanceCreateTime, TagList } of page.DBInstances ?? []) {
      const tags = tagMap(TagList);
      if (isTemporary(tags) && DBInstanceStatus !== 'deleting')
        found.push({ id: DBInstanceArn!, tags, createdAt: (InstanceCreateTime ?? new Date(0)).toISOString() });
    }
    Marker = page.Marker || undefined;
  } while (Marker);
  return found;
}

const isTemporary = (tags: ReadonlyMap<string, string>): boolean => tags.has(TAG.cut) && !tags.has(TAG.restore);

/** Files of exports whose snapshots are gone, by the ARN that the snapshot had. */
async function exportsIn(aws: Looking, application: string, here: Place, home: Place): Promise<Stray[]> {
  const found = new Map<string, Stray>();
  for (const bucket of bucketsAt(here, samePlace(here, home))) {
    const list = async () => {
      for await (const { key, modified } of history(aws, bucket, DATABASE_EXPORTS)) {
        const [, snapshot = '', of, slot, attempt] = key.split('/');
        const id = snapshotArn(here, snapshot);
        if (of === application)
          found.set(id, {
            kind: KIND,
            id,
            restorePoint: `${slot}/${attempt}`,
            resource: '',
            createdAt: new Date(modified).toISOString(),
          });
      }
    };
    await list().catch(when('NoSuchBucket', () => undefined));
  }
  return [...found.values()];
}

const bucketsAt = (here: Place, atHome: boolean): string[] =>
  atHome ? [stagingBucket(here), dataBucket(here)] : [dataBucket(here)];

/** Deletes snapshots with the files of their exports, and temporary instances. A promise of a log ends by itself. */
export const expire = verb(
  deleting,
  (aws, works: readonly Expiry[], { here, home }): Promise<Expired[]> =>
    inParallel(works, 5, ({ id }) =>
      remove(aws, id, here, samePlace(here, home)).catch((error) => ({
        id,
        gone: false,
        why: why(`${id} could not be deleted`)(error),
      })),
    ),
);

async function remove(aws: Deleting, id: string, here: Place, atHome: boolean): Promise<Expired> {
  const left = (reason: string): Expired => ({ id, gone: false, why: reason });
  if (isSnapshotArn(id)) {
    const snapshot = await findSnapshot(aws, nameIn(id));
    if (snapshot && !tagMap(snapshot.TagList).has(TAG.restorePoint))
      return left(`${id} does not bear the tag ${TAG.restorePoint}, so it was not made here and is left alone.`);
    const reason = await deleteFiles(aws, nameIn(id), bucketsAt(here, atHome));
    if (reason) return left(`${reason}.`);
    if (snapshot)
      await aws.deleteSnapshot({ DBSnapshotIdentifier: nameIn(id) }).catch(when('DBSnapshotNotFoundFault', () => undefined));
    return { id, gone: true };
  }
  if (isInstanceArn(id)) {
    const found = await findInstance(aws, nameIn(id));
    if (!found || found.DBInstanceStatus === 'deleting') return { id, gone: true };
    if (!isTemporary(tagMap(found.TagList))) return left(`${id} is no temporary instance of ours, so it is left alone.`);
    await aws
      .deleteInstance({ DBInstanceIdentifier: nameIn(id), SkipFinalSnapshot: true, DeleteAutomatedBackups: true })
      .catch(when('DBInstanceNotFoundFault', () => undefined));
    return { id, gone: true };
  }
  return left(`${id} is a promise of a log, which ends by itself; there is nothing to delete.`);
}

async function deleteFiles(aws: Deleting, snapshot: string, buckets: readonly string[]): Promise<string | undefined> {
  for (const bucket of buckets) {
    const versions = await Array.fromAsync(history(aws, bucket, `${databaseExportPrefix(snapshot)}/`)).catch(
      when('NoSuchBucket', () => []),
    );
    const [reason] = await deleteVersions(aws, bucket, versions);
    if (reason) return reason;
  }
  return undefined;
}
