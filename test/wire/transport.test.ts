import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSnapshotCommand, DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { calls } from '../../functions/aws/call.ts';
import { Lost, Permanent } from '../../functions/aws/errors.ts';
import { sdkTransport } from '../../functions/aws/sdk-transport.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import { open, verb } from '../../functions/aws/verb.ts';
import { requestHandler } from '../../local/wire/handler.ts';
import { listen } from '../../local/wire/server.ts';
import { errorAfter, errorBefore, type Fault, silenceAfter } from '../../local/world/faults.ts';
import { refuse } from '../../local/world/service.ts';
import type { World } from '../../local/world/world.ts';
import { HERE, rootOf, serve, worldOf } from './fixture.ts';

const { read, once } = calls('ec2', EC2Client);
const { read: readObject } = calls('s3', S3Client);
const create = once(CreateSnapshotCommand);
const describeThem = read(DescribeSnapshotsCommand);
const get = readObject(GetObjectCommand);

/** A world in which snapshots are made and listed, over a socket or without one. */
function snapshots(): { world: World; made: string[] } {
  const made: string[] = [];
  const ec2 = {
    CreateSnapshot: ({ VolumeId }: any) => ({ SnapshotId: `snap-${made.push(VolumeId)}` }),
    DescribeSnapshots: () => ({ Snapshots: made.map((VolumeId) => ({ VolumeId })) }),
  };
  const s3 = {
    GetObject: ({ Key }: any) => (Key ? { Body: new TextEncoder().encode(Key) } : refuse('NoSuchKey', 'no', { status: 404 })),
  };
  return { world: worldOf({ ec2, s3, sts: { GetCallerIdentity: (_, { account }) => ({ Account: account }) } }), made };
}

const overSocket = async (world: World): Promise<Transport> => {
  const endpoint = await serve(world);
  return sdkTransport({ endpoint, credentials: ({ account }) => rootOf(account) });
};
const inProcess = async (world: World): Promise<Transport> =>
  sdkTransport({ requestHandler: requestHandler(world), credentials: ({ account }) => rootOf(account) });

const opened = (transport: Transport, world: World) => {
  const clock = { now: () => world.clock.now(), sleep: (ms: number) => world.clock.sleep(ms), random: () => '0' };
  const places = { here: HERE, home: HERE };
  return {
    create: open(
      verb({ create }, (aws, VolumeId: string) => aws.create({ VolumeId })),
      transport,
      clock,
      places,
    ),
    list: open(
      verb({ describeThem }, (aws, _: object) => aws.describeThem({})),
      transport,
      clock,
      places,
    ),
    get: open(
      verb({ get }, (aws, Key: string) => aws.get({ Bucket: 'box', Key })),
      transport,
      clock,
      places,
    ),
  };
};

/** Strikes the first request with one fault and the second with the next. */
const strike = (world: World, ...faults: Fault[]) => {
  world.faults = ({ number }) => faults[number - 1];
};

describe.each([
  ['over a socket', overSocket],
  ['in process', inProcess],
])('the SDK transport, %s', (_, transportTo) => {
  it.each([
    ['silence', silenceAfter],
    ['an error of the server', errorAfter],
  ])('asks a call that must not be repeated once, and calls %s after it Lost', async (_, fault) => {
    const { world, made } = snapshots();
    const aws = opened(await transportTo(world), world);
    strike(world, fault);
    const lost = await aws.create('vol-1').catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(Lost);
    expect((lost as Lost).asked).toEqual({ from: expect.any(String), to: expect.any(String) });
    expect(made).toEqual(['vol-1']);
    expect(world.journal.count(({ operation }) => operation === 'CreateSnapshot')).toBe(1);
  });

  it('asks a call without effect again', async () => {
    const { world } = snapshots();
    const aws = opened(await transportTo(world), world);
    strike(world, { when: 'before', answer: 'silence' }, errorBefore);
    expect((await aws.list({})).Snapshots ?? []).toEqual([]);
    expect(world.journal.count(({ operation }) => operation === 'DescribeSnapshots')).toBe(3);
  });

  it('passes AWS’s errors unchanged, and asks no second time although the clocks are years apart', async () => {
    const world = worldOf(
      { ec2: { DescribeSnapshots: () => refuse('InvalidSnapshot.NotFound', 'gone') } },
      { start: Date.UTC(2031, 0, 1) },
    );
    const aws = opened(await transportTo(world), world);
    expect(await aws.list({}).catch((error: unknown) => error)).toMatchObject({
      name: 'InvalidSnapshot.NotFound',
      message: 'gone',
    });
    expect(world.journal.count()).toBe(1);
  });

  it('keeps the Date of the answer, which is the service’s own', async () => {
    const { world } = snapshots();
    const aws = opened(await transportTo(world), world);
    const { date } = await aws.create('vol-1');
    expect(date!.getTime()).toBe(Math.floor(world.clock.now() / 1000) * 1000);
  });

  it('finds an S3 bucket by its path and streams what is in it', async () => {
    const { world } = snapshots();
    const aws = opened(await transportTo(world), world);
    const { Body } = await aws.get('a/b c');
    expect(await Body!.transformToString()).toBe('a/b c');
  });

  it('signs with the keys of each place’s account', async () => {
    const { world } = snapshots();
    const transport = await transportTo(world);
    for (const account of ['444455556666', '777788889999']) {
      await transport.send({ call: describeThem, place: { account, region: 'us-east-1' }, input: {} });
    }
    expect(world.journal.entries.map(({ place }) => place.account)).toEqual(['444455556666', '777788889999']);
  });
});

