import type * as SDK from '@aws-sdk/client-rds';
import type { Store } from './sql/store.ts';

export type Tags = Readonly<Record<string, string>>;

/** What a DB instance is set to; what a snapshot and a backup remember of it. */
export interface Settings {
  readonly engine: string;
  readonly version: string;
  readonly class: string;
  readonly storage: number;
  readonly storageType: string;
  readonly iops: number | undefined;
  readonly throughput: number | undefined;
  readonly maxStorage: number | undefined;
  readonly port: number;
  readonly user: string;
  readonly database: string | undefined;
  readonly license: string;
  readonly parameterGroup: string;
  readonly optionGroup: string;
  readonly subnetGroup: string;
  readonly securityGroups: readonly string[];
  readonly multiAz: boolean;
  readonly public: boolean;
  readonly minorUpgrades: boolean;
  readonly iamLogin: boolean;
  readonly copyTags: boolean;
  readonly protected: boolean;
  readonly logs: readonly string[];
  /** The ARN of the key that its storage is encrypted under. */
  readonly key: string | undefined;
  /** For how many days automated backups are kept; 0: there are none. */
  readonly retentionDays: number;
  readonly backupWindow: string;
  readonly maintenanceWindow: string;
}

/** An automated backup that the instance has now: it begins when backups are turned on. */
export interface Instance {
  id: string;
  /** The cluster that it is a member of; then its content is the cluster's, and so are its backups. */
  readonly cluster?: { readonly id: string; readonly promotionTier: number };
  readonly resourceId: string;
  readonly createdAt: Date;
  readonly zone: string;
  readonly store: Store;
  /** At which second of each five minutes its log is uploaded. */
  readonly uploadsAt: number;
  settings: Settings;
  status: string;
  /** Since when it has automated backups, in milliseconds since the epoch; undefined where it has none. */
  backedUpSince: number | undefined;
  /** Names its automated backup. */
  backupId: string;
  pending: SDK.PendingModifiedValues;
  tags: Tags;
}

/** What an instance can be asked and told in this status (RDS guide, "Viewing Amazon RDS DB instance status"). */
export const isUp = ({ status }: Pick<Instance, 'status'>): boolean =>
  ['available', 'backing-up', 'modifying', 'storage-optimization', 'rebooting'].includes(status);
