import type { Authorization } from '../../world/authorization/declared.ts';
import type { EbsState } from './state.ts';

/** Service Authorization Reference, "Amazon Elastic Block Store": snapshots are EC2's. */
export const authorization: Authorization<EbsState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  members: { FirstSnapshotId: 'snapshot', SecondSnapshotId: 'snapshot', ParentSnapshotId: 'snapshot' },
};
