import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../aws/call.ts';
import { Conflict, Permanent } from '../aws/errors.ts';
import { verb } from '../aws/verb.ts';
import type { Outcome, PointName, Sealed } from '../domain.ts';
import { ledgerBucket, outcomeKey, publicKeyKey } from './layout.ts';
import { listAttempts } from './ledger.ts';
import { BY_VERSION, readOldest, writeOnce, writing } from './objects.ts';
import { parseRecord } from './records.ts';
import { fetchPublicKey, verifySigned } from './signature.ts';

/** Home's ledger, read from a vault: the vault pulls, and believes nothing that is not signed by home's key. */
const s3 = calls('s3', S3Client);
const kms = calls('kms', KMSClient);

const homesLedger = {
  versions: s3.read(ListObjectVersionsCommand, { at: 'home' }),
  getVersion: s3.read(GetObjectCommand, { at: 'home', ...BY_VERSION }),
};

/** A point that home sealed, verified with home's public key as this vault learned it the first time, from home's KMS and not from its bucket. */
export const readHomesPoint = verb(
  {
    homesVersions: homesLedger.versions,
    homesVersion: homesLedger.getVersion,
    publicKey: kms.read(GetPublicKeyCommand, { at: 'home' }),
    ...writing,
  },
  async (
    { homesVersions, homesVersion, ...aws },
    name: PointName,
    { here, home },
  ): Promise<{ point: Sealed; digest: string }> => {
    const where = `${ledgerBucket(home)}/${outcomeKey(name)}`;
    const text = await readOldest({ versions: homesVersions, getVersion: homesVersion }, ledgerBucket(home), outcomeKey(name));
    if (text === undefined) throw new Permanent(`${where} is not there: the point that was announced was never sealed.`);
    const Bucket = ledgerBucket(here);
    const Key = publicKeyKey(home);
    const known = await readOldest(aws, Bucket, Key);
    const key = known ?? (await writeOnce(aws, { Bucket, Key, Body: await fetchPublicKey(aws) }, () => true));
    const { record, digest } = verifySigned<Outcome>(text, key, where);
    const outcome = parseRecord<Outcome>(record, where);
    if (outcome.status !== 'sealed') throw new Conflict(`${where} was abandoned: ${outcome.because}`);
    return { point: outcome, digest };
  },
);

/** The decided attempts in home's ledger, for a vault that looks for what it was not told of. */
export const listHomesAttempts = verb(
  { listObjects: s3.read(ListObjectsV2Command, { at: 'home' }) },
  (aws, { application }: { application: string }, scene) =>
    listAttempts.run(aws, { application }, { ...scene, here: scene.home }),
);
