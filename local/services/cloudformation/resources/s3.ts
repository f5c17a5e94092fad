import { attributes, documentText, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

/** CloudFormation's words for a bucket's settings, in S3's own: which operation puts them, and in which shape. */
const SETTINGS: Readonly<Record<string, (value: any) => readonly [operation: string, input: object]>> = {
  VersioningConfiguration: (VersioningConfiguration) => ['PutBucketVersioning', { VersioningConfiguration }],
  BucketEncryption: ({ ServerSideEncryptionConfiguration: rules }) => [
    'PutBucketEncryption',
    {
      ServerSideEncryptionConfiguration: {
        Rules: rules.map(({ ServerSideEncryptionByDefault, ...rest }: Properties) => ({
          ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault,
          ...rest,
        })),
      },
    },
  ],
  PublicAccessBlockConfiguration: (PublicAccessBlockConfiguration) => [
    'PutPublicAccessBlock',
    { PublicAccessBlockConfiguration },
  ],
  OwnershipControls: (OwnershipControls) => ['PutBucketOwnershipControls', { OwnershipControls }],
  LifecycleConfiguration: ({ Rules }) => [
    'PutBucketLifecycleConfiguration',
    { LifecycleConfiguration: { Rules: Rules.map(lifecycleRule) } },
  ],
  Tags: (TagSet) => ['PutBucketTagging', { Tagging: { TagSet } }],
};
const UNSET: Readonly<Record<string, string>> = {
  BucketEncryption: 'DeleteBucketEncryption',
  PublicAccessBlockConfiguration: 'DeletePublicAccessBlock',
  OwnershipControls: 'DeleteBucketOwnershipControls',
  LifecycleConfiguration: 'DeleteBucketLifecycle',
  Tags: 'DeleteBucketTagging',
};

const lifecycleRule = ({ Id, Status, Prefix = '', ExpirationInDays, ...rest }: Properties): object => ({
  ID: Id,
  Status,
  Filter: { Prefix },
  ...(ExpirationInDays === undefined ? {} : { Expiration: { Days: ExpirationInDays } }),
  ...rest,
});

async function settle(Bucket: string, properties: Properties, { call }: Maker, before: Properties = {}): Promise<void> {
  for (const [name, asked] of Object.entries(SETTINGS)) {
    if (JSON.stringify(properties[name]) === JSON.stringify(before[name])) continue;
    const [operation, input] = properties[name] === undefined ? [UNSET[name], {}] : asked(properties[name]);
    if (operation) await call('s3', operation, { Bucket, ...input });
  }
}

const putPolicy = ({ Bucket, PolicyDocument }: Properties, { call }: Maker): Promise<unknown> =>
  call('s3', 'PutBucketPolicy', { Bucket, Policy: documentText(PolicyDocument) });

export const s3: ResourceTypes = {
  'AWS::S3::Bucket': {
    properties: ['BucketName', 'ObjectLockEnabled', 'AccessControl', ...Object.keys(SETTINGS)],
    replaced: ['BucketName', 'ObjectLockEnabled'],
    async create(properties, maker) {
      const Bucket: string = properties['BucketName'] ?? maker.name(63).toLowerCase();
      const { region } = maker;
      const where = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } };
      const locked = properties['ObjectLockEnabled'] === undefined ? undefined : properties['ObjectLockEnabled'] === true;
      await maker.call('s3', 'CreateBucket', given({ Bucket, ...where, ObjectLockEnabledForBucket: locked }));
      await settle(Bucket, properties, maker);
      return attributes(Bucket, {
        Arn: `arn:aws:s3:::${Bucket}`,
        DomainName: `${Bucket}.s3.amazonaws.com`,
        RegionalDomainName: `${Bucket}.s3.${region}.amazonaws.com`,
      });
    },
    async update(properties, made, maker, before) {
      await settle(made.id, properties, maker, before);
      return made;
    },
    remove: async ({ id: Bucket }, { call }) => void (await call('s3', 'DeleteBucket', { Bucket })),
  },
  'AWS::S3::BucketPolicy': {
    properties: ['Bucket', 'PolicyDocument'],
    replaced: ['Bucket'],
    async create(properties, maker) {
      await putPolicy(properties, maker);
      return attributes(properties['Bucket']);
    },
    async update(properties, made, maker) {
      await putPolicy(properties, maker);
      return made;
    },
    remove: async ({ id: Bucket }, { call }) => void (await call('s3', 'DeleteBucketPolicy', { Bucket })),
  },
};
