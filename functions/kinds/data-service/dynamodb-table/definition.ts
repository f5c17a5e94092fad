import type {
  AttributeDefinition,
  BillingMode,
  ContinuousBackupsDescription,
  CreateTableCommandInput,
  KeySchemaElement,
  OnDemandThroughput,
  Projection,
  StreamViewType,
  TableClass,
  TableCreationParameters,
  TableDescription,
  TimeToLiveDescription,
} from '@aws-sdk/client-dynamodb';
import type { Json } from '../../../domain.ts';

/** What a table is besides its items, which no export carries. Plain JSON: it is kept in records and bundles. */
export type TableDefinition = {
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
  readonly keys: Keys;
  readonly globalIndexes: readonly Index[];
  readonly localIndexes: readonly Index[];
  readonly billing: 'PAY_PER_REQUEST' | 'PROVISIONED';
  readonly throughput: Throughput;
  readonly tableClass: string;
  readonly stream: string | null;
  readonly ttl: string | null;
  readonly recoveryDays: number | null;
  readonly deletionProtection: boolean;
  /** The ARN of the customer's key; null for DynamoDB's own. */
  readonly kmsKey: string | null;
  readonly tags: { readonly [key: string]: string };
};

type Keys = readonly { readonly name: string; readonly role: string }[];
type Throughput = {
  readonly read: number | null;
  readonly write: number | null;
  readonly maxRead: number | null;
  readonly maxWrite: number | null;
};
type Index = {
  readonly name: string;
  readonly keys: Keys;
  readonly projection: string;
  readonly attributes: readonly string[];
  readonly throughput: Throughput;
};

