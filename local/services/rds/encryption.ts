import type * as SDK from '@aws-sdk/client-kms';
import { Refusal, refuse } from '../../world/service.ts';
import type { Caller, Place, World } from '../../world/world.ts';
import type { KmsState } from '../kms/state.ts';

export const AWS_MANAGED = 'alias/aws/rds';

interface Asking {
  readonly world: World;
  readonly caller: Caller;
}

/** RDS guide, "Encrypting Amazon RDS resources": what the caller must be allowed with the key. */
const WITH_KEY = ['DescribeKey', 'CreateGrant'];

/** The ARN of a key that RDS can use here; refused as RDS refuses one that it cannot (RDS API, KMSKeyNotAccessibleFault). */
export function keyAt(name: string, { account, region }: Place, { world, caller }: Asking): string {
  try {
    const asking = { caller, via: `rds.${region}.amazonaws.com` };
    return world.state<KmsState>('kms', { account, region }).reach(name, WITH_KEY, asking).usable('ENCRYPT_DECRYPT').arn;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse(
      'KMSKeyNotAccessibleFault',
      `The specified KMS key [${name}] does not exist, is not enabled or you do not have permissions to access it.`,
    );
  }
}

/** Whether a key is the account's default one, which AWS manages. */
export function isManaged(arn: string | undefined, place: Place, world: World): boolean {
  if (arn === undefined) return false;
  const key = [...world.state<KmsState>('kms', place).keys.values()].find((one) => one.arn === arn);
  return key?.manager === ('AWS' satisfies SDK.KeyManagerType);
}
