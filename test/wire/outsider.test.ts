import { describe, expect, it } from 'vitest';
import { start } from '../../local/index.ts';
import { makeRole } from '../local/roles.ts';
import { hasPython, python } from './python.ts';

const hasBoto3 = hasPython('boto3', 'the outsider');

/** Clients that share no code with the wire, whose schemas are the SDK's: they read AWS's own models. */
describe.skipIf(!hasBoto3)('an outsider with boto3', () => {
  it('finds an AWS', async () => {
    const { world, url, close } = await start({ speed: 0 });
    await makeRole(world, '222222222222', 'restore', { trusts: { AWS: '111122223333' } });
    try {
      expect(await python('outsider.py', url)).toEqual(EXPECTED);
    } finally {
      await close();
    }
  });
});

const KEY = 'folder/a b+c é/';
const EXPECTED = {
  s3: {
    body: 'hello world',
    metadata: { owner: 'me' },
    type: 'text/plain',
    range: 'world',
    head: 9_000_000,
    copy: 'hello world',
    keys: ['copy', KEY, 'large', 'twice'],
    versions: 2,
    presigned: 'hello world',
    location: 'eu-west-1',
    exists: ['PreconditionFailed', 412],
    missing: ['NoSuchKey', 404],
    missingHead: ['404', 404],
    torrent: ['NotImplemented', 501],
    deleted: 2,
  },
  ec2: {
    volumes: [[1, [{ Key: 'app', Value: 'shop & co' }]]],
    elsewhere: 0,
    missing: ['InvalidVolume.NotFound', 400],
    hosts: ['NotImplemented', 501],
  },
  kms: { opened: '00ff736563726574', wrong: ['InvalidCiphertextException', 400] },
  sts: {
    root: 'arn:aws:iam::111122223333:root',
    role: 'arn:aws:sts::222222222222:assumed-role/restore/me',
  },
  others: {
    functions: [],
    noFunction: ['ResourceNotFoundException', 404],
    noTable: ['ResourceNotFoundException', 400],
    noService: ['NotImplemented', 501],
  },
};
