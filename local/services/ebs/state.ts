import { type Context, Refusal, refuse } from '../../world/service.ts';
import type { Pages } from '../ec2/disk.ts';
import type { Snapshot } from '../ec2/records.ts';
import type { Ec2State } from '../ec2/state.ts';
import type { KmsState } from '../kms/state.ts';

/** A snapshot that is being written block by block. */
export interface Writing {
  readonly base: Pages;
  readonly blocks: Map<number, Uint8Array>;
  /** Minutes of silence after which it is given up. */
  readonly timeout: number;
  touchedAt: number;
}

/** The direct APIs keep what is being written; the snapshots themselves are EC2's. */
export class EbsState {
  readonly writing = new Map<string, Writing>();
  /** Ids of what was written to its end. */
  readonly written = new Set<string>();
  /** What each client token asked for, and the snapshot that it got. */
  readonly tokens = new Map<string, { readonly asked: string; readonly snapshot: Snapshot }>();
}

export const ec2 = ({ peer }: Pick<Context<EbsState>, 'peer'>): Ec2State => peer<Ec2State>('ec2');

/** The account's own snapshot, or one that is shared with it. */
export function find(id: string | undefined, context: Context<EbsState>): Snapshot {
  const state = ec2(context);
  return (
    state.snapshots.get(id ?? '') ??
    state.sharedWithUs().find((snapshot) => snapshot.id === id) ??
    refuse('ResourceNotFoundException', `The snapshot '${id}' does not exist.`, { Reason: 'SNAPSHOT_NOT_FOUND' })
  );
}

/** Only a completed snapshot can be read, and an encrypted one with its key (EBS guide, "Permissions to use KMS keys"). */
export function readable(id: string | undefined, context: Context<EbsState>): Snapshot {
  const snapshot = find(id, context);
  if (snapshot.state !== 'completed')
    refuse('ValidationException', `The snapshot '${id}' is ${snapshot.state}, not completed.`, { Reason: 'INVALID_SNAPSHOT_ID' });
  if (snapshot.key) usableKey(snapshot.key, ['Decrypt'], context);
  return snapshot;
}

const REASONS: Readonly<Record<string, readonly [code: string, reason: string]>> = {
  NotFoundException: ['ResourceNotFoundException', 'DEPENDENCY_RESOURCE_NOT_FOUND'],
  AccessDeniedException: ['AccessDeniedException', 'DEPENDENCY_ACCESS_DENIED'],
  InvalidKeyUsageException: ['ValidationException', 'INVALID_CUSTOMER_KEY'],
};

/** The ARN of a key that the caller can use now; KMS's refusals come back as EBS's own. */
export function usableKey(name: string, operations: readonly string[], { peer, caller, region }: Context<EbsState>): string {
  try {
    const asking = { caller, via: `ec2.${region}.amazonaws.com` };
    return peer<KmsState>('kms').reach(name, operations, asking).usable('ENCRYPT_DECRYPT').arn;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const [code, Reason] = REASONS[error.code] ?? ['ValidationException', 'INVALID_DEPENDENCY_REQUEST'];
    return refuse(code, error.message, { Reason });
  }
}
