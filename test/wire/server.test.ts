import { request } from 'node:http';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeHostsCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { GetBucketLocationCommand, GetObjectCommand, HeadObjectCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { requestHandler } from '../../local/wire/handler.ts';
import { type Listening, listen } from '../../local/wire/server.ts';
import { type Context, refuse } from '../../local/world/service.ts';
import type { World } from '../../local/world/world.ts';
import { clientOptions, HERE, signedFor, worldOf } from './fixture.ts';

let server: Listening | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(world: World, speed = 0): Promise<string> {
  server = await listen(world, { seed: '0', speed });
  return server.url;
}

const failure = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => {
      throw new Error('It was answered.');
    },
    (error) => error,
  );

describe('what is not modelled', () => {
  it.each([
    ['ec2:DescribeHosts', (options: object) => new EC2Client(options).send(new DescribeHostsCommand({}))],
    ['sts:GetCallerIdentity', (options: object) => new STSClient(options).send(new GetCallerIdentityCommand({}))],
    ['kms:ListKeys', (options: object) => new KMSClient(options).send(new ListKeysCommand({}))],
    [
      'dynamodb:DescribeTable',
      (options: object) => new DynamoDBClient(options).send(new DescribeTableCommand({ TableName: 't' })),
    ],
    ['lambda:ListFunctions', (options: object) => new LambdaClient(options).send(new ListFunctionsCommand({}))],
    ['s3:ListBuckets', (options: object) => new S3Client(options).send(new ListBucketsCommand({}))],
  ])('answers %s in its own protocol', async (named, ask) => {
    const url = await serve(worldOf());
    const error = await failure(ask(clientOptions(url)));
    expect(error).toMatchObject({
      name: 'NotImplemented',
      message: `The local AWS does not model ${named}.`,
      $metadata: { httpStatusCode: 501 },
    });
  });

  it.each([
    [
      'rds',
      'application/x-www-form-urlencoded',
      {},
      'Action=DescribeDBInstances&Version=2014-10-31',
      /<Code>NotImplemented<\/Code>.*rds:DescribeDBInstances/,
    ],
    [
      'secretsmanager',
      'application/x-amz-json-1.1',
      { 'x-amz-target': 'secretsmanager.ListSecrets' },
      '{}',
      /"NotImplemented".*secretsmanager:ListSecrets/,
    ],
    ['elasticfilesystem', 'application/json', {}, '{}', /"NotImplemented".*elasticfilesystem:POST \/2015-02-01\/file-systems/],
  ])('answers for %s, which is not there at all, as the request looks', async (service, type, headers, body, expected) => {
    const url = await serve(worldOf());
    const path = service === 'elasticfilesystem' ? '/2015-02-01/file-systems' : '/';
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': type, ...headers, ...signedFor(service) },
      body,
    });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toMatch(expected);
  });

  it('answers an operation that no SDK knows of', async () => {
    const url = await serve(worldOf());
    const body = new URLSearchParams({ Action: 'MakeCoffee', Version: '2016-11-15' });
    const answer = await fetch(url, { method: 'POST', headers: signedFor('ec2'), body });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('ec2:MakeCoffee');
  });
});

describe('a region that is dark', () => {
  const asked: string[] = [];
  const world = () => {
    asked.length = 0;
    return worldOf({ ec2: { DescribeVolumes: (_, { region }: Context<any>) => void asked.push(region) } });
  };

  it('breaks the connection as soon as it is known, and no other region is harmed', async () => {
    const dark = world();
    dark.dark.add('eu-west-1');
    const url = await serve(dark);
    const error = await failure(new EC2Client(clientOptions(url)).send(new DescribeVolumesCommand({})));
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(error.$metadata.httpStatusCode).toBeUndefined();
    await new EC2Client(clientOptions(url, { region: 'us-east-1' })).send(new DescribeVolumesCommand({}));
    expect(asked).toEqual(['us-east-1']);
  });

  it('does not wait for the body', async () => {
    const dark = world();
    dark.dark.add('eu-west-1');
    const url = await serve(dark);
    const error = await new Promise<NodeJS.ErrnoException>((broken) => {
      const sending = request(url, { method: 'POST', headers: { ...signedFor('ec2'), 'content-length': '1000' } });
      sending.on('error', broken);
      sending.write('half'); // the rest never comes
    });
    expect(error.code).toBe('ECONNRESET');
  });

  it('looks the same without a socket', async () => {
    const dark = world();
    dark.dark.add('eu-west-1');
    const client = new EC2Client({ ...clientOptions('http://local.aws.invalid'), requestHandler: requestHandler(dark) });
    const error = await failure(client.send(new DescribeVolumesCommand({})));
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ECONNRESET', message: 'socket hang up' });
    expect(asked).toEqual([]);
  });
});

