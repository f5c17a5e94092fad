import { onTestFinished } from 'vitest';
import { listen } from '../../local/wire/server.ts';
import type { Operation, Service } from '../../local/world/service.ts';
import { type Caller, World, type WorldOptions } from '../../local/world/world.ts';

/** What a fixture keeps: nothing, but STS's place in it is where the wire asks whose a key is. */
interface Sessions {
  readonly sessions: Map<string, { readonly caller: Caller; readonly expires: number }>;
  callerOf(accessKeyId: string): Caller | undefined;
  expired(accessKeyId: string, now: Date): boolean;
}

function sessions(): Sessions {
  const issued: Sessions['sessions'] = new Map();
  return {
    sessions: issued,
    callerOf: (key) => issued.get(key)?.caller,
    expired: (key, now) => (issued.get(key)?.expires ?? Number.POSITIVE_INFINITY) <= now.getTime(),
  };
}

/** The packages and clients of the signing names that the tests of the wire use, one or two for each protocol. */
const SDKS = {
  ec2: { sdk: () => import('@aws-sdk/client-ec2'), client: 'EC2Client' },
  sts: { sdk: () => import('@aws-sdk/client-sts'), client: 'STSClient' },
  kms: { sdk: () => import('@aws-sdk/client-kms'), client: 'KMSClient' },
  dynamodb: { sdk: () => import('@aws-sdk/client-dynamodb'), client: 'DynamoDBClient' },
  lambda: { sdk: () => import('@aws-sdk/client-lambda'), client: 'LambdaClient' },
  s3: { sdk: () => import('@aws-sdk/client-s3'), client: 'S3Client' },
} as const;

type Name = keyof typeof SDKS;

/** A world of services that are made for one test: real schemas, the test's own operations, none where it names none. */
export function worldOf(
  operations: Partial<Record<Name, Record<string, Operation<any, any, Sessions>>>> = {},
  options: WorldOptions = {},
): World {
  const services = (Object.keys(SDKS) as Name[]).map((name): [string, Service<Sessions>] => [
    name,
    { name, ...SDKS[name], scope: 'partition', state: sessions, operations: operations[name] ?? {} },
  ]);
  return new World(new Map(services), { patience: 3, ...options });
}

/** Serves a world over a socket until the test that asks has ended; answers where. */
export async function serve(world: World): Promise<string> {
  const { url, close } = await listen(world, { seed: '0', speed: 0 });
  onTestFinished(close);
  return url;
}

/** The keys of an account's root, as the local AWS takes them. */
export const rootOf = (account: string) => ({ accessKeyId: account, secretAccessKey: 'none' });

export const HERE = { account: '111122223333', region: 'eu-west-1' };

export const clientOptions = (url: string, { region = HERE.region, key = HERE.account } = {}) => ({
  endpoint: url,
  region,
  credentials: rootOf(key),
  maxAttempts: 1,
});

/** An `Authorization` header that says who, where and which service; the signature is nobody's. */
export const signedFor = (service: string, { region = HERE.region, key = HERE.account } = {}) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=${key}/20261122/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

/** What a call is refused with; an answer is a failure of the test. */
export const failure = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => {
      throw new Error('It was answered.');
    },
    (error: unknown) => error,
  );
