import { callerOf, hasExpired } from '../wire/signature.ts';
import type { Caller, World } from '../world/world.ts';
import { Problem } from './problem.ts';

const PREFIX = 'Bearer k8s-aws-v1.';
/** EKS takes a token for 15 minutes from its date, whatever the query says of its age (aws-iam-authenticator, "API authorization"). */
const VALID_MILLIS = 15 * 60_000;

export const unauthorized = (): Problem => new Problem(401, 'Unauthorized', 'Unauthorized');

/**
 * Who is asking, by a presigned GetCallerIdentity as `aws eks get-token` makes it; its signature is read and not verified. Undefined where
 * no token was sent at all: a cluster is served on loopback only, and takes whoever sits there with a plain kubectl for its administrator.
 */
export function callerFrom(authorization: string | undefined, cluster: string, world: World): Caller | undefined {
  if (!authorization) return undefined;
  if (!authorization.startsWith(PREFIX)) throw unauthorized();
  const query = queryOf(authorization.slice(PREFIX.length));
  const [accessKeyId = '', ...scope] = (query.get('X-Amz-Credential') ?? '').split('/');
  const region = (scope.length > 1 ? scope[1] : scope[0]) ?? '';
  const isForAnother = (query.get('x-k8s-aws-id') ?? cluster) !== cluster;
  if (!accessKeyId || isForAnother || query.get('Action') !== 'GetCallerIdentity') throw unauthorized();
  const signature = { accessKeyId, region, service: 'sts' };
  if (isTooOld(query.get('X-Amz-Date'), world) || hasExpired(world, signature)) throw unauthorized();
  return callerOf(world, signature);
}

function queryOf(encoded: string): URLSearchParams {
  try {
    return new URL(Buffer.from(encoded, 'base64url').toString()).searchParams;
  } catch {
    throw unauthorized();
  }
}

function isTooOld(date: string | null, world: World): boolean {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '') ?? [];
  if (year === undefined) return false;
  return (
    world.clock.now() >
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) + VALID_MILLIS
  );
}
