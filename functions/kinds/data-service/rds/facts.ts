import type { Artifact, Instant, Resource } from '../../../domain.ts';

/** What is known of any database from the time of the plan. */
export type DatabaseFacts = {
  /** AWS's own id: another of the same name has another. */
  readonly resourceId: string;
  readonly retentionDays: number;
  /** The ARN of its key; null where it is not encrypted. */
  readonly key: string | null;
  readonly subnetGroup: string | null;
  readonly parameterGroup: string | null;
  readonly securityGroups: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
};

export const databaseFacts = (resource: Resource): DatabaseFacts => resource.facts as unknown as DatabaseFacts;

/** What an artifact is restored from. `log`: what automated backups give for `at`. `snapshot`: a snapshot; `at` where it is exactly of that second. */
export type ArtifactFacts =
  | { readonly by: 'log'; readonly at: Instant; readonly backup: string }
  | { readonly by: 'snapshot'; readonly at: Instant | null; readonly snapshot: string; readonly files: Files | null };

/** The files of an export: Parquet, of the snapshot's instant. */
export type Files = {
  readonly bucket: string;
  readonly prefix: string;
  readonly snapshotTime: Instant;
  readonly objects: number;
  readonly bytes: number;
};

export const artifactFacts = (artifact: Artifact): ArtifactFacts => artifact.facts as unknown as ArtifactFacts;
