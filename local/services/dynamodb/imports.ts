import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import { canonical } from './canonical.ts';
import { definitionIn } from './definition.ts';
import { makeTable } from './make.ts';
import { validation } from './refusals.ts';
import { type DynamoDbState, earlier } from './state.ts';
import type { Table } from './table.ts';
import { type Item, sizeOf, type Value } from './value.ts';

const IMPORTING = [60, 600] as const;
/** Imports of an account in a region at a time (DynamoDB guide, "Quotas"). */
const MOST_IMPORTS = 50;

const UNPACK: Readonly<Record<SDK.InputCompressionType, (packed: Uint8Array) => Uint8Array>> = {
  NONE: (packed) => packed,
  GZIP: gunzipSync,
  ZSTD: zstdDecompressSync,
};

function check({ InputFormat, TableCreationParameters }: SDK.ImportTableCommandInput): void {
  if (InputFormat !== 'DYNAMODB_JSON')
    refuse('NotImplemented', 'The local AWS models imports of DynamoDB from DYNAMODB_JSON only.', { status: 501 });
  if (TableCreationParameters && 'LocalSecondaryIndexes' in TableCreationParameters)
    validation('An imported table cannot have local secondary indexes.');
}

/** Every object under the prefix, whatever it is called, in this region. */
async function read(
  source: SDK.S3BucketSource,
  packing: SDK.InputCompressionType,
  context: Context<DynamoDbState>,
): Promise<string[]> {
  const owner = source.S3BucketOwner ? { ExpectedBucketOwner: source.S3BucketOwner } : {};
  const texts: string[] = [];
  for (let ContinuationToken: string | undefined, more = true; more; ) {
    const page = await context.call('s3', 'ListObjectsV2', {
      Bucket: source.S3Bucket,
      ...(source.S3KeyPrefix ? { Prefix: source.S3KeyPrefix } : {}),
      ...(ContinuationToken ? { ContinuationToken } : {}),
      ...owner,
    });
    for (const { Key } of page.Contents ?? []) {
      const { Body } = await context.call('s3', 'GetObject', { Bucket: source.S3Bucket, Key, ...owner });
      texts.push(Buffer.from(UNPACK[packing](Body)).toString());
    }
    ContinuationToken = page.NextContinuationToken;
    more = page.IsTruncated === true;
  }
  if (texts.length === 0) throw new Error(`The bucket ${source.S3Bucket} holds nothing under "${source.S3KeyPrefix ?? ''}".`);
  return texts;
}

/** Puts what can be read into the table; what cannot is counted. Of two items with one key, the later replaces the earlier. */
function load(table: Table, texts: readonly string[], at: number): SDK.ImportTableDescription {
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '');
  let [imported, errors, bytes] = [0, 0, 0];
  for (const line of lines) {
    try {
      const item = table.storable(itemIn((JSON.parse(line) as { Item: Item }).Item));
      table.write(table.keyOf(item), item, at);
      imported++;
      bytes += sizeOf(item);
    } catch {
      errors++;
    }
  }
  return { ProcessedItemCount: lines.length, ImportedItemCount: imported, ErrorCount: errors, ProcessedSizeBytes: bytes };
}

/** Bytes are base64 in text. */
const itemIn = (json: Item): Item => Object.fromEntries(Object.entries(json).map(([name, value]) => [name, valueIn(value)]));

function valueIn(json: Value): Value {
  const bytes = (text: unknown) => new Uint8Array(Buffer.from(text as string, 'base64'));
  if (json.B !== undefined) return { B: bytes(json.B) };
  if (json.BS) return { BS: json.BS.map(bytes) };
  if (json.L) return { L: json.L.map(valueIn) };
  if (json.M) return { M: itemIn(json.M) as Record<string, Value> };
  return json;
}

function begin(input: SDK.ImportTableCommandInput, context: Context<DynamoDbState>): SDK.ImportTableDescription {
  const { state, now, world } = context;
  const { S3BucketSource = { S3Bucket: undefined }, InputCompressionType = 'NONE', TableCreationParameters = {} } = input;
  const description: SDK.ImportTableDescription = { ImportStatus: 'IN_PROGRESS', StartTime: now() };
  const table = makeTable(definitionIn(TableCreationParameters, context), context, IMPORTING, async (made) => {
    try {
      const counts = load(made, await read(S3BucketSource, InputCompressionType, context), world.clock.now());
      Object.assign(description, counts, { ImportStatus: 'COMPLETED', EndTime: now() });
    } catch (error) {
      const { name, message } = error as Error;
      made.status = 'DELETING';
      state.drop(made);
      Object.assign(description, { ImportStatus: 'FAILED', EndTime: now(), FailureCode: `S3${name}`, FailureMessage: message });
    }
  });
  return Object.assign(description, {
    ImportArn: `${table.arn}/import/${String(world.clock.now()).padStart(14, '0')}-${world.random.hex(8)}`,
    TableArn: table.arn,
    TableId: table.id,
    S3BucketSource,
    InputFormat: input.InputFormat,
    InputCompressionType,
    TableCreationParameters: input.TableCreationParameters,
    ErrorCount: 0,
    ...(input.ClientToken ? { ClientToken: input.ClientToken } : {}),
  });
}

export const imports = operations<typeof SDK, DynamoDbState>()({
  /** Into a new table; global indexes can be made with it, local ones cannot (DynamoDB guide, "Importing from Amazon S3"). */
  ImportTable(input, context) {
    const { state, world } = context;
    check(input);
    const { ClientToken: token, ...rest } = input;
    const asked = canonical(rest);
    const known = earlier(state.imports, token, world.clock.now());
    if (known) {
      if (known.asked !== asked) refuse('ImportConflictException', 'The client token was used with other parameters.');
      return { ImportTableDescription: known.description };
    }
    const running = [...state.imports.values()].filter(({ description }) => description.ImportStatus === 'IN_PROGRESS');
    if (running.length >= MOST_IMPORTS)
      refuse('LimitExceededException', `Subscriber limit exceeded: Only ${MOST_IMPORTS} imports can run simultaneously`);
    const description = begin(input, context);
    state.imports.set(description.ImportArn as string, { description, token, asked, at: world.clock.now() });
    return { ImportTableDescription: description };
  },

  DescribeImport({ ImportArn = '' }, { state }) {
    const found = state.imports.get(ImportArn);
    return found
      ? { ImportTableDescription: found.description }
      : refuse('ImportNotFoundException', `Import not found: ${ImportArn}`);
  },

  ListImports({ TableArn, PageSize = 25, NextToken }, { state }) {
    const own = [...state.imports.values()]
      .map(({ description }) => description)
      .filter((one) => !TableArn || one.TableArn === TableArn);
    const start = own.findIndex(({ ImportArn }) => ImportArn === NextToken) + 1;
    const listed = own.slice(start, start + PageSize);
    return {
      ImportSummaryList: listed.map(({ ImportArn, ImportStatus, TableArn, InputFormat, S3BucketSource, StartTime, EndTime }) => ({
        ImportArn,
        ImportStatus,
        TableArn,
        InputFormat,
        S3BucketSource,
        StartTime,
        EndTime,
      })),
      ...(start + PageSize < own.length ? { NextToken: listed.at(-1)?.ImportArn } : {}),
    };
  },
});