describe('who calls, and where', () => {
  const whoami = {
    sts: { GetCallerIdentity: (_: object, { caller, account }: Context<any>) => ({ Account: account, Arn: caller.arn }) },
  };
  const ask = (url: string, key: string) => new STSClient(clientOptions(url, { key })).send(new GetCallerIdentityCommand({}));

  it('takes a key of 12 digits for that account’s root, and any other key for account 000000000000', async () => {
    const url = await serve(worldOf(whoami));
    expect(await ask(url, '444455556666')).toMatchObject({ Account: '444455556666', Arn: 'arn:aws:iam::444455556666:root' });
    expect(await ask(url, 'AKIDEXAMPLE')).toMatchObject({ Account: '000000000000', Arn: 'arn:aws:iam::000000000000:root' });
  });

  it('takes a key that STS issued for its role, until it expires', async () => {
    const world = worldOf(whoami);
    const url = await serve(world);
    const caller = { account: '222222222222', arn: 'arn:aws:sts::222222222222:assumed-role/restore/me' };
    const { sessions } = world.state<{ sessions: Map<string, object> }>('sts', HERE);
    sessions.set('ASIAROLE', { caller, expires: world.clock.now() + 60_000 });
    expect(await ask(url, 'ASIAROLE')).toMatchObject({ Account: '222222222222', Arn: caller.arn });
    await world.clock.advance(60_000);
    expect(await failure(ask(url, 'ASIAROLE'))).toMatchObject({
      name: 'ExpiredToken',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('reads the scope of a presigned request from its query', async () => {
    const url = await serve(worldOf(whoami));
    const query = new URLSearchParams({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Credential': '777788889999/20261122/ap-south-1/sts/aws4_request',
    });
    const answer = await fetch(`${url}/?${query}`);
    expect(await answer.text()).toContain('<Account>777788889999</Account>');
  });
});

describe('time', () => {
  it('is the world’s in every answer, also in errors', async () => {
    const world = worldOf(
      { kms: { ListKeys: () => refuse('NotFoundException', 'no') } },
      { start: Date.UTC(2031, 4, 6, 7, 8, 9), latency: [0, 0] },
    );
    const url = await serve(world);
    const error = await failure(new KMSClient(clientOptions(url)).send(new ListKeysCommand({})));
    expect(error.$response.headers.date).toBe('Tue, 06 May 2031 07:08:09 GMT');
  });

  it('moves by the latencies of a request in flight and by nothing else, however slow the machine is', async () => {
    const slow = async (_: object, { world }: Context<any>) => {
      await world.clock.busy(() => new Promise((wake) => setTimeout(wake, 100)));
      return {};
    };
    const world = worldOf({ kms: { ListKeys: slow } }, { latency: [25, 25] });
    let fired = false;
    world.clock.after(1000, () => {
      fired = true;
    });
    const url = await serve(world);
    const before = world.clock.now();
    await new KMSClient(clientOptions(url)).send(new ListKeysCommand({}));
    expect(world.clock.now() - before).toBe(50);
    expect(fired).toBe(false);
  });

  it('moves through what an answer waits for', async () => {
    const waits = { kms: { ListKeys: async (_: object, { world }: Context<any>) => world.clock.sleep(3_600_000) } };
    const world = worldOf(waits, { latency: [0, 0] });
    const url = await serve(world);
    const before = world.clock.now();
    await new KMSClient(clientOptions(url)).send(new ListKeysCommand({}));
    expect(world.clock.now() - before).toBe(3_600_000);
  });
});

describe('the control path', () => {
  const post = async (url: string, path: string, body: string) => {
    const answer = await fetch(`${url}/_stillpoint${path}`, { method: 'POST', body });
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
  };

  it('tells the state', async () => {
    const world = worldOf({ ec2: { DescribeVolumes: () => ({}) } }, { latency: [0, 0], start: Date.UTC(2030, 0, 1) });
    const url = await serve(world);
    await new EC2Client(clientOptions(url)).send(new DescribeVolumesCommand({}));
    const state = await (await fetch(`${url}/_stillpoint`)).json();
    expect(state).toMatchObject({
      simulated: true,
      time: '2030-01-01T00:00:00.000Z',
      seed: '0',
      speed: 0,
      dark: [],
      accounts: [HERE.account],
      regions: [HERE.region],
      requests: { total: 1, byOperation: { 'ec2:DescribeVolumes': 1 } },
      services: { ec2: ['DescribeVolumes'], s3: [] },
    });
  });

  it('advances the clock, darkens regions and forgets', async () => {
    const world = worldOf({}, { start: Date.UTC(2030, 0, 1) });
    const url = await serve(world);
    let fired = false;
    world.clock.after(59_000, () => {
      fired = true;
    });
    expect(await post(url, '/clock', '{"advanceSeconds": 60}')).toEqual({ status: 200, time: '2030-01-01T00:01:00.000Z' });
    expect(fired).toBe(true);
    expect(await post(url, '/regions/eu-west-1', '{"dark": true}')).toEqual({ status: 200, dark: ['eu-west-1'] });
    expect(world.dark).toEqual(new Set(['eu-west-1']));
    expect(await post(url, '/regions/eu-west-1', '{"dark": false}')).toEqual({ status: 200, dark: [] });
    world.dark.add('us-east-1');
    expect(await post(url, '/reset', '')).toMatchObject({ status: 200, reset: true, time: '2030-01-01T00:01:00.000Z' });
    expect(world.dark.size).toBe(0);
  });

  it.each([
    ['/clock', '{"advanceSeconds": -1}', 400, /advanceSeconds must be a number/],
    ['/clock', '{"advanceSeconds": "60"}', 400, /advanceSeconds must be a number/],
    ['/clock', 'sixty', 400, /must be a JSON object/],
    ['/clock', '[60]', 400, /must be a JSON object/],
    ['/regions/eu-west-1', '{}', 400, /dark must be true or false/],
    ['/regions/mars', '{"dark": true}', 400, /"mars" is not a region/],
    ['/regions', '{"dark": true}', 400, /"" is not a region/],
    ['/coffee', '{}', 404, /POST \/_stillpoint\/coffee is not known here/],
  ])('refuses POST %s %s in one sentence', async (path, body, status, sentence) => {
    const url = await serve(worldOf());
    expect(await post(url, path, body)).toEqual({ status, error: expect.stringMatching(sentence) });
  });
});

describe('S3’s own ways', () => {
  const text = (body: string) => new TextEncoder().encode(body);
  type Seen = Record<string, any>;
  const seeing =
    (seen: Seen[], answer: object = {}) =>
    (input: Seen) => {
      seen.push(input);
      return answer;
    };

  it('joins aws-chunked bodies and takes the trailing checksum for a header', async () => {
    const seen: Seen[] = [];
    const url = await serve(worldOf({ s3: { PutObject: seeing(seen) } }));
    const body = '5;chunk-signature=0\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n';
    const headers = {
      ...signedFor('s3'),
      'content-encoding': 'gzip,aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '11',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    expect((await fetch(`${url}/box/key`, { method: 'PUT', headers, body })).status).toBe(200);
    expect(seen).toMatchObject([
      { Bucket: 'box', Key: 'key', ContentEncoding: 'gzip', ContentLength: 11, ChecksumCRC32: 'DUoRhQ==' },
    ]);
    expect(seen[0]!.Body).toEqual(text('hello world'));
    const broken = await fetch(`${url}/box/key`, { method: 'PUT', headers, body: 'ff\r\nhello' });
    expect(broken.status).toBe(400);
    expect(await broken.text()).toContain('the aws-chunked body breaks off');
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['a.b.s3.eu-west-1.amazonaws.com', '/x/y', 'a.b', 'x/y'],
    ['box.localhost:4566', '/x', 'box', 'x'],
    ['s3.eu-west-1.amazonaws.com', '/box/x', 'box', 'x'],
    ['127.0.0.1', '/box/folder/', 'box', 'folder/'],
    ['127.0.0.1', '/box//x%20y%2Bz+', 'box', '/x y+z+'],
  ])('finds the bucket at host %s, path %s', async (host, path, Bucket, Key) => {
    const seen: Seen[] = [];
    const { port } = new URL(await serve(worldOf({ s3: { GetObject: seeing(seen, { Body: text('!') }) } })));
    await new Promise<void>((done, failed) => {
      const sending = request(
        { port, path, headers: { host, ...signedFor('s3') } },
        (answer) => void answer.resume().on('end', done),
      );
      sending.on('error', failed);
      sending.end();
    });
    expect(seen).toMatchObject([{ Bucket, Key }]);
  });

  it('answers a HEAD without a body: what is there by headers, what is not by its status', async () => {
    const head = ({ Key }: Seen) => {
      if (Key === 'there') return { ContentLength: 5, ETag: '"e"' };
      if (Key === 'same') return refuse('NotModified', 'Not Modified', { status: 304 });
      if (Key === 'elsewhere') return refuse('PermanentRedirect', 'no', { status: 301, BucketRegion: 'us-west-2' });
      return refuse('NotFound', 'Not Found', { status: 404 });
    };
    const url = await serve(worldOf({ s3: { HeadObject: head } }));
    const client = new S3Client({ ...clientOptions(url), forcePathStyle: true });
    const ask = (Key: string) => client.send(new HeadObjectCommand({ Bucket: 'box', Key }));
    expect(await ask('there')).toMatchObject({ ContentLength: 5, ETag: '"e"' });
    expect(await failure(ask('gone'))).toMatchObject({ name: 'NotFound', $metadata: { httpStatusCode: 404 } });
    expect(await failure(ask('same'))).toMatchObject({ $metadata: { httpStatusCode: 304 } });
    const moved = await fetch(`${url}/box/elsewhere`, { method: 'HEAD', headers: signedFor('s3'), redirect: 'manual' });
    expect([moved.status, moved.headers.get('x-amz-bucket-region')]).toEqual([301, 'us-west-2']);
  });

  it('answers a range with 206, a location as the text of the root, and an error with what it tells', async () => {
    const operations = {
      GetObject: ({ Key, Range }: Seen) =>
        Key === 'gone'
          ? refuse('NoSuchKey', 'The key is <gone>', { status: 404, Key })
          : { Body: text('ell'), ContentRange: `${Range} of 5` },
      GetBucketLocation: () => ({ LocationConstraint: 'eu-west-1' }),
    };
    const url = await serve(worldOf({ s3: operations }));
    const client = new S3Client({ ...clientOptions(url), forcePathStyle: true });
    const part = await client.send(new GetObjectCommand({ Bucket: 'box', Key: 'k', Range: 'bytes=1-3' }));
    expect([part.$metadata.httpStatusCode, await part.Body!.transformToString()]).toEqual([206, 'ell']);
    expect(await client.send(new GetBucketLocationCommand({ Bucket: 'box' }))).toMatchObject({ LocationConstraint: 'eu-west-1' });
    const error = await failure(client.send(new GetObjectCommand({ Bucket: 'box', Key: 'gone' })));
    expect(error).toMatchObject({
      name: 'NoSuchKey',
      message: 'The key is <gone>',
      Key: 'gone',
      $metadata: { httpStatusCode: 404 },
    });
  });
});

describe('what cannot be read', () => {
  it.each([
    ['kms', { 'x-amz-target': 'TrentService.ListKeys' }, '/', '{"Limit": '],
    ['lambda', {}, '/2015-03-31/functions/%E0%A4%A/invocations', '{}'],
    ['s3', {}, '/box?tagging', '<Tagging><TagSet>'],
  ])('is the client’s fault (%s)', async (service, headers, path, body) => {
    const url = await serve(worldOf());
    const answer = await fetch(url + path, {
      method: service === 's3' ? 'PUT' : 'POST',
      headers: { ...signedFor(service), ...headers },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/SerializationException.*The request cannot be read/s);
  });

  it('is told from a fault of the service, which is said as such', async () => {
    const broken = () => {
      throw new TypeError('x is not a function');
    };
    const url = await serve(worldOf({ kms: { ListKeys: broken } }));
    const error = await failure(new KMSClient(clientOptions(url)).send(new ListKeysCommand({})));
    expect(error).toMatchObject({
      name: 'InternalFailure',
      message: 'TypeError: x is not a function',
      $metadata: { httpStatusCode: 500 },
    });
  });
});
