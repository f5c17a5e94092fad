import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { Configuration } from '../../functions/configuration/schema.ts';
import { readSlot } from '../../functions/decide/slot.ts';
import type { Outcome, Place } from '../../functions/domain.ts';
import { ledgerBucket } from '../../functions/vault/layout.ts';
import { readSigned } from '../../functions/vault/signature.ts';
import { stacksFor } from '../../infra/stacks.ts';
import type { Served } from '../../local/index.ts';
import { HOME } from '../world.ts';

/** A cloud assembly of real bundles; that `cdk synth` makes the same, with the rules of cdk-nag, another test says. */
export async function assembly(of: Configuration): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'stillpoint-assembly-'));
  const app = new App({ outdir });
  await stacksFor(app, of);
  app.synth();
  return outdir;
}

/** The genuine CLI as whoever holds keys of an account; answers all that it said, rejects with that where it failed. */
const cdkOf =
  (url: string) =>
  (account: string, ...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = {
        ...process.env,
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: account,
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_REGION: HOME.region,
        AWS_EC2_METADATA_DISABLED: 'true',
        CI: 'true',
      };
      execFile('npx', ['--no-install', 'cdk', ...args], { env, maxBuffer: 1e8 }, (error, stdout, stderr) =>
        error ? reject(new Error(stdout + stderr)) : resolve(stdout + stderr),
      );
    });

/** A served world as those see it who deploy to it with the genuine CLI and look at what came of it. */
export function deploying(served: Served) {
  const call = (place: Place, service: string, operation: string, input: object) =>
    served.world.clock.settle(served.world.call({ place, service, operation, input }));

  const statusOf = async (place: Place, StackName: string): Promise<string> =>
    (await call(place, 'cloudformation', 'DescribeStacks', { StackName })).Stacks[0].StackStatus;

  const nextPage = async (place: Place, Bucket: string, ContinuationToken?: string): Promise<string[]> => {
    const { Contents = [], NextContinuationToken } = await call(place, 's3', 'ListObjectsV2', {
      Bucket,
      Prefix: 'restore-points/',
      ...(ContinuationToken ? { ContinuationToken } : {}),
    });
    const keys = Contents.map(({ Key }: { Key: string }) => Key);
    return NextContinuationToken ? [...keys, ...(await nextPage(place, Bucket, NextContinuationToken))] : keys;
  };

  /** What the ledger of a place holds of slots that were due after a time: each outcome's key, with the status and label that stand in it. */
  async function decidedIn(place: Place, after: number): Promise<{ key: string; status: string; label: string }[]> {
    const Bucket = ledgerBucket(place);
    const keys = (await nextPage(place, Bucket)).filter(
      (key) => key.endsWith('/outcome.json') && readSlot(key.split('/')[2]!).due > after,
    );
    return Promise.all(
      keys.map(async (key) => {
        const { Body } = await call(place, 's3', 'GetObject', { Bucket, Key: key });
        const { record } = readSigned<Outcome>(new TextDecoder().decode(Body), key);
        return { key, status: record.status, label: record.status === 'sealed' ? record.consistency : record.because };
      }),
    );
  }

  return { cdk: cdkOf(served.url), call, statusOf, decidedIn };
}
