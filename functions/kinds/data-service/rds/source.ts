import { instant } from '../../../aws/clock.ts';
import { composed } from '../../../aws/verb.ts';
import { samePlace } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { type Databases, reaches } from './databases.ts';
import { artifactFacts, databaseFacts } from './facts.ts';
import { nameIn } from './names.ts';

/** What a restore is made from, with the key that it is under. */
export type Source = { readonly key: string | null } & (
  | { readonly by: 'snapshot'; readonly snapshot: string }
  /** `replica`: the replicated backups that are asked, away from home. */
  | { readonly by: 'log'; readonly at: Date; readonly replica: string | null }
);

/** What a restore is made from, or why it cannot be, in one sentence. */
export const sourceOf = (of: Databases) =>
  composed(
    { findSnapshot: of.findSnapshot, findLog: of.findLog },
    async (aws, { resource, artifact }: RestoreWork): Promise<Source | { readonly trouble: string }> => {
      const facts = artifactFacts(artifact);
      if (facts.by === 'snapshot') {
        const name = nameIn(facts.snapshot);
        const snapshot = await aws.findSnapshot(name);
        if (snapshot?.status === 'available') return { by: 'snapshot', snapshot: name, key: snapshot.key };
        const trouble = snapshot ? `is ${snapshot.status}` : 'is not there any more';
        return { trouble: `The snapshot ${facts.snapshot} of ${resource.name} ${trouble}; choose another restore point.` };
      }
      const log = await aws.findLog(databaseFacts(resource).resourceId);
      if (log && reaches(log, facts.at) === 'now') {
        const replica = samePlace(artifact.place, resource.place) ? null : log.arn;
        return { by: 'log', at: new Date(facts.at), replica, key: log.key };
      }
      const why = log?.window
        ? `reaches from ${instant(log.window.earliest)} to ${instant(log.window.latest)} only`
        : 'is not there any more';
      return {
        trouble: `The log of ${resource.name} in ${artifact.place.region} ${why}, and this point is of ${facts.at} without a snapshot; choose a point that it reaches or one that was materialised.`,
      };
    },
  );
