import type { STSClient } from '@aws-sdk/client-sts';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Place } from '../domain.ts';

/** The query's age limit as clients set it; EKS ignores it and takes a token for 15 minutes from its date. */
const EXPIRES_SECONDS = 60;

/** What signs: an STS client's keys for the place. */
type Signing = Pick<STSClient['config'], 'credentials' | 'sha256'>;

/**
 * A bearer token for an EKS cluster, as `aws eks get-token` makes it: a presigned `sts:GetCallerIdentity` whose signature covers the
 * cluster's name in the header `x-k8s-aws-id` (EKS guide, "Grant IAM users access"; aws-iam-authenticator, "API authorization").
 */
export async function clusterToken(
  cluster: string,
  { region }: Place,
  { credentials, sha256 }: Signing,
  at: Date,
): Promise<string> {
  const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const request = new HttpRequest({
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { host: hostname, 'x-k8s-aws-id': cluster },
  });
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256 });
  const signed = await signer.presign(request, { signingDate: at, expiresIn: EXPIRES_SECONDS });
  const query = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${query.join('&')}`).toString('base64url')}`;
}
