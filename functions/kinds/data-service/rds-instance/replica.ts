import { instant, millis } from '../../../aws/clock.ts';
import { composed } from '../../../aws/verb.ts';
import type { Artifact, Item } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { asJson } from '../../items.ts';
import { type CopyWork, done, failed, waiting } from '../../kind.ts';
import { reaches } from '../rds/databases.ts';
import { type ArtifactFacts, artifactFacts, databaseFacts } from '../rds/facts.ts';
import { daysAfter } from '../rds/names.ts';
import { findReplicatedLog } from './log.ts';

const LEAST_WAIT_MILLIS = 30_000;
const NOTHING_YET_MILLIS = 120_000;

/**
 * What is a promise of the log at home is one of the replicated automated backups here: done when their window contains T, of which the replica
 * alone can tell.
 */
export const keepLog = composed(
  { findLog: findReplicatedLog },
  async (aws, { resource, artifact, vault }: CopyWork, { clock, here }): Promise<Item<Artifact>> => {
    const { at } = artifactFacts(artifact) as ArtifactFacts & { by: 'log' };
    const { resourceId, key } = databaseFacts(resource);
    const log = await aws.findLog(resourceId);
    if (!log) {
      return failed(
        resource.id,
        `Its automated backups are not replicated to ${here.region}: start that (aws rds start-db-instance-automated-backups-replication --region ${here.region} --source-db-instance-arn ${resource.id}${key ? ` --kms-key-id ${DATA_KEY}` : ''}), or have the policy materialise or snapshot it.`,
      );
    }
    const reached = reaches(log, at);
    if (typeof reached === 'object')
      return failed(
        resource.id,
        `Its log in ${here.region} ${reached.never}; the replication began, or its retention is, too short for this point.`,
      );
    if (reached === 'later') {
      const wait = log.window ? Math.max(LEAST_WAIT_MILLIS, millis(at) - log.window.latest) : NOTHING_YET_MILLIS;
      return waiting(resource.id, instant(clock.now() + wait), `Its log in ${here.region} has not reached ${at} yet.`);
    }
    return done(resource.id, {
      ...artifact,
      id: `${log.arn}@${at}`,
      place: vault.place,
      endurance: 'log-backed',
      restorableUntil: daysAfter(at, log.retentionDays),
      facts: asJson({ by: 'log', at, backup: log.arn } satisfies ArtifactFacts),
    });
  },
);
