import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { calls } from '../aws/call.ts';
import { when } from '../aws/errors.ts';
import type { Door } from '../aws/verb.ts';
import type { Place } from '../domain.ts';

export const looksAtKeys = { key: calls('kms', KMSClient).read(DescribeKeyCommand) };

/** What stands in the way of using a key at a place, one sentence; empty where nothing does. */
export async function troubleWithKey(
  aws: Door<typeof looksAtKeys>,
  KeyId: string,
  { account, region }: Place,
): Promise<string[]> {
  const state = await aws.key({ KeyId }).then(
    ({ KeyMetadata }) => KeyMetadata?.KeyState,
    when(['NotFoundException', 'AccessDeniedException'], ({ name }) => name),
  );
  return state === 'Enabled'
    ? []
    : [`The key ${KeyId} cannot be used in ${account}/${region} (${state}); enable it, or restore access to it.`];
}
