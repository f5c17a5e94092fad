import {
  CreateTableCommand,
  DescribeImportCommand,
  DynamoDBClient,
  ImportTableCommand,
  RestoreTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { calls } from '../../../aws/call.ts';
import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { type Stamp, stamp, TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Item, pointId, type Restored, samePlace } from '../../../domain.ts';
import { bundleReading, readBundle } from '../../../vault/bundles.ts';
import { DATA_KEY, sha256 } from '../../../vault/layout.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { failed, type Passage, type RestoreWork, type Started, started, waiting } from '../../kind.ts';
import { objectListing } from '../../objects.ts';
import { ownTags } from '../../scope.ts';
import { type DescribedTable, decodeDefinition, parametersOf, type TableDefinition, tableOf } from './definition.ts';
import { describeTable, describing, finding, findTable } from './discover.ts';
import { equip, equipping } from './equip.ts';
import { type ExportFacts, rootOf, troubleWithExport } from './exports.ts';
import { type Cursor, load, loading } from './load.ts';
import { factsOf, restoredName } from './table.ts';

const { read, again } = calls('dynamodb', DynamoDBClient);

const making = {
  ...finding,
  ...objectListing,
  ...bundleReading,
  /** The name makes it repeatable, and AWS fills the new table with the caller's rights (DynamoDB guide, "Restoring a table"). */
  restoreTable: again(RestoreTableToPointInTimeCommand, {
    only: 'at home', // where the log is
    also: ['BatchWriteItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'GetItem', 'Query', 'Scan'].map((name) => `dynamodb:${name}`),
  }),
  importTable: again(ImportTableCommand, { also: ['s3:GetObject', 's3:ListBucket'] }),
  createTable: again(CreateTableCommand, { also: ['dynamodb:TagResource'] }),
};
type Making = Door<typeof making>;
const finishing = { ...describing, ...equipping, ...loading, describeImport: read(DescribeImportCommand), ...bundleReading };

const QUOTA_WAIT_MILLIS = 60_000;
const WIDTH = 5;
/** The log cannot give the table back: it is off, does not reach so far, or the table itself is gone (DynamoDB API, RestoreTableToPointInTime). */
const LOG_CANNOT = [
  'PointInTimeRecoveryUnavailableException',
  'InvalidRestoreTimeException',
  'TableNotFoundException',
  'ResourceNotFoundException',
];

/** How a table is being made: out of the log, by import, or by writing every item, which alone can give it local indexes. */
type Handle =
  | { readonly by: 'log' }
  | { readonly by: 'import'; readonly importArn: string }
  | { readonly by: 'load'; readonly cursor: Cursor }
  | { readonly by: 'equip' };

/** A table beside the original: out of its log where that reaches, else out of the export. Then everything that neither gives back is set again. */
export const restore: Passage<RestoreWork, Restored> = {
  waits: true,
  start: verb(
    making,
    (aws, works: readonly RestoreWork[], scene): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => begin(aws, work, scene).catch(failing(work.resource.id, 'It could not be restored'))),
  ),
  settle: verb(
    finishing,
    (aws, works: readonly Started<RestoreWork>[], scene): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => goOn(aws, work, scene).catch(failing(work.resource.id, 'It could not be restored'))),
  ),
};

async function begin(aws: Making, work: RestoreWork, scene: Scene): Promise<Item<Restored>> {
  const name = restoredName(work.resource.name, work.restore);
  const there = await findTable(aws, name);
  const known = there && begunBefore(work, there);
  if (known) return known;
  // What may be there yet is an import of ours, which its token finds again, or another's table, which is refused.
  const viaLog =
    work.artifact.endurance === 'log-backed' && !there ? fromLog(aws, work, name, scene) : Promise.resolve(undefined);
  return viaLog
    .then((begun) => begun ?? fromExport(aws, work, name, scene))
    .catch(
      when(TAKEN, async () => {
        const table = await findTable(aws, name);
        return (table && begunBefore(work, table)) ?? failed(work.resource.id, takenBy(name));
      }),
    );
}

/** What an earlier start began, as the table itself tells: where it was restored from, or our tags. */
function begunBefore(work: RestoreWork, { table, tags }: DescribedTable): Item<Restored> | undefined {
  const { resource, restore } = work;
  if (table.RestoreSummary?.SourceTableArn === resource.id) return begun(resource.id, { by: 'log' });
  if (tags.get(TAG.restore) !== restore || tags.get(TAG.resource) !== resource.id) return undefined;
  const byWrites = factsOf(resource).definition.localIndexes.length > 0;
  return begun(resource.id, byWrites ? { by: 'load', cursor: BEGINNING } : { by: 'equip' });
}

const TAKEN = ['ResourceInUseException', 'TableAlreadyExistsException', 'ImportConflictException'];
const takenBy = (name: string): string =>
  `A table ${name} exists already and is not of this restore; give the restore another name.`;

const BEGINNING: Cursor = { file: 0, line: 0, written: 0 };

/** Undefined where the log cannot give the table back. */
async function fromLog(aws: Making, work: RestoreWork, name: string, scene: Scene): Promise<Item<Restored> | undefined> {
  const { resource } = work;
  const table = await findTable(aws, resource.name);
  if (table?.table.TableId !== factsOf(resource).tableId) return undefined;
  return aws
    .restoreTable({ SourceTableArn: resource.id, TargetTableName: name, RestoreDateTime: new Date(exportFacts(work).at) })
    .then(() => begun(resource.id, { by: 'log' }))
    .catch(when('LimitExceededException', () => quota(resource.id, scene)))
    .catch(when(LOG_CANNOT, () => undefined));
}

