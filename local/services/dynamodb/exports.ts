import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, Refusal, refuse } from '../../world/service.ts';
import type { S3State } from '../s3/state.ts';
import { idAt } from './backups.ts';
import { canonical } from './canonical.ts';
import { exportFolder, fullLines, incrementalLines, type Line, partitionsOf, writeExport } from './export-format.ts';
import { asOfSecond } from './history.ts';
import { recoveryWindow, secondWithin, wholeSecond } from './recovery.ts';
import { validation } from './refusals.ts';
import { type DynamoDbState, earlier } from './state.ts';
import type { Table } from './table.ts';

/** Seconds until an export has begun to write, and until it is done. */
const STARTING = [1, 5] as const;
const EXPORTING = [120, 900] as const;
/** Exports of an account in a region at a time (DynamoDB guide, "Quotas"). */
const MOST_EXPORTS = 300;
/** An increment is of at least 15 minutes and at most 24 hours (ExportTableToPointInTime API). */
const LEAST_INCREMENT = 900_000;
const MOST_INCREMENT = 86_400_000;

type Input = SDK.ExportTableToPointInTimeCommandInput;

function refuseUnmodelled({
  ExportFormat = 'DYNAMODB_JSON',
  FilterSpecification,
}: Input & { FilterSpecification?: unknown }): void {
  if (ExportFormat !== 'DYNAMODB_JSON')
    refuse('NotImplemented', 'The local AWS models exports of DynamoDB in DYNAMODB_JSON only.', { status: 501 });
  if (FilterSpecification)
    refuse('NotImplemented', 'The local AWS does not model FilterSpecification of dynamodb:ExportTableToPointInTime.', {
      status: 501,
    });
}

/** What is exported: its lines, fixed when it is asked for, and what the description says of it. */
interface Content {
  readonly says: Pick<SDK.ExportDescription, 'ExportTime' | 'ExportType' | 'IncrementalExportSpecification'>;
  lines(id: string): Line[];
}

function contentOf(input: Input, table: Table, { world }: Context<DynamoDbState>): Content {
  const now = world.clock.now();
  return input.ExportType === 'INCREMENTAL_EXPORT' ? increment(input, table, now) : full(input, table, world, now);
}

/** Without a time it is that of the request, which AWS waits for; a time given must be one that the log has reached. */
function full({ ExportTime }: Input, table: Table, { random }: Context<DynamoDbState>['world'], now: number): Content {
  recoveryWindow(table, now);
  const second = ExportTime ? secondWithin(table, ExportTime, now, 'InvalidExportTimeException') : wholeSecond(now);
  return {
    says: { ExportType: 'FULL_EXPORT', ExportTime: new Date(second) },
    lines: (id) => fullLines(table, asOfSecond(table.history, second, random.stream(`export/${id}`))),
  };
}

function increment({ IncrementalExportSpecification: asked }: Input, table: Table, now: number): Content {
  if (!asked?.ExportFromTime)
    return validation('IncrementalExportSpecification with ExportFromTime is required for INCREMENTAL_EXPORT');
  const { latest } = recoveryWindow(table, now);
  const from = secondWithin(table, asked.ExportFromTime, now, 'InvalidExportTimeException');
  const until = secondWithin(table, asked.ExportToTime ?? new Date(latest), now, 'InvalidExportTimeException');
  if (until - from < LEAST_INCREMENT || until - from > MOST_INCREMENT)
    refuse(
      'InvalidExportTimeException',
      'The difference between ExportFromTime and ExportToTime must be between 15 minutes and 24 hours',
    );
  const ExportViewType = asked.ExportViewType ?? 'NEW_AND_OLD_IMAGES';
  return {
    says: {
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: { ExportFromTime: new Date(from), ExportToTime: new Date(until), ExportViewType },
    },
    lines: () => incrementalLines(table, from, until, ExportViewType),
  };
}

/** Writes where the bucket lies, as the caller; DynamoDB itself asks again when S3 does not answer. */
function putInto({ S3Bucket = '', S3SseAlgorithm, S3SseKmsKeyId, S3BucketOwner }: Input, context: Context<DynamoDbState>) {
  const region = context.peer<S3State>('s3').peek(S3Bucket)?.region ?? context.region;
  const encryption =
    S3SseAlgorithm === 'KMS' ? { ServerSideEncryption: 'aws:kms', ...(S3SseKmsKeyId ? { SSEKMSKeyId: S3SseKmsKeyId } : {}) } : {};
  const owner = S3BucketOwner ? { ExpectedBucketOwner: S3BucketOwner } : {};
  return async (Key: string, Body: Uint8Array): Promise<{ ETag?: string }> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await context.call('s3', 'PutObject', { Bucket: S3Bucket, Key, Body, ...encryption, ...owner }, { region });
      } catch (error) {
        const refused = error instanceof Refusal && (error.status ?? 400) < 500;
        if (refused || attempt === 3) throw error;
      }
    }
  };
}

