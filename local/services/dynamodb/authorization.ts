import type { Check } from '../../world/authorization/authorize.ts';
import { givingTags } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import type { DynamoDbState } from './state.ts';

/** A restore reads and writes the table that it makes, in the caller's name (DynamoDB guide, "Using IAM with DynamoDB backup and restore"). */
const FILLING = ['BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'];
const filling = ({ TargetTableName = '' }: { TargetTableName?: string }, context: Context<DynamoDbState>): Check[] =>
  FILLING.map((name) => ({ action: `dynamodb:${name}`, resource: arn(TargetTableName, context) }));

const arn = (table: string, { account, region }: Context<DynamoDbState>): string =>
  table.startsWith('arn:') ? table : `arn:aws:dynamodb:${region}:${account}:table/${table}`;

/** DynamoDB guide, "Using IAM with DynamoDB transactions": each part needs what it would need alone. */
const PARTS = {
  Put: 'PutItem',
  Delete: 'DeleteItem',
  Update: 'UpdateItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};
type Part = { readonly TableName?: string } | undefined;
const transacted = ({ TransactItems = [] }: { TransactItems?: readonly object[] }, context: Context<DynamoDbState>): Check[] =>
  TransactItems.flatMap((item) =>
    Object.entries(item).map(([kind, part]: [string, Part]) => ({
      action: `dynamodb:${PARTS[kind as keyof typeof PARTS]}`,
      resource: arn(part?.TableName ?? '', context),
    })),
  );
const batched =
  (operation: string) =>
  ({ RequestItems = {} }: { RequestItems?: object }, context: Context<DynamoDbState>): Check[] =>
    Object.keys(RequestItems).map((table) => ({ action: `dynamodb:${operation}`, resource: arn(table, context) }));

/** Service Authorization Reference, "Amazon DynamoDB". */
export const authorization: Authorization<DynamoDbState> = {
  members: { TableName: 'table', SourceTableName: 'table', TargetTableName: [] },
  instead: {
    TransactWriteItems: transacted,
    TransactGetItems: transacted,
    BatchGetItem: batched('BatchGetItem'),
    BatchWriteItem: batched('BatchWriteItem'),
    ImportTable: ({ TableCreationParameters: made }, context) => [
      { action: 'dynamodb:ImportTable', resource: arn(made?.TableName ?? '', context) },
    ],
  },
  also: {
    /** DynamoDB guide, "Tagging resources": tags while a table is made. */
    CreateTable: ({ TableName = '', Tags }, context) => givingTags('dynamodb:TagResource', arn(TableName, context), Tags),
    RestoreTableToPointInTime: filling,
    RestoreTableFromBackup: filling,
    /** DynamoDB guide, "Requesting a table export in DynamoDB": what the caller must be allowed to do in the bucket. */
    ExportTableToPointInTime: ({ S3Bucket = '', S3Prefix = '', S3BucketOwner }, { account }) => [
      {
        action: 's3:AbortMultipartUpload',
        resource: `arn:aws:s3:::${S3Bucket}/${S3Prefix ? `${S3Prefix}/` : ''}AWSDynamoDB/*`,
        owner: S3BucketOwner ?? account,
      },
    ],
  },
};