async function fromExport(aws: Making, work: RestoreWork, name: string, scene: Scene): Promise<Item<Restored>> {
  const { resource, artifact } = work;
  const facts = exportFacts(work);
  const trouble = await troubleWithExport(aws, facts);
  if (trouble) {
    const log = artifact.endurance === 'log-backed' ? `The log of ${resource.name} does not reach back to this point, and ` : '';
    return failed(resource.id, `${log}${trouble}`);
  }
  const definition = await definitionIn(aws, work);
  const key = keyFor(work, definition);
  if (definition.localIndexes.length > 0) {
    return aws
      .createTable({ ...tableOf(definition, name, key), Tags: tagsFor(work, definition) })
      .then(() => begun(resource.id, { by: 'load', cursor: BEGINNING }))
      .catch(when('LimitExceededException', () => quota(resource.id, scene)));
  }
  return aws
    .importTable({
      S3BucketSource: {
        S3Bucket: facts.bucket,
        S3KeyPrefix: `${rootOf(facts.exportArn, facts.prefix)}data/`,
        S3BucketOwner: artifact.place.account,
      },
      InputFormat: 'DYNAMODB_JSON',
      InputCompressionType: 'GZIP',
      TableCreationParameters: parametersOf(definition, name, key),
      ClientToken: sha256([work.point.application, work.restore, resource.id, artifact.id].join('\n')).slice(0, 36),
    })
    .then(({ ImportTableDescription }) => begun(resource.id, { by: 'import', importArn: ImportTableDescription!.ImportArn! }))
    .catch(when('LimitExceededException', () => quota(resource.id, scene)));
}

async function goOn(aws: Door<typeof finishing>, work: Started<RestoreWork>, scene: Scene): Promise<Item<Restored>> {
  const { resource } = work;
  const name = restoredName(resource.name, work.restore);
  const handle = handleOf<Handle>(work);
  if (handle.by === 'import') {
    const not = await importing(aws, work, handle.importArn);
    if (not) return not;
  }
  const found = await describeTable(aws, name);
  if (!found) return failed(resource.id, `${name} is gone: someone deleted it while it was being restored.`);
  if (found.table.TableStatus !== 'ACTIVE') return started(resource.id, work.handle, `${name} is ${found.table.TableStatus}.`);
  if (handle.by === 'load') {
    const loaded = await load(aws, exportFacts(work), name, handle.cursor, scene);
    if (loaded.trouble) return failed(resource.id, loaded.trouble);
    return loaded.finished
      ? begun(resource.id, { by: 'equip' }, `${name} holds all of its ${loaded.cursor.written} items.`)
      : begun(resource.id, { by: 'load', cursor: loaded.cursor }, `${loaded.cursor.written} items are written to ${name}.`);
  }
  const definition = await definitionIn(aws, work);
  return equip(aws, work, found, definition, tagsFor(work, definition));
}

/** How an import stands, if it is not complete; every item of the export must have come through (DynamoDB API, DescribeImport). */
async function importing(
  aws: Door<typeof finishing>,
  work: Started<RestoreWork>,
  ImportArn: string,
): Promise<Item<Restored> | undefined> {
  const { resource } = work;
  const { ImportTableDescription: run } = await aws.describeImport({ ImportArn });
  if (run?.ImportStatus === 'IN_PROGRESS')
    return started(resource.id, work.handle, `${run.ImportedItemCount ?? 0} items are imported.`);
  if (run?.ImportStatus !== 'COMPLETED') {
    return failed(
      resource.id,
      `Its import ended as ${run?.ImportStatus}: ${run?.FailureMessage ?? run?.FailureCode ?? 'AWS gives no reason'}.`,
    );
  }
  const { items } = exportFacts(work);
  if ((run.ErrorCount ?? 0) === 0 && run.ImportedItemCount === items) return undefined;
  return failed(resource.id, `Its import took ${run.ImportedItemCount} of ${items} items, with ${run.ErrorCount ?? 0} errors.`);
}

const exportFacts = ({ artifact }: RestoreWork): ExportFacts => artifact.facts as unknown as ExportFacts;

const definitionIn = async (aws: Door<typeof bundleReading>, work: RestoreWork): Promise<TableDefinition> =>
  decodeDefinition(await readBundle(aws, work.vault.place, exportFacts(work).definition));

/** Where the original had a key of the customer's, so has the copy: at home the same, elsewhere the vault's. */
export const keyFor = ({ resource, target }: RestoreWork, { kmsKey }: TableDefinition): string | null =>
  kmsKey === null ? null : samePlace(target.place, resource.place) ? kmsKey : DATA_KEY;

const stampFor = ({ point, resource, restore }: RestoreWork): Stamp => ({
  application: point.application,
  restorePoint: pointId(point),
  resource: resource.id,
  restore,
});

const tagsFor = (work: RestoreWork, { tags }: TableDefinition) => [
  ...ownTags(new Map(Object.entries(tags))),
  ...stamp(stampFor(work)),
];

const begun = (resource: string, handle: Handle, why?: string) => started(resource, asJson(handle), why);

const quota = (resource: string, { clock }: Scene) =>
  waiting(resource, instant(clock.now() + QUOTA_WAIT_MILLIS), 'As many tables are being made as the account’s quota allows.');
