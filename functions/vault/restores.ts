import { Permanent } from '../aws/errors.ts';
import { verb } from '../aws/verb.ts';
import type { Instant, Item, Rename, Report, Restored, RestorePlan } from '../domain.ts';
import { ledgerBucket, restorePlanKey, restoreProgressKey, restoreReportKey } from './layout.ts';
import { reading, readNewest, readOldest, replace, writeOnce, writing } from './objects.ts';
import { parseRecord } from './records.ts';

/** What a restore has come to so far; rewritten under the ETag that was read. */
export interface RestoreProgress {
  readonly owner: string;
  readonly items: readonly Item<Restored>[];
  /** All that is known of how old names became new ones. */
  readonly renames: readonly Rename[];
  /** When each stage began. */
  readonly marks: readonly { readonly name: string; readonly at: Instant }[];
  /** What Thaw undid, in the application's own words. */
  readonly thawed?: readonly string[];
}

interface Name {
  readonly application: string;
  readonly restore: string;
}

export interface ReadRestore {
  readonly plan: RestorePlan;
  readonly progress?: RestoreProgress;
  readonly etag?: string;
  readonly report?: Report;
}

const parse = <T>(text: string, where: string): T => parseRecord<T>(JSON.parse(text), where);

/** Writes what a restore is to do. Ours again goes on with what was written first; another's is a Conflict. */
export const writeRestorePlan = verb(writing, async (aws, plan: RestorePlan, { here }): Promise<RestorePlan> => {
  const Bucket = ledgerBucket(here);
  const Key = restorePlanKey(plan.point.application, plan.id);
  const where = `${Bucket}/${Key}`;
  const text = await writeOnce(
    aws,
    { Bucket, Key, Body: JSON.stringify(plan) },
    (there) => parse<RestorePlan>(there, where).owner === plan.owner,
  );
  return parse<RestorePlan>(text, where);
});

/** Everything that the ledger holds of a restore. Permanent where it holds no such plan. */
export const readRestore = verb(reading, async (aws, { application, restore }: Name, { here }): Promise<ReadRestore> => {
  const bucket = ledgerBucket(here);
  const [plan, progress, report] = await Promise.all([
    readOldest(aws, bucket, restorePlanKey(application, restore)),
    readNewest(aws, bucket, restoreProgressKey(application, restore)),
    readOldest(aws, bucket, restoreReportKey(application, restore)),
  ]);
  if (plan === undefined) throw new Permanent(`There is no restore "${restore}" of "${application}" in ${bucket}.`);
  return {
    plan: parse<RestorePlan>(plan, restorePlanKey(application, restore)),
    ...(progress
      ? { progress: parse<RestoreProgress>(progress.text, restoreProgressKey(application, restore)), etag: progress.etag }
      : {}),
    ...(report === undefined ? {} : { report: parse<Report>(report, restoreReportKey(application, restore)) }),
  };
});

export const noteRestore = verb(
  writing,
  (
    aws,
    { application, restore, progress, etag }: Name & { progress: RestoreProgress; etag: string | undefined },
    { here },
  ): Promise<string> =>
    replace(aws, ledgerBucket(here), restoreProgressKey(application, restore), JSON.stringify(progress), etag),
);

/** The last word on a restore; the first report written is the report. */
export const writeReport = verb(writing, async (aws, report: Report, { here }): Promise<Report> => {
  const Bucket = ledgerBucket(here);
  const Key = restoreReportKey(report.application, report.id);
  return parse<Report>(await writeOnce(aws, { Bucket, Key, Body: JSON.stringify(report) }, () => true), `${Bucket}/${Key}`);
});
