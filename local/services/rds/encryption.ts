import type * as SDK from '@aws-sdk/client-kms';
import { Refusal, refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { KmsState } from '../kms/state.ts';

export const AWS_MANAGED = 'alias/aws/rds';

/** The ARN of a key that RDS can use here; refused as RDS refuses one that it cannot (RDS API, KMSKeyNotAccessibleFault). */
export function keyAt(name: string, place: Place, world: World): string {
  try {
    return world.state<KmsState>('kms', place).usable(name).arn;
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
