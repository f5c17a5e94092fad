import { CfnDeletionPolicy } from 'aws-cdk-lib';
import { CfnBackupVault } from 'aws-cdk-lib/aws-backup';
import { CfnAlias, CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnBucket, CfnBucketPolicy, type CfnBucketProps } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { otherAccount, type Place, type Vault } from '../functions/domain.ts';
import {
  BACKUP_VAULT,
  DATA_KEY,
  dataBucket,
  ledgerBucket,
  roleArn,
  SIGNING_KEY,
  stagingBucket,
} from '../functions/vault/layout.ts';
import { type BucketPolicy, ledgerPolicy, letsIn, storePolicy } from '../functions/vault/policy.ts';
import { workflowsIn } from '../functions/workflows/index.ts';
import type { AnyStep } from '../functions/workflows/step.ts';
import { rootsOf } from './scope.ts';

/** Days that a key can still be saved after someone asked to delete it: as many as KMS has. */
const KEY_WINDOW_DAYS = 30;
/** What services exported and vaults have long pulled. */
const STAGING_DAYS = 7;
/** A forgotten upload in parts holds no object, only costs. */
const UPLOAD_DAYS = 2;

/** What is kept at a place, and whose it is. */
export interface Kept {
  readonly lock: Vault['lock'];
  readonly staging: boolean;
  /** The homes whose copies are kept here. */
  readonly homes: readonly Place[];
  /** The vaults that keep copies of what lives here. */
  readonly vaults: readonly Place[];
}

const copies = ({ kinds = [] }: AnyStep): boolean => kinds.some((verb) => verb.startsWith('copy.'));

/** The roles of vaults in other accounts that copy from here. */
const readers = (here: Place, vaults: readonly Place[]): string[] =>
  vaults
    .filter((vault) => otherAccount(vault, here))
    .flatMap((vault) =>
      workflowsIn('vault').flatMap(({ steps }) => steps.filter(copies).map(({ name }) => roleArn(name, vault))),
    );

/** Accounts of other homes push into the backup vault, by whichever role AWS Backup acts there (AWS Backup guide, "Creating backup copies across AWS accounts"). */
const backupPolicy = (homes: readonly Place[]) =>
  homes.length === 0
    ? {}
    : {
        accessPolicy: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'CopiesOfHomes',
              Effect: 'Allow',
              Principal: { AWS: rootsOf(homes) },
              Action: 'backup:CopyIntoBackupVault',
              Resource: '*',
            },
          ],
        },
      };

/** The stores and keys of a place (DESIGN §3.2). They outlive the stack: nothing here is deleted because a stack is. */
export function stores(scope: Construct, place: Place, { lock, staging, homes, vaults }: Kept): CfnKey {
  const within = new Construct(scope, 'Stores');
  const letIn = readers(place, vaults);
  const dataKey = key(within, 'DataKey', DATA_KEY, {
    description: 'Stillpoint: wraps data keys and encrypts copies in this vault',
    enableKeyRotation: true,
    keyPolicy: policyOfKey(place, ALARMS, letIn),
  });
  key(within, 'SigningKey', SIGNING_KEY, {
    description: 'Stillpoint: signs what this vault seals',
    keySpec: 'ECC_NIST_P256',
    keyUsage: 'SIGN_VERIFY',
    keyPolicy: policyOfKey(place),
  });
  // The ledger is under S3's own key: whoever must read it when a key is lost or home is gone needs none of ours.
  const ledger = ledgerBucket(place);
  bucket(within, 'Ledger', ledger, ledgerPolicy(ledger), { objectLockEnabled: true, bucketEncryption: encryption('AES256') });
  const data = dataBucket(place);
  bucket(within, 'Data', data, storePolicy(data, letIn), {
    ...(lock ? { objectLockEnabled: true } : {}),
    bucketEncryption: encryption('aws:kms', DATA_KEY),
    lifecycleConfiguration: { rules: [forgottenUploads] },
  }).addResourceDependency(dataKey);
  keep(
    new CfnBackupVault(within, 'BackupVault', {
      backupVaultName: BACKUP_VAULT,
      encryptionKeyArn: dataKey.attrArn,
      ...(lock ? { lockConfiguration: lockOf(lock) } : {}),
      ...backupPolicy(homes.filter((home) => otherAccount(home, place))),
    }),
  );
  if (staging) {
    const name = stagingBucket(place);
    bucket(within, 'Staging', name, storePolicy(name, letIn), {
      bucketEncryption: encryption('AES256'),
      lifecycleConfiguration: {
        rules: [
          {
            ...forgottenUploads,
            id: 'pulled',
            expirationInDays: STAGING_DAYS,
            noncurrentVersionExpiration: { noncurrentDays: 1 },
          },
        ],
      },
    });
  }
  return dataKey;
}

/** A compliance lock can be taken back for three days, the least that AWS Backup gives (AWS Backup API, PutBackupVaultLockConfiguration). */
const lockOf = ({ mode, days }: NonNullable<Vault['lock']>) => ({
  minRetentionDays: days,
  ...(mode === 'compliance' ? { changeableForDays: 3 } : {}),
});

const forgottenUploads = {
  id: 'uploads',
  status: 'Enabled',
  abortIncompleteMultipartUpload: { daysAfterInitiation: UPLOAD_DAYS },
};

const encryption = (sseAlgorithm: string, kmsMasterKeyId?: string) => ({
  serverSideEncryptionConfiguration: [
    {
      serverSideEncryptionByDefault: { sseAlgorithm, ...(kmsMasterKeyId ? { kmsMasterKeyId } : {}) },
      ...(kmsMasterKeyId ? { bucketKeyEnabled: true } : {}),
    },
  ],
});

function bucket(scope: Construct, id: string, name: string, policy: BucketPolicy, props: CfnBucketProps): CfnBucket {
  const made = new CfnBucket(scope, id, {
    bucketName: name,
    versioningConfiguration: { status: 'Enabled' },
    publicAccessBlockConfiguration: {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
    ...props,
  });
  keep(made);
  new CfnBucketPolicy(scope, `${id}Policy`, { bucket: name, policyDocument: policy }).addResourceDependency(made);
  return made;
}

function key(scope: Construct, id: string, aliasName: string, props: ConstructorParameters<typeof CfnKey>[2]): CfnKey {
  const made = new CfnKey(scope, id, { pendingWindowInDays: KEY_WINDOW_DAYS, ...props! });
  keep(made);
  keep(new CfnAlias(scope, `${id}Alias`, { aliasName, targetKeyId: made.attrKeyId }));
  return made;
}

const keep = (resource: CfnBucket | CfnKey | CfnAlias | CfnBackupVault): void => {
  resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
  resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
};

/** Alarms and events speak to an encrypted topic (SNS guide, "Key management", event sources). */
const ALARMS = ['cloudwatch.amazonaws.com', 'events.amazonaws.com'];

/** The account's own policies say who may use a key (KMS guide, "Default key policy"); which account's alarms a service may speak for, the topic's policy says. */
const policyOfKey = ({ account }: Place, services: readonly string[] = [], readers: readonly string[] = []) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'AccountDecides',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
    ...services.map((Service, index) => ({
      Sid: `Service${index + 1}`,
      Effect: 'Allow',
      Principal: { Service },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
    })),
    ...letsIn(readers, ['kms:Decrypt'], '*'),
  ],
});
