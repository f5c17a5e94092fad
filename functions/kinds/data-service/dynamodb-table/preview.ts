import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { type Preview, samePlace } from '../../../domain.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import { objectListing } from '../../objects.ts';
import { describing } from './discover.ts';
import { renamesOf } from './equip.ts';
import { type ExportFacts, troubleWithExport } from './exports.ts';
import { keyFor } from './restore.ts';
import { factsOf, KIND, restoredName, tableArn } from './table.ts';

const { table, backups } = describing;
/** How far the log reaches is asked only where it is. */
const looking = { table, backups: { ...backups, only: 'at home' }, ...objectListing, ...looksAtKeys } as const;

/** A restore out of the log takes 20 minutes or more, an import a few and then by size; writes go at some 2,000 items a second. */
const LOG_MINUTES = 20;
const IMPORT_MINUTES = 5;
const IMPORT_BYTES_A_MINUTE = 2 ** 30;
const WRITES_A_MINUTE = 120_000;

export const preview = verb(
  looking,
  (aws, works: readonly RestoreWork[]): Promise<Preview[]> => Promise.all(works.map((work) => look(aws, work))),
);

async function look(aws: Door<typeof looking>, work: RestoreWork): Promise<Preview> {
  const { resource, artifact, target } = work;
  const { definition, bytes, streamArn } = factsOf(resource);
  const facts = artifact.facts as unknown as ExportFacts;
  const name = restoredName(resource.name, work.restore);
  const viaLog = artifact.endurance === 'log-backed' && (await logReaches(aws, work, facts.at));
  const trouble = viaLog ? undefined : await troubleWithExport(aws, facts);
  const key = keyFor(work, definition);
  const byWrites = definition.localIndexes.length > 0;
  return {
    resource: resource.id,
    kind: KIND,
    creates: [
      `table ${name} in ${target.place.region}, ${viaLog ? 'out of the log' : byWrites ? 'by writing every item' : 'by import'}`,
    ],
    binds: [],
    renames: renamesOf(work, name, tableArn(target.place, name), streamArn === null ? undefined : 'known once made'),
    lacks: [
      ...(trouble ? [`${resource.name} cannot be restored: ${trouble}`] : []),
      ...((await find(aws, name))
        ? [`A table ${name} exists already in ${target.place.region}; give the restore another name.`]
        : []),
      ...(key === null ? [] : await troubleWithKey(aws, key, target.place)),
    ],
    notes: [],
    minutes: viaLog ? LOG_MINUTES : byWrites ? 1 + facts.items / WRITES_A_MINUTE : IMPORT_MINUTES + bytes / IMPORT_BYTES_A_MINUTE,
  };
}

const find = (aws: Door<typeof looking>, TableName: string) =>
  aws.table({ TableName }).then(
    ({ Table }) => Table,
    when('ResourceNotFoundException', () => undefined),
  );

async function logReaches(aws: Door<typeof looking>, { resource, target }: RestoreWork, at: string): Promise<boolean> {
  if (!samePlace(target.place, resource.place)) return false;
  const found = await find(aws, resource.name);
  if (found?.TableId !== factsOf(resource).tableId || found.TableStatus === 'DELETING') return false;
  const { ContinuousBackupsDescription } = await aws.backups({ TableName: resource.name });
  const log = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  return (
    log?.PointInTimeRecoveryStatus === 'ENABLED' &&
    (log.EarliestRestorableDateTime?.getTime() ?? Number.POSITIVE_INFINITY) <= Date.parse(at)
  );
}
