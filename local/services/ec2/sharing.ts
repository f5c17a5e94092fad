import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import type { Snapshot } from './records.ts';
import type { Ec2State } from './state.ts';

/** Accounts by id, everybody as `all`. */
const named = (permissions: readonly SDK.CreateVolumePermission[] = []): string[] =>
  permissions.flatMap(({ UserId, Group }) => UserId ?? Group ?? []);

const ACCOUNT = /^\d{12}$/;

/** What AWS's own key encrypts can be shared with nobody, what any key encrypts not with all (EBS guide, "Share a snapshot"). */
function refuseSharing({ encrypted, key }: Snapshot, added: readonly string[], { peer }: Context<Ec2State>): void {
  for (const who of added)
    if (who !== 'all' && !ACCOUNT.test(who)) refuse('InvalidParameterValue', `'${who}' is not an account.`);
  if (!encrypted || added.length === 0) return;
  if (added.includes('all')) refuse('OperationNotPermitted', 'Encrypted snapshots cannot be shared publicly.');
  const id = key?.split('/').at(-1) ?? '';
  if (peer<KmsState>('kms').keys.get(id)?.manager === 'AWS')
    refuse('OperationNotPermitted', 'Encrypted snapshots with EBS default key cannot be shared');
}

export const sharing = operations<typeof SDK, Ec2State>()({
  ModifySnapshotAttribute(input, context) {
    const snapshot = context.state.snapshot(input.SnapshotId);
    const { Add, Remove } = input.CreateVolumePermission ?? {};
    const listed = [...(input.UserIds ?? []), ...(input.GroupNames ?? [])];
    const added = [...named(Add), ...(input.OperationType === 'add' ? listed : [])];
    const removed = [...named(Remove), ...(input.OperationType === 'remove' ? listed : [])];
    refuseSharing(snapshot, added, context);
    snapshot.sharedWith = [...new Set([...snapshot.sharedWith, ...added])].filter((who) => !removed.includes(who));
    return {};
  },

  ResetSnapshotAttribute({ SnapshotId }, { state }) {
    state.snapshot(SnapshotId).sharedWith = [];
    return {};
  },

  DescribeSnapshotAttribute({ SnapshotId }, { state }) {
    const { id, sharedWith } = state.snapshot(SnapshotId);
    return {
      SnapshotId: id,
      CreateVolumePermissions: sharedWith.map((who) => (who === 'all' ? { Group: 'all' as const } : { UserId: who })),
      ProductCodes: [],
    };
  },
});
