import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-dynamodb';
import type { Random } from '../../world/random.ts';
import { keyNames } from './indexes.ts';
import { scanHash, type Table } from './table.ts';
import { type Item, sizeOf } from './value.ts';

/** One line of an export: for which item, its JSON, and how many bytes of data are in it. */
export interface Line {
  readonly key: string;
  readonly content: object;
  readonly bytes: number;
}

export const fullLines = (table: Table, items: readonly Item[]): Line[] =>
  items.map((item) => ({ key: table.keyOf(item), content: { Item: item }, bytes: sizeOf(item) }));

/**
 * What changed from an instant on and before another, one line for each item: its last state, not its way there. What was made and deleted
 * in between is not there at all (DynamoDB guide, "DynamoDB table export output format").
 */
export function incrementalLines(table: Table, from: number, until: number, view: SDK.ExportViewType): Line[] {
  const before = table.history.at(from - 1);
  const changes = Map.groupBy(table.history.between(from, until), ({ key }) => key);
  return [...changes].flatMap(([key, all]) => {
    const [was, last] = [before.get(key), all.at(-1)];
    const image = was ?? last?.item;
    if (!last || !image) return [];
    const content = {
      Metadata: { WriteTimestampMicros: { N: String(last.at * 1000) } },
      Keys: Object.fromEntries(keyNames(table.schema).map((name) => [name, image[name]])),
      ...(was && view === 'NEW_AND_OLD_IMAGES' ? { OldImage: was } : {}),
      ...(last.item ? { NewImage: last.item } : {}),
    };
    return was || last.item ? [{ key, content, bytes: sizeOf(last.item ?? image) }] : [];
  });
}

/**
 * How many partitions a table has at the least: one for each 3 000 read and 1 000 write units, where an on-demand table begins with 12 000
 * and 4 000 of them (DynamoDB guide, "On-demand capacity mode"; "Partitions and data distribution").
 */
export function partitionsOf({ definition: { throughput } }: Table): number {
  const { ReadCapacityUnits = 12_000, WriteCapacityUnits = 4_000 } = throughput ?? {};
  return Math.max(1, Math.ceil(ReadCapacityUnits / 3000), Math.ceil(WriteCapacityUnits / 1000));
}

/** `<prefix>/AWSDynamoDB`, under which everything lies. */
const root = (prefix: string | undefined): string => `${prefix ? `${prefix.replace(/\/+$/, '')}/` : ''}AWSDynamoDB`;
export const exportFolder = (prefix: string | undefined, id: string): string => `${root(prefix)}/${id}`;

/** Incremental exports share one folder of data files. */
const dataFolder = ({ S3Prefix, ExportType }: SDK.ExportDescription, id: string): string =>
  ExportType === 'INCREMENTAL_EXPORT' ? `${root(S3Prefix)}/data` : `${exportFolder(S3Prefix, id)}/data`;

type Put = (key: string, body: Uint8Array) => Promise<{ ETag?: string }>;

/**
 * Writes an export as DynamoDB lays it out: data files first, one for each partition, some maybe empty; then the list of them, and the
 * summary last, so that who sees the summary sees all. Answers what the export came to.
 */
export async function writeExport(
  description: SDK.ExportDescription,
  id: string,
  lines: readonly Line[],
  { put, dice, end, partitions }: { put: Put; dice: Random; end: Date; partitions: number },
): Promise<{ ItemCount: number; BilledSizeBytes: number }> {
  const folder = exportFolder(description.S3Prefix, id);
  const files: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const own = lines.filter(({ key }) => scanHash(key) % partitions === partition);
    const data = gzipSync(own.map(({ content }) => `${JSON.stringify(content, binary)}\n`).join(''));
    const dataFileS3Key = `${dataFolder(description, id)}/${dice.hex(26)}.json.gz`;
    const { ETag = '' } = await put(dataFileS3Key, data);
    files.push(
      `${JSON.stringify({ itemCount: own.length, md5Checksum: md5(data), etag: ETag.replaceAll('"', ''), dataFileS3Key })}\n`,
    );
  }
  const totals = { ItemCount: lines.length, BilledSizeBytes: lines.reduce((sum, { bytes }) => sum + bytes, 0) };
  await putWithChecksum(`${folder}/manifest-files`, files.join(''), put);
  await putWithChecksum(
    `${folder}/manifest-summary`,
    JSON.stringify(summary(description, `${folder}/manifest-files.json`, totals, end)),
    put,
  );
  return totals;
}

/** The checksum before what it is of. */
async function putWithChecksum(name: string, text: string, put: Put): Promise<void> {
  const body = Buffer.from(text);
  await put(`${name}.md5`, Buffer.from(md5(body)));
  await put(`${name}.json`, body);
}

function summary(
  description: SDK.ExportDescription,
  manifestFilesS3Key: string,
  { ItemCount, BilledSizeBytes }: { ItemCount: number; BilledSizeBytes: number },
  endTime: Date,
): object {
  const { IncrementalExportSpecification: increment } = description;
  return {
    version: increment ? '2023-08-01' : '2020-06-30',
    exportArn: description.ExportArn,
    startTime: description.StartTime,
    endTime,
    tableArn: description.TableArn,
    tableId: description.TableId,
    ...(increment
      ? { exportFromTime: increment.ExportFromTime, exportToTime: increment.ExportToTime }
      : { exportTime: description.ExportTime }),
    s3Bucket: description.S3Bucket,
    s3Prefix: description.S3Prefix ?? null,
    s3SseAlgorithm: description.S3SseAlgorithm,
    s3SseKmsKeyId: description.S3SseKmsKeyId ?? null,
    manifestFilesS3Key,
    billedSizeBytes: BilledSizeBytes,
    itemCount: ItemCount,
    outputFormat: 'DYNAMODB_JSON',
    ...(increment ? { outputView: increment.ExportViewType, exportType: 'INCREMENTAL_EXPORT' } : {}),
  };
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');

/** Bytes are base64 in text. */
const binary = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
