import type * as SDK from '@aws-sdk/client-rds';
import type { Instance, Tags } from '../instance.ts';
import type { Store } from '../sql/store.ts';
import type { RdsState } from '../state.ts';

/** What a DB cluster is set to; what a snapshot and a backup remember of it. */
export interface ClusterSettings {
  readonly engine: string;
  readonly version: string;
  readonly port: number;
  readonly user: string;
  readonly database: string | undefined;
  readonly storageType: string;
  readonly parameterGroup: string;
  readonly subnetGroup: string;
  readonly securityGroups: readonly string[];
  readonly iamLogin: boolean;
  readonly copyTags: boolean;
  readonly protected: boolean;
  readonly logs: readonly string[];
  /** Whether the Data API answers for it. */
  readonly httpEndpoint: boolean;
  /** Of Serverless v2 instances. */
  readonly scaling: SDK.ServerlessV2ScalingConfiguration | undefined;
  /** Seconds that Aurora MySQL can be turned back in place. */
  readonly backtrackSeconds: number;
  /** The ARN of the key that its storage is encrypted under. */
  readonly key: string | undefined;
  /** For how many days automated backups are kept: at least one, for a cluster always has them. */
  readonly retentionDays: number;
  readonly backupWindow: string;
  readonly maintenanceWindow: string;
}

/** A cluster: a volume with its log, and the instances through which it is reached (Aurora guide, "Amazon Aurora DB clusters"). */
export interface Cluster {
  readonly id: string;
  readonly resourceId: string;
  readonly createdAt: Date;
  readonly zones: readonly string[];
  readonly store: Store;
  readonly uploadsAt: number;
  readonly backupId: string;
  settings: ClusterSettings;
  status: string;
  /** Since when it has automated backups, in milliseconds since the epoch; undefined before it is there. */
  backedUpSince: number | undefined;
  tags: Tags;
}

/** Its instances that are not on their way out; the first is its writer. */
export const membersOf = ({ id }: Pick<Cluster, 'id'>, state: RdsState): Instance[] =>
  [...state.instances.values()].filter(({ cluster, status }) => cluster?.id === id && status !== 'deleting');
