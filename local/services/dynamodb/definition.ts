import type * as SDK from '@aws-sdk/client-dynamodb';
import type { Context } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import { schemaOf } from './indexes.ts';
import { invalidValue, validation } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import type { Definition } from './table.ts';

type Asked = Partial<
  Pick<
    SDK.CreateTableCommandInput,
    | 'TableName'
    | 'KeySchema'
    | 'AttributeDefinitions'
    | 'GlobalSecondaryIndexes'
    | 'LocalSecondaryIndexes'
    | 'BillingMode'
    | 'ProvisionedThroughput'
    | 'SSESpecification'
    | 'TableClass'
  >
>;

/** A table's definition out of a request; refuses what contradicts itself (CreateTable API). */
export function definitionIn(asked: Asked, context: Context<DynamoDbState>): Definition {
  const { KeySchema = [], AttributeDefinitions = [], GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] } = asked;
  const billing = asked.BillingMode ?? 'PROVISIONED';
  const definition: Definition = {
    name: nameIn(asked.TableName),
    keySchema: KeySchema,
    attributes: AttributeDefinitions,
    globalIndexes: GlobalSecondaryIndexes,
    localIndexes: LocalSecondaryIndexes,
    billing,
    throughput: throughputIn(asked.ProvisionedThroughput, billing),
    encryptionKey: encryptionKeyIn(asked.SSESpecification, context),
    tableClass: asked.TableClass ?? 'STANDARD',
  };
  checkDefinition(definition);
  return definition;
}

/** Refuses indexes and attributes that do not fit together. */
export function checkDefinition(definition: Definition): void {
  checkAttributes(definition);
  checkIndexes(definition);
}

export function nameIn(name = ''): string {
  if (/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) return name;
  return validation(
    `1 validation error detected: Value '${name}' at 'tableName' failed to satisfy constraint: Member must have length between 3 and 255 and satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
  );
}

export function throughputIn(
  throughput: SDK.ProvisionedThroughput | undefined,
  billing: SDK.BillingMode,
): SDK.ProvisionedThroughput | undefined {
  if (billing === 'PROVISIONED' && !throughput) invalidValue('No provisioned throughput specified for the table');
  if (billing === 'PAY_PER_REQUEST' && throughput)
    invalidValue('Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST');
  return throughput;
}

/** DynamoDB guide, "DynamoDB encryption at rest: usage notes": what the caller must be allowed with the key. */
const WITH_KEY = ['DescribeKey', 'CreateGrant'];

/** The KMS key must be usable when the table is made; without one, DynamoDB's own key encrypts. */
export function encryptionKeyIn(
  encryption: SDK.SSESpecification | undefined,
  { world, peer, caller, region }: Context<DynamoDbState>,
): string | undefined {
  if (!encryption?.Enabled) return undefined;
  const key = encryption.KMSMasterKeyId ?? 'alias/aws/dynamodb';
  if (!world.services.has('kms')) return key;
  const asking = { caller, via: `dynamodb.${region}.amazonaws.com` };
  return peer<KmsState>('kms').reach(key, WITH_KEY, asking).usable('ENCRYPT_DECRYPT').arn;
}

function checkAttributes({ keySchema, attributes, globalIndexes, localIndexes }: Definition): void {
  const used = new Set(
    [{ KeySchema: keySchema }, ...globalIndexes, ...localIndexes].flatMap(({ KeySchema = [] }) =>
      KeySchema.map(({ AttributeName }) => AttributeName),
    ),
  );
  const defined = new Set(attributes.map(({ AttributeName }) => AttributeName));
  const missing = [...used].filter((name) => !defined.has(name));
  const names = (list: Iterable<string | undefined>) => `[${[...list].join(', ')}]`;
  if (missing.length > 0) {
    invalidValue(
      `Some index key attributes are not defined in AttributeDefinitions. Keys: ${names(missing)}, AttributeDefinitions: ${names(defined)}`,
    );
  }
  if (defined.size > used.size) {
    const indexed = globalIndexes.length + localIndexes.length > 0;
    invalidValue(
      indexed
        ? `Some AttributeDefinitions are not used. AttributeDefinitions: ${names(defined)}, keys used: ${names(used)}`
        : 'Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
    );
  }
}

function checkIndexes({ keySchema, globalIndexes, localIndexes }: Definition): void {
  const { hash, range } = schemaOf(keySchema);
  for (const index of [...globalIndexes, ...localIndexes]) schemaOf(index.KeySchema);
  const names = [...globalIndexes, ...localIndexes].map(({ IndexName }) => IndexName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) invalidValue(`Duplicate index name: ${twice}`);
  for (const { IndexName, KeySchema } of localIndexes) {
    if (range === undefined)
      invalidValue('Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex');
    if (schemaOf(KeySchema).hash !== hash)
      invalidValue(`Index KeySchema does not have the same leading hash key as table KeySchema for index: ${IndexName}`);
  }
}
