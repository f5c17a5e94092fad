import { request } from 'node:http';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeHostsCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { requestHandler } from '../../local/wire/handler.ts';
import { type Context, refuse } from '../../local/world/service.ts';
import { clientOptions, failure, HERE, serve, signedFor, worldOf } from './fixture.ts';

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

  it('takes its clusters along, and leaves those of other regions and the control path', async () => {
    const dark = world();
    dark.dark.add('us-east-1'); // where a request without a signature would be
    const url = await serve(dark);
    const place = { account: '111122223333', region: 'eu-west-1' };
    if (dark.services.has('eks')) {
      await dark.clock.settle(
        dark.call({
          place,
          service: 'eks',
          operation: 'CreateCluster',
          input: { name: 'shop', roleArn: 'arn:aws:iam::111122223333:role/shop', resourcesVpcConfig: {} },
        }),
      );
      await dark.clock.advance(3_600_000);
      expect((await fetch(`${url}/_eks/111122223333/eu-west-1/shop/version`)).status).toBe(200);
    }
    await expect(fetch(`${url}/_eks/111122223333/us-east-1/shop/version`)).rejects.toThrow();
    expect((await fetch(`${url}/_stillpoint`)).status).toBe(200);
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
  it('is the world’s in every answer, and in no error: clients would take it for a wrong clock, and ask again and again', async () => {
    const world = worldOf(
      { kms: { ListKeys: () => refuse('NotFoundException', 'no'), ListAliases: () => ({}) } },
      { start: Date.UTC(2031, 4, 6, 7, 8, 9), latency: [0, 0] },
    );
    const url = await serve(world);
    const error = await failure(new KMSClient(clientOptions(url)).send(new ListKeysCommand({})));
    expect(error.$response.headers.date).toBeUndefined();
    const target = { 'x-amz-target': 'TrentService.ListAliases', 'content-type': 'application/x-amz-json-1.1' };
    const authorization = 'AWS4-HMAC-SHA256 Credential=111122223333/20310506/us-east-1/kms/aws4_request';
    const answer = await fetch(url, { method: 'POST', headers: { ...target, authorization }, body: '{}' });
    expect(answer.headers.get('date')).toBe('Tue, 06 May 2031 07:08:09 GMT');
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
    expect(await answer.text()).toMatch(/(SerializationException|MalformedXML).*The request cannot be read/s);
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
