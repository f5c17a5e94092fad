import type { Caller, Place, World } from '../world/world.ts';
import { type HttpRequest, isForm } from './message.ts';

/** What a Signature Version 4 says besides the signature, which is read here and not verified (IAM guide, "Create a signed request"). */
export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  /** The signing name of the service. */
  readonly service: string;
}

/** Nobody signed: that is how a form asks STS for a first identity (STS API, "AssumeRoleWithWebIdentity"), and how anybody reads what S3 shows. */
const unsigned = (headers: HttpRequest['headers']): Signature => {
  const service = isForm(headers) ? 'sts' : 's3';
  return { accessKeyId: '', region: 'us-east-1', service };
};

/** From the `Authorization` header, or from the query of a presigned request. */
export function signatureOf({ headers, query }: Pick<HttpRequest, 'headers' | 'query'>): Signature {
  const header = /Credential=([^,\s]+)/.exec(headers['authorization'] ?? '')?.[1];
  const [accessKeyId, , region, service] = (header ?? query.get('X-Amz-Credential') ?? '').split('/');
  return accessKeyId && region && service ? { accessKeyId, region, service } : unsigned(headers);
}

const ACCOUNT = /^\d{12}$/;
/** Whose keys are anything else. */
export const ANYBODY = '000000000000';

const rootOf = (account: string): Caller => ({ account, arn: `arn:aws:iam::${account}:root` });

/** The part of the local STS that knows whose a key is. */
interface Sessions {
  callerOf(accessKeyId: string): Caller | undefined;
  expired(accessKeyId: string, now: Date): boolean;
}

const sessionsOf = (world: World, region: string): Sessions | undefined =>
  world.services.has('sts') ? world.state<Sessions>('sts', { account: ANYBODY, region }) : undefined;

/** Twelve digits are that account's root, a key that STS issued is the role it was issued for, any other key is account 000000000000's. */
export function callerOf(world: World, { accessKeyId, region }: Signature): Caller {
  if (ACCOUNT.test(accessKeyId)) return rootOf(accessKeyId);
  return sessionsOf(world, region)?.callerOf(accessKeyId) ?? rootOf(ANYBODY);
}

export const hasExpired = (world: World, { accessKeyId, region }: Signature): boolean =>
  sessionsOf(world, region)?.expired(accessKeyId, new Date(world.clock.now())) ?? false;

export const placeOf = (caller: Caller, { region }: Signature): Place => ({ account: caller.account, region });
