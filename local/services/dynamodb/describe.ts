import type * as SDK from '@aws-sdk/client-dynamodb';
import type { Table } from './table.ts';

/** A table as DescribeTable tells it. Counts are of now, where AWS updates them about every six hours. */
export function describeTable(table: Table): SDK.TableDescription {
  const { attributes, keySchema, billing, tableClass, encryptionKey } = table.definition;
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: table.id,
    TableStatus: table.status,
    CreationDateTime: table.createdAt,
    AttributeDefinitions: [...attributes],
    KeySchema: [...keySchema],
    ItemCount: table.count,
    TableSizeBytes: table.bytes,
    ...(billing === 'PAY_PER_REQUEST' ? { BillingModeSummary: { BillingMode: billing } } : {}),
    ProvisionedThroughput: throughputOf(table.definition.throughput),
    DeletionProtectionEnabled: table.deletionProtection,
    ...(tableClass === 'STANDARD' ? {} : { TableClassSummary: { TableClass: tableClass } }),
    ...indexesOf(table),
    ...streamOf(table),
    ...(encryptionKey ? { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: encryptionKey } } : {}),
    ...(table.restoredFrom ? { RestoreSummary: { ...table.restoredFrom, RestoreInProgress: table.status === 'CREATING' } } : {}),
  };
}

const throughputOf = (throughput: SDK.ProvisionedThroughput | undefined): SDK.ProvisionedThroughputDescription => ({
  NumberOfDecreasesToday: 0,
  ReadCapacityUnits: throughput?.ReadCapacityUnits ?? 0,
  WriteCapacityUnits: throughput?.WriteCapacityUnits ?? 0,
});

function indexesOf(table: Table): Pick<SDK.TableDescription, 'GlobalSecondaryIndexes' | 'LocalSecondaryIndexes'> {
  const { globalIndexes, localIndexes } = table.definition;
  const described = ({ IndexName, KeySchema, Projection }: SDK.LocalSecondaryIndex) => ({
    IndexName,
    KeySchema,
    Projection,
    IndexArn: `${table.arn}/index/${IndexName}`,
    ItemCount: table.items.filter((item) => (KeySchema ?? []).every(({ AttributeName = '' }) => item[AttributeName])).length,
  });
  return {
    ...(globalIndexes.length > 0
      ? {
          GlobalSecondaryIndexes: globalIndexes.map((index) => ({
            ...described(index),
            IndexStatus: table.status === 'CREATING' || table.filling.has(index.IndexName as string) ? 'CREATING' : 'ACTIVE',
            ProvisionedThroughput: throughputOf(index.ProvisionedThroughput),
          })),
        }
      : {}),
    ...(localIndexes.length > 0 ? { LocalSecondaryIndexes: localIndexes.map(described) } : {}),
  };
}

function streamOf({
  arn,
  stream,
}: Table): Pick<SDK.TableDescription, 'StreamSpecification' | 'LatestStreamLabel' | 'LatestStreamArn'> {
  if (!stream) return {};
  const { label, ...StreamSpecification } = stream;
  return { StreamSpecification, LatestStreamLabel: label, LatestStreamArn: `${arn}/stream/${label}` };
}
