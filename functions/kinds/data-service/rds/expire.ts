import { when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import { atHome, composed, type Door, verb } from '../../../aws/verb.ts';
import { type Place, samePlace } from '../../../domain.ts';
import { DATABASE_EXPORTS, dataBucket, databaseExportPrefix, stagingBucket } from '../../../vault/layout.ts';
import { inParallel, why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, history, objectDeleting, objectListing } from '../../objects.ts';
import { type Database, type Databases, GONE, SNAPSHOT_GONE } from './databases.ts';
import { isNameFor, isRdsArn, nameIn, rdsArn } from './names.ts';

/** Snapshots that bear the application's stamp, the files of their exports, and at home temporary databases that were left over. */
export const straysOf = (of: Databases) =>
  composed(
    { list: atHome(of.list), listSnapshots: of.listSnapshots, exportsIn: exportsIn(of) },
    async (aws, { application }: StraysScope, { here, home }): Promise<Stray[]> => {
      const databases = samePlace(here, home) ? await aws.list(undefined) : [];
      const temporary = databases.filter(({ tags, status }) => isTemporary(tags) && status !== 'deleting');
      const found = [...(await aws.listSnapshots(undefined)), ...temporary]
        .filter(({ tags }) => tags.get(TAG.application) === application && tags.has(TAG.restorePoint))
        .map(({ arn: id, tags, createdAt }): Stray => {
          const cut = tags.get(TAG.cut);
          return {
            kind: of.kind,
            id,
            restorePoint: tags.get(TAG.restorePoint)!,
            ...(cut === undefined ? {} : { cut }),
            resource: tags.get(TAG.resource) ?? '',
            createdAt,
          };
        });
      const known = new Set(found.map(({ id }) => id));
      return [...found, ...(await aws.exportsIn(application)).filter(({ id }) => !known.has(id))];
    },
  );

/** What a restore made bears our tags too, and is nobody's to delete. */
const isTemporary = (tags: ReadonlyMap<string, string>): boolean => tags.has(TAG.cut) && !tags.has(TAG.restore);

/** Files of exports, by the ARN that their snapshot has or had. */
const exportsIn = (of: Databases) =>
  verb(objectListing, async (aws, application: string, { here, home }): Promise<Stray[]> => {
    const found = new Map<string, Stray>();
    for (const bucket of bucketsAt(here, home)) {
      const list = async () => {
        for await (const { key, modified } of history(aws, bucket, DATABASE_EXPORTS)) {
          const [, snapshot = '', owner, slot, attempt] = key.split('/');
          if (owner !== application || !isNameFor(of.prefix, snapshot)) continue;
          const id = rdsArn(here, of.snapshotType, snapshot);
          const createdAt = new Date(modified).toISOString();
          found.set(id, { kind: of.kind, id, restorePoint: `${slot}/${attempt}`, resource: '', createdAt });
        }
      };
      await list().catch(when('NoSuchBucket', () => undefined));
    }
    return [...found.values()];
  });

const bucketsAt = (here: Place, home: Place): string[] =>
  samePlace(here, home) ? [stagingBucket(here), dataBucket(here)] : [dataBucket(here)];

const filesGone = verb(objectDeleting, (aws, snapshot: string, { here, home }) =>
  deleteFiles(aws, snapshot, bucketsAt(here, home)),
);

/** Deletes snapshots with the files of their exports, and temporary databases. A promise of a log ends by itself. */
export const expiring = (of: Databases) =>
  composed(
    {
      find: atHome(of.find),
      findSnapshot: of.findSnapshot,
      deleteSnapshot: of.deleteSnapshot,
      remove: atHome(of.remove),
      filesGone,
    },
    (aws, works: readonly Expiry[], { here, home }): Promise<Expired[]> => {
      const gone = (id: string): Expired => ({ id, gone: true });
      const left = (id: string, why: string): Expired => ({ id, gone: false, why });

      async function endSnapshot(id: string): Promise<Expired> {
        const snapshot = await aws.findSnapshot(nameIn(id));
        if (snapshot && !snapshot.tags.has(TAG.restorePoint))
          return left(id, `${id} does not bear the tag ${TAG.restorePoint}, so it was not made here and is left alone.`);
        const reason = await aws.filesGone(nameIn(id));
        if (reason) return left(id, `${reason}.`);
        if (snapshot) await aws.deleteSnapshot(nameIn(id)).catch(when(SNAPSHOT_GONE, () => undefined));
        return gone(id);
      }

      async function endTemporary(id: string): Promise<Expired> {
        if (!samePlace(here, home)) return left(id, `${id} is not where captures are made, so it is left alone.`);
        const found: Database | undefined = await aws.find(nameIn(id));
        if (!found || found.status === 'deleting') return gone(id);
        if (!isTemporary(found.tags)) return left(id, `${id} is no temporary ${of.short} of ours, so it is left alone.`);
        await aws.remove(nameIn(id)).catch(when(GONE, () => undefined));
        return gone(id);
      }

      async function end(id: string): Promise<Expired> {
        if (isRdsArn(id, of.snapshotType)) return endSnapshot(id);
        if (isRdsArn(id, of.type)) return endTemporary(id);
        return left(id, `${id} is a promise of a log, which ends by itself; there is nothing to delete.`);
      }
      return inParallel(works, 5, ({ id }) => end(id).catch((error) => left(id, why(`${id} could not be deleted`)(error))));
    },
  );

async function deleteFiles(
  aws: Door<typeof objectDeleting>,
  snapshot: string,
  buckets: readonly string[],
): Promise<string | undefined> {
  for (const bucket of buckets) {
    const versions = await Array.fromAsync(history(aws, bucket, `${databaseExportPrefix(snapshot)}/`)).catch(
      when('NoSuchBucket', () => []),
    );
    const [reason] = await deleteVersions(aws, bucket, versions);
    if (reason) return reason;
  }
  return undefined;
}
