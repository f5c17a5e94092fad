import { instant } from '../../../aws/clock.ts';
import type { Door } from '../../../aws/verb.ts';
import { samePlace } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { findLog, findSnapshot, type looksAtBackups, type looksAtSnapshots, reaches } from './describe.ts';
import { artifactFacts, factsOf, nameIn } from './instance.ts';

type Looking = Door<typeof looksAtBackups & typeof looksAtSnapshots>;

/** What a restore is made from, as RDS's restore calls name it, with the key that it is under; or why it cannot be, in one sentence. */
export type Source =
  | { readonly snapshot: string }
  | { readonly RestoreTime: Date; readonly SourceDbiResourceId: string }
  | { readonly RestoreTime: Date; readonly SourceDBInstanceAutomatedBackupsArn: string };

export async function sourceOf(
  aws: Looking,
  work: RestoreWork,
): Promise<(Source & { readonly key: string | null }) | { readonly trouble: string }> {
  const { resource, artifact } = work;
  const facts = artifactFacts(artifact);
  if (facts.by === 'snapshot') {
    const snapshot = await findSnapshot(aws, nameIn(facts.snapshot));
    if (snapshot?.Status === 'available')
      return { snapshot: nameIn(facts.snapshot), key: snapshot.Encrypted ? (snapshot.KmsKeyId ?? null) : null };
    const trouble = snapshot ? `is ${snapshot.Status}` : 'is not there any more';
    return { trouble: `The snapshot ${facts.snapshot} of ${resource.name} ${trouble}; choose another restore point.` };
  }
  const log = await findLog(aws, factsOf(resource).resourceId);
  const reached = log ? reaches(log, facts.at) : undefined;
  if (log && reached === 'now') {
    const RestoreTime = new Date(facts.at);
    const key = log.encrypted ? log.key : null;
    return samePlace(artifact.place, resource.place)
      ? { RestoreTime, SourceDbiResourceId: factsOf(resource).resourceId, key }
      : { RestoreTime, SourceDBInstanceAutomatedBackupsArn: log.arn, key };
  }
  const why = log?.window
    ? `reaches from ${instant(log.window.earliest)} to ${instant(log.window.latest)} only`
    : 'is not there any more';
  return {
    trouble: `The log of ${resource.name} in ${artifact.place.region} ${why}, and this point is of ${facts.at} without a snapshot; choose a point that it reaches or one that was materialised.`,
  };
}