function begin(input: Input, table: Table, content: Content, context: Context<DynamoDbState>): SDK.ExportDescription {
  const { now, world } = context;
  const id = idAt(now(), world.random.hex(8));
  const description: SDK.ExportDescription = {
    ExportArn: `${table.arn}/export/${id}`,
    ExportStatus: 'IN_PROGRESS',
    StartTime: now(),
    TableArn: table.arn,
    TableId: table.id,
    ...(input.ClientToken ? { ClientToken: input.ClientToken } : {}),
    S3Bucket: input.S3Bucket,
    ...(input.S3BucketOwner ? { S3BucketOwner: input.S3BucketOwner } : {}),
    ...(input.S3Prefix ? { S3Prefix: input.S3Prefix } : {}),
    S3SseAlgorithm: input.S3SseAlgorithm ?? 'AES256',
    ...(input.S3SseKmsKeyId ? { S3SseKmsKeyId: input.S3SseKmsKeyId } : {}),
    ExportFormat: 'DYNAMODB_JSON',
    ExportManifest: `${exportFolder(input.S3Prefix, id)}/manifest-summary.json`,
    ...content.says,
  };
  const lines = content.lines(id);
  const put = putInto(input, context);
  attempt(STARTING, description, context, async () => {
    await put(`${exportFolder(input.S3Prefix, id)}/_started`, new Uint8Array());
    attempt(EXPORTING, description, context, async () => {
      const dice = world.random.stream(`export/${id}/files`);
      const totals = await writeExport(description, id, lines, { put, dice, end: now(), partitions: partitionsOf(table) });
      Object.assign(description, totals, { ExportStatus: 'COMPLETED', EndTime: now() });
    });
  });
  return description;
}

/** Later does a part of an export's work; the export fails if that throws, or if its region is dark then. */
function attempt(
  seconds: readonly [number, number],
  description: SDK.ExportDescription,
  { after, world, region, now }: Context<DynamoDbState>,
  work: () => Promise<void>,
): void {
  after(seconds, async () => {
    try {
      if (world.dark.has(region)) throw new Refusal('RegionUnavailable', `${region} is not available`);
      await work();
    } catch (error) {
      const { name, message } = error as Error;
      const failure = {
        FailureCode: `S3${name}`,
        FailureMessage: `Could not write to the bucket ${description.S3Bucket}: ${message}`,
      };
      Object.assign(description, { ExportStatus: 'FAILED', EndTime: now(), ...failure });
    }
  });
}

export const tableExports = operations<typeof SDK, DynamoDbState>()({
  ExportTableToPointInTime(input, context) {
    const { state, world } = context;
    refuseUnmodelled(input);
    const { ClientToken: token, ...rest } = input;
    const asked = canonical(rest);
    const known = earlier(state.exports, token, world.clock.now());
    if (known) {
      if (known.asked !== asked)
        refuse(
          'ExportConflictException',
          'There was a conflict when writing to the specified S3 bucket: the token was used with other parameters.',
        );
      return { ExportDescription: known.description };
    }
    const table = state.source(input.TableArn);
    const content = contentOf(input, table, context);
    const running = [...state.exports.values()].filter(({ description }) => description.ExportStatus === 'IN_PROGRESS');
    if (running.length >= MOST_EXPORTS)
      refuse('LimitExceededException', `Subscriber limit exceeded: Only ${MOST_EXPORTS} exports can run simultaneously`);
    const description = begin(input, table, content, context);
    state.exports.set(description.ExportArn as string, { description, token, asked, at: world.clock.now() });
    return { ExportDescription: description };
  },

  DescribeExport({ ExportArn = '' }, { state }) {
    const found = state.exports.get(ExportArn);
    return found ? { ExportDescription: found.description } : refuse('ExportNotFoundException', `Export not found: ${ExportArn}`);
  },

  ListExports({ TableArn, MaxResults = 25, NextToken }, { state }) {
    const own = [...state.exports.values()]
      .map(({ description }) => description)
      .filter((one) => !TableArn || one.TableArn === TableArn);
    const start = own.findIndex(({ ExportArn }) => ExportArn === NextToken) + 1;
    const listed = own.slice(start, start + MaxResults);
    return {
      ExportSummaries: listed.map(({ ExportArn, ExportStatus, ExportType }) => ({ ExportArn, ExportStatus, ExportType })),
      ...(start + MaxResults < own.length ? { NextToken: listed.at(-1)?.ExportArn } : {}),
    };
  },
});
