import { gunzipSync } from 'node:zlib';
import { type AttributeValue, BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { calls } from '../../../aws/call.ts';
import { Transient } from '../../../aws/errors.ts';
import type { Door, Scene } from '../../../aws/verb.ts';
import { chunksOf, inParallel } from '../../items.ts';
import { BUDGET_MILLIS, current, objectListing } from '../../objects.ts';
import { type ExportFacts, rootOf, summaryReading } from './exports.ts';

export const loading = {
  batchWrite: calls('dynamodb', DynamoDBClient).again(BatchWriteItemCommand),
  ...objectListing,
  ...summaryReading('here'),
};
type Loading = Door<typeof loading>;

/** Where a load stands: the next line of which file, and how many items are written. */
export type Cursor = { readonly file: number; readonly line: number; readonly written: number };

interface Loaded {
  readonly cursor: Cursor;
  readonly finished: boolean;
  readonly trouble?: string;
}

/** Items that one BatchWriteItem takes (DynamoDB API). */
const BATCH = 25;
const WIDTH = 8;
/** 100 ms, 200 ms, … 6.4 s: a table on demand doubles its capacity within minutes; after these the machine waits longer. */
const TRIES = 7;
const FIRST_WAIT_MILLIS = 100;

/**
 * Writes the items of an export into an empty table, for those with local indexes, which no import can make. Goes on from the cursor until
 * the time is spent; a batch that is written twice is written the same.
 */
export async function load(aws: Loading, facts: ExportFacts, table: string, cursor: Cursor, scene: Scene): Promise<Loaded> {
  const until = scene.clock.now() + BUDGET_MILLIS;
  const files = [...(await current(aws, facts.bucket, `${rootOf(facts.exportArn, facts.prefix)}data/`)).keys()].sort();
  let { file, line, written } = cursor;
  for (; file < files.length; file++, line = 0) {
    const lines = await readLines(aws, facts.bucket, files[file]!);
    for (; line < lines.length; ) {
      if (scene.clock.now() >= until) return { cursor: { file, line, written }, finished: false };
      const next = lines.slice(line, line + BATCH * WIDTH);
      await inParallel(chunksOf(next, BATCH), WIDTH, (batch) => write(aws, table, batch, scene));
      line += next.length;
      written += next.length;
    }
  }
  const trouble =
    written === facts.items ? {} : { trouble: `Its export held ${written} items, and ${facts.items} were promised.` };
  return { cursor: { file, line, written }, finished: true, ...trouble };
}

async function readLines(aws: Loading, Bucket: string, Key: string): Promise<string[]> {
  const { Body } = await aws.exported({ Bucket, Key });
  const text = gunzipSync(await Body!.transformToByteArray()).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

async function write(aws: Loading, table: string, lines: readonly string[], { clock }: Scene): Promise<void> {
  let requests: WriteRequest[] = lines.map((line) => ({ PutRequest: { Item: itemOf(line) } }));
  for (let tried = 0; requests.length > 0; tried++) {
    if (tried === TRIES) throw new Transient(`${table} does not take items as fast as they come.`);
    if (tried > 0) await clock.sleep(FIRST_WAIT_MILLIS * 2 ** (tried - 1));
    const { UnprocessedItems } = await aws.batchWrite({ RequestItems: { [table]: requests } });
    requests = UnprocessedItems?.[table] ?? [];
  }
}

const itemOf = (line: string): Record<string, AttributeValue> => {
  const { Item } = JSON.parse(line) as { Item: Record<string, unknown> };
  return Object.fromEntries(Object.entries(Item).map(([name, value]) => [name, attributeOf(value)]));
};

/** DynamoDB's JSON as the SDK wants it: the same, but binary values are bytes and not base64. Numbers stay text, with all their digits. */
export function attributeOf(value: unknown): AttributeValue {
  const [type, content] = Object.entries(value as Record<string, unknown>)[0] as [string, unknown];
  switch (type) {
    case 'B':
      return { B: Buffer.from(content as string, 'base64') };
    case 'BS':
      return { BS: (content as string[]).map((one) => Buffer.from(one, 'base64')) };
    case 'L':
      return { L: (content as unknown[]).map(attributeOf) };
    case 'M':
      return { M: Object.fromEntries(Object.entries(content as object).map(([name, one]) => [name, attributeOf(one)])) };
    default:
      return { [type]: content } as unknown as AttributeValue;
  }
}
