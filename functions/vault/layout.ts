import { createHash } from 'node:crypto';
import type { Place, PointName } from '../domain.ts';

/**
 * Every name that two functions must agree on, in one place: buckets, keys under them, aliases, machines, functions. All are computed from
 * a place, so nothing is handed over in environment variables and a vault can be found with nothing but its account and region.
 */

/** Restore points' plans and outcomes; versioned, Object Lock, conditional writes only. */
export const ledgerBucket = ({ account, region }: Place): string => `stillpoint-ledger-${account}-${region}`;
/** What restore points are made of: content-addressed bundles, copies of exports and of object versions. */
export const dataBucket = ({ account, region }: Place): string => `stillpoint-data-${account}-${region}`;
/** Where home's services export to and from which vaults pull; its objects may go after a few days. */
export const stagingBucket = ({ account, region }: Place): string => `stillpoint-staging-${account}-${region}`;

/** The key that wraps data keys and encrypts copies in this vault. */
export const DATA_KEY = 'alias/stillpoint-data';
/** The key that signs outcomes in this vault (ECC_NIST_P256, SIGN_VERIFY). */
export const SIGNING_KEY = 'alias/stillpoint-signing';

export const machineName = (workflow: string): string => `stillpoint-${workflow}`;
export const functionName = (step: string): string => `stillpoint-${step}`;
export const machineArn = ({ account, region }: Place, workflow: string): string =>
  `arn:aws:states:${region}:${account}:stateMachine:${machineName(workflow)}`;

/** Where AWS Backup keeps what it captures for us, at home and in every vault. */
export const BACKUP_VAULT = 'stillpoint';
export const backupVaultArn = ({ account, region }: Place): string =>
  `arn:aws:backup:${region}:${account}:backup-vault:${BACKUP_VAULT}`;
/** Roles have no region of their own, so theirs stands in their name. */
export const roleName = (what: string, { region }: Place): string => `stillpoint-${what}-${region}`;
export const roleArn = (what: string, place: Place): string => `arn:aws:iam::${place.account}:role/${roleName(what, place)}`;
/** What the role at an application's home is called in which a step of a vault in another account works there. */
export const roleOfGuest = (step: string, { account }: Pick<Place, 'account'>): string => `${step}-for-${account}`;
/** What takes points of an application by a policy: a schedule, or with an event's name a rule. Both names may have 64 characters (Scheduler and EventBridge API). */
export const triggerName = (...parts: readonly string[]): string => {
  const name = ['stillpoint', ...parts].join('-');
  return name.length <= 64 ? name : `${name.slice(0, 55)}-${sha256(name).slice(0, 8)}`;
};
/** Every bucket of ours, wherever it is; no application's bucket may be called so. */
export const OUR_BUCKETS = 'stillpoint-*';
export const functionArn = ({ account, region }: Place, step: string): string =>
  `arn:aws:lambda:${region}:${account}:function:${functionName(step)}`;

const attemptFolder = ({ application, slot, attempt }: PointName): string => `${application}/${slot}/${attempt}`;

export const planKey = (point: PointName): string => `restore-points/${attemptFolder(point)}/plan.json`;
export const outcomeKey = (point: PointName): string => `restore-points/${attemptFolder(point)}/outcome.json`;
export const progressKey = (point: PointName): string => `progress/${attemptFolder(point)}/artifacts.json`;
export const pointsPrefix = (application?: string, slot?: string): string =>
  ['restore-points', application, slot].filter((part) => part !== undefined).join('/') + '/';
/** The public half of a vault's signing key, kept in every ledger that holds what it signed. */
export const publicKeyKey = (signer: Place): string => `keys/${signer.account}/${signer.region}/signing.pem`;

export const restorePlanKey = (application: string, restore: string): string => `restores/${application}/${restore}/plan.json`;
export const restoreProgressKey = (application: string, restore: string): string =>
  `progress/restores/${application}/${restore}/progress.json`;
export const restoreReportKey = (application: string, restore: string): string =>
  `restores/${application}/${restore}/report.json`;

/** A bundle is named by the SHA-256 of its bytes, so it is written once and any change of it shows. */
export const bundleKey = (sha256: string): string => `bundles/sha256/${sha256}`;
/** Beside a bundle with secrets: its data key, wrapped under this vault's key. */
export const wrappedKeyKey = (sha256: string): string => `bundles/sha256/${sha256}.key`;
/** One version of one object of a protected bucket; names of any length and alphabet become one safe segment. */
export const versionKey = (bucket: string, key: string, versionId: string): string =>
  `versions/${bucket}/${sha256(key).slice(0, 40)}/${versionId}`;
export const versionsPrefix = (bucket: string): string => `versions/${bucket}/`;
/** Says which versions of a protected bucket one restore point needs, so that what none needs any more can be told from what some do. */
export const listKey = (bucket: string, application: string, restorePoint: string, cut: string): string =>
  `${listsPrefix(bucket)}${application}/${restorePoint}/${cut}.json`;
export const listsPrefix = (bucket?: string): string => (bucket === undefined ? 'lists/' : `lists/${bucket}/`);
/** Says which bundles one restore point needs of a Kubernetes namespace; copies of one cut share them, so they stand side by side. */
export const namespaceKey = (
  application: string,
  cut: string,
  restorePoint: string,
  cluster: string,
  namespace: string,
): string => `${namespacesPrefix(application, cut)}${restorePoint}/${cluster}/${namespace}.json`;
export const namespacesPrefix = (application: string, cut?: string): string =>
  `namespaces/${application}/${cut === undefined ? '' : `${cut}/`}`;
/** Says which images one restore point holds in a repository, whose name becomes one safe segment. */
export const imagesKey = (application: string, restorePoint: string, cut: string, repository: string): string =>
  `${imagesPrefix(application)}${restorePoint}/${cut}/${sha256(repository).slice(0, 40)}.json`;
export const imagesPrefix = (application: string): string => `images/${application}/`;
/** Under these lies what says which copies are still needed; whoever expires copies condemns them here first, and writes nowhere else. */
export const NEEDED_PREFIXES: readonly string[] = ['lists/', 'namespaces/', 'images/'];

/** Where a table's export lies: in home's staging bucket and, under the copy's own restore point, in a vault's data bucket. */
export const exportPrefix = (application: string, restorePoint: string, table: string): string =>
  `exports/${application}/${restorePoint}/${table}`;

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** What our events say of themselves on the default event bus. */
export const EVENT_SOURCE = 'stillpoint';
export const SEALED_EVENT = 'Restore Point Sealed';
/** Where the files of a database's export lie: below the snapshot that they are of, in home's staging bucket and in a vault's data bucket. */
export const databaseExportPrefix = (snapshot: string, application?: string, restorePoint?: string): string =>
  ['database-exports', snapshot, application, restorePoint].filter((part) => part !== undefined).join('/');
/** Every database export that lies in a bucket. */
export const DATABASE_EXPORTS = 'database-exports/';
