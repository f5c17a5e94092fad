import type { Artifact } from '../../../domain.ts';

/** What an artifact of a bucket says. */
export type ListFacts = {
  /** The digest of the bundle with the list of versions. */
  readonly list: string;
  /** In a vault: the digest of the bundle with the same list and where each version's copy lies. */
  readonly copies: string | null;
  readonly objects: number;
  /** Keys whose version may have appeared only after the instant. */
  readonly doubtful: readonly string[];
};

export const factsOfArtifact = (artifact: Artifact): ListFacts => artifact.facts as unknown as ListFacts;