export interface DescribedTable {
  readonly table: TableDescription;
  readonly ttl?: TimeToLiveDescription | undefined;
  readonly backups?: ContinuousBackupsDescription | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

export function definitionOf({ table, ttl, backups, tags }: DescribedTable): TableDefinition {
  const recovery = backups?.PointInTimeRecoveryDescription;
  return {
    attributes: (table.AttributeDefinitions ?? [])
      .map(({ AttributeName, AttributeType }) => ({ name: AttributeName!, type: AttributeType! }))
      .sort(byName),
    keys: keysOf(table.KeySchema),
    globalIndexes: (table.GlobalSecondaryIndexes ?? []).map(indexOf).sort(byName),
    localIndexes: (table.LocalSecondaryIndexes ?? []).map(indexOf).sort(byName),
    billing: table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' ? 'PAY_PER_REQUEST' : 'PROVISIONED',
    throughput: throughputOf(table),
    tableClass: table.TableClassSummary?.TableClass ?? 'STANDARD',
    stream: table.StreamSpecification?.StreamEnabled ? (table.StreamSpecification.StreamViewType ?? null) : null,
    ttl: ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING' ? (ttl.AttributeName ?? null) : null,
    recoveryDays:
      recovery?.PointInTimeRecoveryStatus === 'ENABLED' ? (recovery.RecoveryPeriodInDays ?? DEFAULT_RECOVERY_DAYS) : null,
    deletionProtection: table.DeletionProtectionEnabled ?? false,
    kmsKey: table.SSEDescription?.SSEType === 'KMS' ? (table.SSEDescription.KMSMasterKeyArn ?? null) : null,
    tags: Object.fromEntries(tags),
  };
}

/** DynamoDB guide, "Point-in-time recovery": 35 days unless set otherwise. */
export const DEFAULT_RECOVERY_DAYS = 35;

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

const keysOf = (schema: readonly KeySchemaElement[] = []): Keys =>
  schema.map(({ AttributeName, KeyType }) => ({ name: AttributeName!, role: KeyType! }));

interface Capacity {
  readonly ProvisionedThroughput?:
    | { readonly ReadCapacityUnits?: number | undefined; readonly WriteCapacityUnits?: number | undefined }
    | undefined;
  readonly OnDemandThroughput?: OnDemandThroughput | undefined;
}

const throughputOf = ({ ProvisionedThroughput, OnDemandThroughput }: Capacity): Throughput => ({
  read: ProvisionedThroughput?.ReadCapacityUnits || null,
  write: ProvisionedThroughput?.WriteCapacityUnits || null,
  maxRead: OnDemandThroughput?.MaxReadRequestUnits ?? null,
  maxWrite: OnDemandThroughput?.MaxWriteRequestUnits ?? null,
});

const indexOf = (index: { IndexName?: string; KeySchema?: KeySchemaElement[]; Projection?: Projection } & Capacity): Index => ({
  name: index.IndexName!,
  keys: keysOf(index.KeySchema),
  projection: index.Projection?.ProjectionType ?? 'ALL',
  attributes: [...(index.Projection?.NonKeyAttributes ?? [])].sort(),
  throughput: throughputOf(index),
});

/** A new table of this definition as ImportTable takes it: no local indexes, streams, TTL or tags (DynamoDB API, TableCreationParameters). */
export function parametersOf(definition: TableDefinition, TableName: string, kmsKey: string | null): TableCreationParameters {
  return {
    TableName,
    AttributeDefinitions: definition.attributes.map(
      ({ name, type }) => ({ AttributeName: name, AttributeType: type }) as AttributeDefinition,
    ),
    KeySchema: schemaOf(definition.keys),
    BillingMode: definition.billing as BillingMode,
    ...throughputIn(definition.throughput, definition.billing),
    ...(definition.globalIndexes.length > 0
      ? {
          GlobalSecondaryIndexes: definition.globalIndexes.map((index) => ({
            ...indexIn(index),
            ...throughputIn(index.throughput, definition.billing),
          })),
        }
      : {}),
    ...(definition.kmsKey !== null && kmsKey !== null
      ? { SSESpecification: { Enabled: true, SSEType: 'KMS' as const, KMSMasterKeyId: kmsKey } }
      : {}),
  };
}

/** A new table of this definition, empty, with its local indexes, which can be made only with the table. */
export const tableOf = (definition: TableDefinition, name: string, kmsKey: string | null): CreateTableCommandInput => ({
  ...parametersOf(definition, name, kmsKey),
  TableClass: definition.tableClass as TableClass,
  ...(definition.localIndexes.length > 0 ? { LocalSecondaryIndexes: definition.localIndexes.map(indexIn) } : {}),
  ...(definition.stream === null ? {} : { StreamSpecification: streamOf(definition.stream) }),
});

export const streamOf = (view: string) => ({ StreamEnabled: true, StreamViewType: view as StreamViewType });

const schemaOf = (keys: Keys): KeySchemaElement[] =>
  keys.map(({ name, role }) => ({ AttributeName: name, KeyType: role as 'HASH' }));

const indexIn = ({ name, keys, projection, attributes }: Index) => ({
  IndexName: name,
  KeySchema: schemaOf(keys),
  Projection: { ProjectionType: projection as 'ALL', ...(attributes.length > 0 ? { NonKeyAttributes: [...attributes] } : {}) },
});

const throughputIn = ({ read, write, maxRead, maxWrite }: Throughput, billing: TableDefinition['billing']) =>
  billing === 'PROVISIONED'
    ? { ProvisionedThroughput: { ReadCapacityUnits: read ?? 1, WriteCapacityUnits: write ?? 1 } }
    : maxRead === null && maxWrite === null
      ? {}
      : {
          OnDemandThroughput: {
            ...(maxRead === null ? {} : { MaxReadRequestUnits: maxRead }),
            ...(maxWrite === null ? {} : { MaxWriteRequestUnits: maxWrite }),
          },
        };

/** The bytes that a definition is kept as: the same definition gives the same bytes, whoever writes it. */
export const encodeDefinition = (definition: TableDefinition): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(sorted(definition)));
export const decodeDefinition = (bytes: Uint8Array): TableDefinition =>
  JSON.parse(new TextDecoder().decode(bytes)) as TableDefinition;

const sorted = (value: Json): Json =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, one]) => [key, sorted(one)]),
        )
      : value;
