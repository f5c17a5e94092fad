import { request } from 'node:http';
import { GetBucketLocationCommand, GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { refuse } from '../../local/world/service.ts';
import { clientOptions, failure, serve, signedFor, worldOf } from './fixture.ts';

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
