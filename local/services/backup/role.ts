import { type Check, objection } from '../../world/authorization/authorize.ts';
import { assumed } from '../../world/authorization/trust.ts';
import { Refusal } from '../../world/service.ts';
import type { Caller } from '../../world/world.ts';
import type { KmsState } from '../kms/state.ts';
import type { BackupState } from './state.ts';

/** What AWS Backup does with the key of a vault (AWS Backup guide, "Managed policies": AWSBackupServiceRolePolicyForBackup). */
const WITH_KEY = ['DescribeKey', 'CreateGrant'];

/**
 * Why AWS Backup cannot do a job with the role that it was given, or nothing: the role must trust it and allow each step (AWS Backup guide,
 * "IAM service roles").
 */
export function roleTrouble(
  role: string,
  what: string,
  checks: readonly Check[],
  key: string,
  state: BackupState,
): string | undefined {
  const { world, account, region } = state;
  const lacks = (sentence: string) => `IAM Role ${role} does not have sufficient permissions to execute the ${what}: ${sentence}`;
  try {
    const caller = assumed(world, {
      service: 'backup.amazonaws.com',
      roleArn: role,
      session: 'AWSBackup',
      for: { account, region },
    });
    for (const check of checks) {
      const sentence = objection(check, { world, caller, region });
      if (sentence !== undefined) return lacks(sentence);
    }
    return keyTrouble(key, caller, state);
  } catch (error) {
    if (error instanceof Refusal) return lacks(error.message);
    throw error;
  }
}

function keyTrouble(key: string, caller: Caller, { world, account, region }: BackupState): string | undefined {
  try {
    const asking = { caller, via: `backup.${region}.amazonaws.com` };
    world.state<KmsState>('kms', { account, region }).reach(key, WITH_KEY, asking).usable('ENCRYPT_DECRYPT');
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return `The key ${key} cannot be used: ${error.message}`;
    throw error;
  }
}
