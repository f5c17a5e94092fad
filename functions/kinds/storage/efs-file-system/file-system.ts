import { arnAt } from '../../../aws/arn.ts';
import type { Place, Resource } from '../../../domain.ts';

export const KIND = 'efs-file-system';
/** What AWS Backup calls it. */
export const TYPE = 'EFS';

/** What is known of a file system from the time of the plan; a recovery point holds its files and not much of this. */
export type FileSystemFacts = {
  readonly performanceMode: string;
  readonly throughputMode: string;
  /** MiB/s, where the throughput is provisioned. */
  readonly provisioned: number | null;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  /** Of a One Zone file system. */
  readonly zone: string | null;
  /** As it is metered. */
  readonly bytes: number;
  readonly lifecycle: readonly { readonly [transition: string]: string }[];
  /** Whether AWS Backup's default plan protects it besides. */
  readonly automaticBackups: boolean;
  readonly policy: string | null;
  readonly accessPoints: readonly AccessPointFacts[];
  readonly mountTargets: readonly MountTargetFacts[];
  readonly tags: { readonly [key: string]: string };
};

export type AccessPointFacts = {
  readonly id: string;
  readonly arn: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly secondaryGids: readonly number[] } | null;
  readonly root: string;
  /** Whose the root directory becomes if it has to be made. */
  readonly creation: { readonly uid: number; readonly gid: number; readonly permissions: string } | null;
  readonly tags: { readonly [key: string]: string };
};

export type MountTargetFacts = {
  readonly id: string;
  readonly subnet: string;
  readonly zone: string;
  readonly address: string;
  readonly securityGroups: readonly string[];
};

export const factsOf = (resource: Resource): FileSystemFacts => resource.facts as unknown as FileSystemFacts;

export const fileSystemArn = (place: Place, id: string): string => arnAt(place, 'elasticfilesystem', `file-system/${id}`);
export const isFileSystemArn = (arn: string): boolean =>
  /^arn:[^:]+:elasticfilesystem:[^:]*:[^:]*:file-system\/fs-[0-9a-f]+$/.test(arn);
export const fileSystemIdOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

/** By this name hosts mount it (EFS guide, "Mounting on Amazon EC2 with a DNS name"). */
export const dnsNameOf = (id: string, { region }: Pick<Place, 'region'>): string => `${id}.efs.${region}.amazonaws.com`;
