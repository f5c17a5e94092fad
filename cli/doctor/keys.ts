import { DescribeKeyCommand, type KeyMetadata, KMSClient } from '@aws-sdk/client-kms';
import { calls } from '../../functions/aws/call.ts';
import { when } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import { DATA_KEY, SIGNING_KEY } from '../../functions/vault/layout.ts';
import { ok, placeCheck, problem, type Said, warning } from './check.ts';

const { read } = calls('kms', KMSClient);

const keyOf = verb(
  { key: read(DescribeKeyCommand) },
  (aws, KeyId: string): Promise<KeyMetadata | undefined> =>
    aws.key({ KeyId }).then(
      ({ KeyMetadata }) => KeyMetadata,
      when('NotFoundException', () => undefined),
    ),
);

/** What each key is for. */
const KEYS = [
  { name: DATA_KEY, usage: 'ENCRYPT_DECRYPT', without: 'nothing in this vault can be written or read' },
  { name: SIGNING_KEY, usage: 'SIGN_VERIFY', without: 'nothing can be sealed here' },
] as const;

/** Whether the keys of a place can be used. */
export const keys = placeCheck({
  name: 'keys',
  ofDeployment: true,
  uses: { keyOf },
  run: async (look, { place }) => {
    const { keyOf } = look(place);
    const troubles = (await Promise.all(KEYS.map(async (key) => aboutKey(key, await keyOf(key.name))))).flat();
    return troubles.length > 0 ? troubles : [ok('The data key and the signing key are enabled.')];
  },
});

function aboutKey({ name, usage, without }: (typeof KEYS)[number], found: KeyMetadata | undefined): Said[] {
  if (!found) return [problem(`The key ${name} is missing, so ${without}.`, 'run `npx cdk deploy --all`')];
  const { KeyState: state = 'Unknown', KeyId: id, KeyUsage, DeletionDate } = found;
  if (state === 'PendingDeletion')
    return [
      problem(
        `The key ${name} will be deleted${DeletionDate ? ` on ${DeletionDate.toISOString().slice(0, 10)}` : ''}, and with it all that it encrypts; ${without} already.`,
        `save it: aws kms cancel-key-deletion --key-id ${id}, then enable-key`,
      ),
    ];
  if (state !== 'Enabled')
    return [problem(`The key ${name} is ${state}, so ${without}.`, `enable it: aws kms enable-key --key-id ${id}`)];
  return KeyUsage === usage
    ? []
    : [warning(`The key ${name} is for ${KeyUsage}, not for ${usage}.`, 'point the alias at the right key')];
}
