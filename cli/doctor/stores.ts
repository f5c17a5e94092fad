import { isDeepStrictEqual } from 'node:util';
import { BackupClient, DescribeBackupVaultCommand } from '@aws-sdk/client-backup';
import {
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { calls } from '../../functions/aws/call.ts';
import { when } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import type { Vault } from '../../functions/domain.ts';
import { BACKUP_VAULT, dataBucket, ledgerBucket, stagingBucket } from '../../functions/vault/layout.ts';
import { type BucketPolicy, ledgerPolicy, type Statement } from '../../functions/vault/policy.ts';
import { ok, type PlaceSubject, placeCheck, problem, type Said } from './check.ts';

const s3 = calls('s3', S3Client);
const backup = calls('backup', BackupClient);

interface Bucket {
  readonly versioning: string;
  readonly locked: boolean;
  readonly statements: readonly Statement[];
}

/** A bucket as it is; undefined where it is not. */
const bucketOf = verb(
  {
    versioning: s3.read(GetBucketVersioningCommand),
    lock: s3.read(GetObjectLockConfigurationCommand),
    policy: s3.read(GetBucketPolicyCommand),
  },
  async (aws, name: string, { here }): Promise<Bucket | undefined> => {
    const of = { Bucket: name, ExpectedBucketOwner: here.account };
    const versioning = await aws.versioning(of).then(
      ({ Status = 'never on' }) => Status,
      when('NoSuchBucket', () => undefined),
    );
    if (versioning === undefined) return undefined;
    const [locked, policy] = await Promise.all([
      aws.lock(of).then(
        ({ ObjectLockConfiguration }) => ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
        when('ObjectLockConfigurationNotFoundError', () => false),
      ),
      aws.policy(of).then(
        ({ Policy = '{}' }) => JSON.parse(Policy) as Partial<BucketPolicy>,
        when('NoSuchBucketPolicy', () => undefined),
      ),
    ]);
    return { versioning, locked, statements: policy?.Statement ?? [] };
  },
);

interface Kept {
  readonly locked: boolean;
  readonly leastDays: number;
}

const backupVaultOf = verb(
  { vault: backup.read(DescribeBackupVaultCommand) },
  (aws, BackupVaultName: string): Promise<Kept | undefined> =>
    aws.vault({ BackupVaultName }).then(
      ({ Locked = false, MinRetentionDays = 0 }) => ({ locked: Locked, leastDays: MinRetentionDays }),
      // who may not see a vault is told so too where there is none (AWS Backup API, DescribeBackupVault)
      when('ResourceNotFoundException', () => undefined),
    ),
);

/** What a bucket of ours must be, beside versioned. */
interface Wanted {
  readonly name: string;
  readonly locked: boolean;
  readonly statements: readonly Statement[];
}

const bucketsAt = ({ place, home, vault }: PlaceSubject): Wanted[] => [
  { name: ledgerBucket(place), locked: true, statements: ledgerPolicy(ledgerBucket(place)).Statement },
  { name: dataBucket(place), locked: vault?.lock !== undefined, statements: [] },
  ...(home ? [{ name: stagingBucket(place), locked: false, statements: [] }] : []),
];

/** Whether the stores are there, keep every version and are locked as configured (DESIGN §3.2). */
export const stores = placeCheck({
  name: 'stores',
  ofDeployment: true,
  uses: { bucketOf, backupVaultOf },
  run: async (look, subject) => {
    const { bucketOf, backupVaultOf } = look(subject.place);
    const wanted = bucketsAt(subject);
    const buckets = await Promise.all(wanted.map(async (one) => aboutBucket(one, await bucketOf(one.name))));
    const troubles = [...buckets.flat(), ...aboutVault(subject.vault?.lock, await backupVaultOf(BACKUP_VAULT))];
    const locks = subject.vault?.lock ? `, locked for ${subject.vault.lock.days} days` : '';
    return troubles.length > 0
      ? troubles
      : [ok(`${wanted.length} buckets with every version${locks}, the ledger’s policy, and the backup vault are there.`)];
  },
});

const DEPLOY = 'run `npx cdk deploy --all`';

function aboutBucket({ name, locked, statements }: Wanted, found: Bucket | undefined): Said[] {
  if (!found) return [problem(`The bucket ${name} is missing.`, DEPLOY)];
  const missing = statements.filter((one) => !found.statements.some((other) => isDeepStrictEqual(other, one)));
  return [
    ...(found.versioning === 'Enabled'
      ? []
      : [
          problem(
            `Versioning of ${name} is ${found.versioning}, so what is written over is gone.`,
            'turn it on: aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket ' + name,
          ),
        ]),
    ...(locked && !found.locked
      ? [
          problem(
            `${name} has no Object Lock, so nothing in it can be locked.`,
            'turn it on: aws s3api put-object-lock-configuration, or ' + DEPLOY,
          ),
        ]
      : []),
    ...missing.map(({ Sid }) => problem(`The policy of ${name} lacks ${Sid}.`, DEPLOY)),
  ];
}

function aboutVault(lock: Vault['lock'], found: Kept | undefined): Said[] {
  if (!found) return [problem(`The backup vault ${BACKUP_VAULT} is missing.`, DEPLOY)];
  if (!lock || (found.locked && found.leastDays >= lock.days)) return [];
  const is = found.locked ? `locked for ${found.leastDays} days` : 'not locked';
  return [problem(`The backup vault ${BACKUP_VAULT} is ${is}, and ${lock.days} days are configured.`, DEPLOY)];
}
