import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, Refusal, refuse } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import type { Snapshot } from './records.ts';
import type { Ec2State } from './state.ts';

interface Asked {
  readonly Encrypted?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
}

const AWS_MANAGED = 'alias/aws/ebs';

/** What EBS must be allowed to do with a key that it encrypts under, and with one that it reads under (EBS guide, "Requirements for Amazon EBS encryption"). */
const TO_ENCRYPT = ['DescribeKey', 'CreateGrant', 'GenerateDataKeyWithoutPlaintext', 'ReEncryptTo'];
const TO_READ = ['DescribeKey', 'CreateGrant', 'Decrypt', 'ReEncryptFrom'];
const TO_ATTACH = ['DescribeKey', 'CreateGrant', 'Decrypt'];

/**
 * The name of the key to encrypt under; undefined where nothing is to be encrypted. What was encrypted stays so, under its own key where the
 * account owns it (EBS guide, "Encryption outcomes").
 */
export function keyNameFor(
  { Encrypted, KmsKeyId }: Asked,
  source: Pick<Snapshot, 'encrypted' | 'key' | 'owner'> | undefined,
  { state, account }: Context<Ec2State>,
): string | undefined {
  if (KmsKeyId && !Encrypted)
    refuse('InvalidParameterDependency', 'The parameter [KmsKeyId] requires the parameter Encrypted to be set.');
  if (!(Encrypted || source?.encrypted || state.encryptionByDefault)) return undefined;
  const own = source?.owner === account ? source.key : undefined;
  return KmsKeyId ?? own ?? state.defaultKey ?? AWS_MANAGED;
}

type Asking = Pick<Context<Ec2State>, 'account' | 'region' | 'world' | 'caller'>;

type Answer = { readonly key?: string; readonly trouble?: string };

/** EBS asks KMS on the caller's behalf; answers the key's ARN, or in KMS's words why it cannot be used. */
function askKms(name: string, operations: readonly string[], { account, region, world, caller }: Asking): Answer {
  const kms = world.state<KmsState>('kms', { account, region });
  try {
    return { key: kms.reach(name, operations, { caller, via: `ec2.${region}.amazonaws.com` }).usable('ENCRYPT_DECRYPT').arn };
  } catch (error) {
    if (error instanceof Refusal) return { trouble: error.message };
    throw error;
  }
}

/**
 * Asks KMS as AWS does for new volumes and copies, whose making is accepted and fails later where the key cannot be used (EC2 API,
 * CreateVolume and CopySnapshot: the key is authenticated asynchronously).
 */
export const keyOrTrouble = (name: string | undefined, asking: Asking): Answer =>
  name === undefined ? {} : askKms(name, TO_ENCRYPT, asking);

export const troubleReading = (key: string | undefined, asking: Asking): string | undefined =>
  key === undefined ? undefined : askKms(key, TO_READ, asking).trouble;

const troubleAttaching = (key: string | undefined, asking: Asking): string | undefined =>
  key === undefined ? undefined : askKms(key, TO_ATTACH, asking).trouble;

/** Refuses at once, where a volume's own key is needed now. */
export function refuseUnusable(key: string | undefined, asking: Asking): void {
  const trouble = troubleAttaching(key, asking);
  if (trouble !== undefined) refuse('InvalidKMSKey.InvalidState', `The KMS key provided is in an incorrect state: ${trouble}`);
}

/** A snapshot is taken with the grant that the volume holds: the key must be usable, and nothing is asked of the caller (EBS guide, "How EBS encryption works"). */
export function refuseDisabled(key: string | undefined, { account, region, world }: Asking): void {
  if (key === undefined) return;
  try {
    const kms = world.state<KmsState>('kms', { account, region });
    (kms.here(key) ?? kms.find(key)).usable('ENCRYPT_DECRYPT');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse('InvalidKMSKey.InvalidState', `The KMS key provided is in an incorrect state: ${error.message}`);
  }
}

export const encryption = operations<typeof SDK, Ec2State>()({
  GetEbsEncryptionByDefault: (_, { state }) => ({ EbsEncryptionByDefault: state.encryptionByDefault }),

  EnableEbsEncryptionByDefault(_, { state }) {
    state.encryptionByDefault = true;
    return { EbsEncryptionByDefault: true };
  },

  DisableEbsEncryptionByDefault(_, { state }) {
    state.encryptionByDefault = false;
    return { EbsEncryptionByDefault: false };
  },

  GetEbsDefaultKmsKeyId: (_, { state }) => ({ KmsKeyId: state.defaultKey ?? AWS_MANAGED }),

  ModifyEbsDefaultKmsKeyId({ KmsKeyId = '' }, context) {
    const { key, trouble } = keyOrTrouble(KmsKeyId, context);
    context.state.defaultKey =
      key ?? refuse('InvalidParameterValue', `The specified keyId ${KmsKeyId} cannot be used: ${trouble}`);
    return { KmsKeyId: context.state.defaultKey };
  },

  ResetEbsDefaultKmsKeyId(_, { state }) {
    state.defaultKey = undefined;
    return { KmsKeyId: AWS_MANAGED };
  },
});
