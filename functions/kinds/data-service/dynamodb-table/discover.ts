import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ListTagsOfResourceCommand,
  type TableDescription,
  type Tag,
} from '@aws-sdk/client-dynamodb';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Resource } from '../../../domain.ts';
import { asJson, inParallel } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, scoping, taggedArns, tagMap } from '../../scope.ts';
import { type DescribedTable, definitionOf } from './definition.ts';
import { isTableArn, KIND, type TableFacts, tableNameOf } from './table.ts';

const { read } = calls('dynamodb', DynamoDBClient);

export const describing = {
  table: read(DescribeTableCommand),
  backups: read(DescribeContinuousBackupsCommand),
  ttl: read(DescribeTimeToLiveCommand),
  tags: read(ListTagsOfResourceCommand),
};
type Describing = Door<typeof describing>;

/** DescribeContinuousBackups may be asked ten times a second (DynamoDB API). */
const WIDTH = 5;

type Found = { readonly resource?: Resource; readonly note?: string; readonly refusal?: string };

/** Tables by the application's tags and ARNs. One without point-in-time recovery is refused: it could not be had at the cut's instant. */
export const discover = verb({ ...describing, ...scoping }, async (aws, application: Application): Promise<Discovery> => {
  const { arns, refusals } = namedArns(application, isTableArn);
  const tagged = (await taggedArns(aws, application, 'dynamodb:table')).filter(isTableArn);
  const all = [...new Set([...arns, ...tagged])].sort();
  const found = await inParallel(all, WIDTH, (arn) => look(aws, application, arn, arns.includes(arn)));
  return {
    resources: found.flatMap(({ resource }) => (resource ? [resource] : [])),
    notes: found.flatMap(({ note }) => (note ? [note] : [])),
    refusals: [...refusals, ...found.flatMap(({ refusal }) => (refusal ? [refusal] : []))],
  };
});

async function look(aws: Describing, { home }: Application, arn: string, named: boolean): Promise<Found> {
  const described = await describeTable(aws, tableNameOf(arn));
  if (!described) return {};
  const { table, tags } = described;
  const name = table.TableName!;
  const note = named ? undefined : madeByRestore(`Table ${name}`, tags);
  if (note) return { note };
  if (!isUsable(table)) {
    return {
      note: `Table ${name} is ${table.TableStatus}, so ${arn} is not protected; a table can be captured when it is active.`,
    };
  }
  const definition = definitionOf(described);
  if (definition.recoveryDays === null) {
    return {
      refusal: `Table ${name} (${arn}) has point-in-time recovery turned off, so it could not be captured at the instant of the cut; turn it on (console: Backups → Point-in-time recovery → Edit; API: UpdateContinuousBackups).`,
    };
  }
  const facts: TableFacts = {
    tableId: table.TableId!,
    streamArn: table.LatestStreamArn ?? null,
    recoveryDays: definition.recoveryDays,
    items: table.ItemCount ?? 0,
    bytes: table.TableSizeBytes ?? 0,
    definition,
  };
  const createdAt = table.CreationDateTime!.toISOString();
  return {
    resource: { kind: KIND, id: arn, name, createdAt, place: home, logDays: definition.recoveryDays, facts: asJson(facts) },
  };
}

const isUsable = ({ TableStatus }: TableDescription): boolean => TableStatus === 'ACTIVE' || TableStatus === 'UPDATING';

export const finding = { table: describing.table, tags: describing.tags };

/** A table and whose it is; undefined where there is none of that name. */
export async function findTable(aws: Door<typeof finding>, TableName: string): Promise<DescribedTable | undefined> {
  const answer = await aws.table({ TableName }).catch(when('ResourceNotFoundException', () => undefined));
  return answer?.Table && { table: answer.Table, tags: await tagsOf(aws, answer.Table.TableArn!) };
}

/** Everything that is to be known of a table, while it is being made less so; undefined where there is none of that name. */
export async function describeTable(aws: Describing, TableName: string): Promise<DescribedTable | undefined> {
  const found = await findTable(aws, TableName);
  if (!found || !isUsable(found.table)) return found;
  const { table, tags } = found;
  const [{ ContinuousBackupsDescription: backups }, { TimeToLiveDescription: ttl }] = await Promise.all([
    aws.backups({ TableName }),
    aws.ttl({ TableName }),
  ]);
  return { table, tags, backups, ttl };
}

export async function tagsOf(aws: Pick<Describing, 'tags'>, ResourceArn: string): Promise<Map<string, string>> {
  const tags: Tag[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.tags({ ResourceArn, ...(NextToken ? { NextToken } : {}) });
    tags.push(...(page.Tags ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return tagMap(tags);
}