describe('keys that the SDK finds by itself', () => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

  it('reach their own account only; another is refused before anything is sent there', async () => {
    const before = names.map((name) => process.env[name]);
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: HERE.account, AWS_SECRET_ACCESS_KEY: 'none' });
    try {
      const { world, made } = snapshots();
      const transport = sdkTransport({ environment: { AWS_ENDPOINT_URL: await serve(world) } });
      await transport.send({ call: create, place: HERE, input: { VolumeId: 'vol-1' } });
      const elsewhere = { account: '999900001111', region: 'us-east-1' };
      const refused = await transport
        .send({ call: create, place: elsewhere, input: { VolumeId: 'vol-2' } })
        .catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Permanent);
      expect((refused as Error).message).toContain('account 999900001111 (us-east-1) cannot be reached');
      expect(made).toEqual(['vol-1']);
    } finally {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    }
  });
});

describe('the token of a cluster', () => {
  const AT = Date.UTC(2026, 10, 22, 3, 4, 5);
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session/+=' };
  const clock = { now: () => AT, sleep: async () => {}, random: () => '0' };
  const tokenOf = (cluster: string) => sdkTransport({ credentials: () => keys, clock }).clusterToken(cluster, HERE);
  const decoded = (token: string) => new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());

  it('is a presigned GetCallerIdentity whose signature covers the cluster’s name', async () => {
    const token = await tokenOf('shop');
    expect(token).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
    const { host, searchParams: query } = decoded(token);
    expect(host).toBe('sts.eu-west-1.amazonaws.com');
    expect(Object.fromEntries(query)).toMatchObject({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Credential': 'AKIDEXAMPLE/20261122/eu-west-1/sts/aws4_request',
      'X-Amz-Date': '20261122T030405Z',
      'X-Amz-Expires': '60',
      'X-Amz-Security-Token': keys.sessionToken,
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    });
    expect(query.get('X-Amz-Signature')).toBe(signatureBy(keys.secretAccessKey, decoded(token), 'shop'));
    expect(query.get('X-Amz-Signature')).not.toBe(decoded(await tokenOf('other')).searchParams.get('X-Amz-Signature'));
  });

  /** Signature Version 4 from its description (IAM guide, "Create a signed request"), to check the SDK's signer by something else. */
  function signatureBy(secret: string, { host, searchParams }: URL, cluster: string): string {
    const encode = (text: string) =>
      encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    const query = [...searchParams]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&');
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const canonical = ['GET', '/', query, `host:${host}`, `x-k8s-aws-id:${cluster}`, '', 'host;x-k8s-aws-id', sha256('')].join(
      '\n',
    );
    const date = searchParams.get('X-Amz-Date')!;
    const scope = searchParams.get('X-Amz-Credential')!.split('/').slice(1);
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const key = scope.reduce<string | Buffer>((derived, part) => hmac(derived, part), `AWS4${secret}`);
    return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n')).toString('hex');
  }
});

describe('requests to a cluster', () => {
  const { fetch } = sdkTransport({ credentials: () => rootOf(HERE.account) });
  const [own, other] = [authority(), authority()];
  if (!own || !other) console.warn('Skipped: trust in an authority; there is no openssl here to make certificates.');

  it('carry method, headers and bytes there and back', async () => {
    const url = await serve(worldOf());
    const body = new TextEncoder().encode('{"advanceSeconds": 1}');
    const answer = await fetch({
      method: 'POST',
      url: `${url}/_stillpoint/clock`,
      headers: { accept: 'application/json' },
      body,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(new TextDecoder().decode(answer.body))).toHaveProperty('time');
  });

  it('reject where no answer comes', async () => {
    const { url, close } = await listen(worldOf(), { seed: '0', speed: 0 });
    await close();
    await expect(fetch({ method: 'GET', url, headers: {} })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('never show a token to the network in plain text', async () => {
    const asked = fetch({ method: 'GET', url: 'http://cluster.example.com/api', headers: { authorization: 'Bearer x' } });
    await expect(asked).rejects.toThrow(/is plain HTTP/);
  });

  it.skipIf(!own || !other)('trust the cluster’s own authority and no other', async () => {
    const tls = createServer({ key: own!.key, cert: own!.certificate }, (_, answer) => answer.end('hello'));
    await new Promise<void>((listening) => tls.listen(0, '127.0.0.1', listening));
    const url = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/version`;
    try {
      const answer = await fetch({ method: 'GET', url, headers: {}, authority: own!.certificate });
      expect(new TextDecoder().decode(answer.body)).toBe('hello');
      await expect(fetch({ method: 'GET', url, headers: {}, authority: other!.certificate })).rejects.toThrow(
        /self-signed|unable to verify/i,
      );
      await expect(fetch({ method: 'GET', url, headers: {} })).rejects.toThrow(/self-signed|unable to verify/i);
    } finally {
      tls.closeAllConnections();
      tls.close();
    }
  });
});

/** A key and a certificate that it signed itself; none where the machine has no openssl. */
function authority(): { key: string; certificate: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')] as const;
  const subject = ['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1'];
  try {
    const options = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      ...subject,
    ];
    execFileSync('openssl', [...options, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
