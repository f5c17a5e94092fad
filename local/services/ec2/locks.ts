import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { asked, paged, passes } from './filters.ts';
import type { Lock, Snapshot } from './records.ts';
import type { Ec2State } from './state.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** EC2 API, LockSnapshot. */
const MOST_DAYS = 36_500;
const MOST_HOURS = 72;

export const isLocked = ({ lock }: Snapshot, now: Date): boolean => lock !== undefined && lock.expiresAt > now;

const stateOf = ({ mode, expiresAt, coolOff }: Lock, now: Date): SDK.LockState => {
  if (expiresAt <= now) return 'expired';
  return coolOff && coolOff.until > now ? 'compliance-cooloff' : mode;
};

/** Of a lock whose time has not begun, because its snapshot is pending, EC2 does not say when it ends. */
function describeLock({ id, owner, lock, state }: Snapshot & { readonly lock: Lock }, now: Date): SDK.LockedSnapshotsInfo {
  const { createdAt, startsAt, expiresAt, coolOff } = lock;
  return {
    OwnerId: owner,
    SnapshotId: id,
    LockState: stateOf(lock, now),
    LockDuration: Math.ceil((expiresAt.getTime() - startsAt.getTime()) / DAY),
    LockCreatedOn: createdAt,
    ...(coolOff ? { CoolOffPeriod: coolOff.hours, CoolOffPeriodExpiresOn: coolOff.until } : {}),
    ...(state === 'pending' ? {} : { LockDurationStartTime: startsAt, LockExpiresOn: expiresAt }),
  };
}

function newLock(input: SDK.LockSnapshotCommandInput, { state, dueAt }: Snapshot, now: Date): Lock {
  const { LockMode: mode, LockDuration: days, ExpirationDate, CoolOffPeriod: hours } = input;
  if (mode !== 'governance' && mode !== 'compliance') return refuse('InvalidParameterValue', `'${mode}' is not a lock mode.`);
  if ((days === undefined) === (ExpirationDate === undefined))
    refuse('InvalidParameterCombination', 'Specify either LockDuration or ExpirationDate, and not both.');
  if (days !== undefined && (days < 1 || days > MOST_DAYS))
    refuse('InvalidParameterValue', `LockDuration is 1 to ${MOST_DAYS} days, not ${days}.`);
  if (ExpirationDate && ExpirationDate <= now) refuse('InvalidParameterValue', 'The expiration date lies in the past.');
  if (hours !== undefined && (mode !== 'compliance' || hours < 1 || hours > MOST_HOURS))
    refuse('InvalidParameterValue', `CoolOffPeriod is 1 to ${MOST_HOURS} hours, of a lock in compliance mode.`);
  // A duration begins only when the snapshot is completed (EBS guide, "Snapshot lock considerations").
  const startsAt = state === 'pending' && dueAt ? dueAt : now;
  return {
    mode,
    createdAt: now,
    startsAt,
    expiresAt: ExpirationDate ?? new Date(startsAt.getTime() + days! * DAY),
    ...(hours === undefined ? {} : { coolOff: { hours, until: new Date(now.getTime() + hours * HOUR) } }),
  };
}

/** After its cooling-off a compliance lock can be made longer, and nothing else (EC2 API, LockSnapshot). */
function refuseLoosening(held: Lock | undefined, lock: Lock, now: Date): void {
  if (!held || stateOf(held, now) !== 'compliance') return;
  if (lock.mode !== 'compliance' || lock.expiresAt < held.expiresAt)
    refuse('UnsupportedOperation', 'A lock in compliance mode can only be extended.');
  if (lock.coolOff) refuse('UnsupportedOperation', 'A lock in compliance mode cannot be given another cooling-off period.');
}

export const locks = operations<typeof SDK, Ec2State>()({
  LockSnapshot(input, { state, now }) {
    const snapshot = state.snapshot(input.SnapshotId);
    if (snapshot.state !== 'pending' && snapshot.state !== 'completed')
      refuse('IncorrectState', `Snapshot '${snapshot.id}' is in invalid state - ${snapshot.state}`);
    const lock = newLock(input, snapshot, now());
    refuseLoosening(snapshot.lock, lock, now());
    snapshot.lock = lock;
    const { OwnerId: _, ...answer } = describeLock({ ...snapshot, lock }, now());
    return answer;
  },

  UnlockSnapshot({ SnapshotId }, { state, now }) {
    const snapshot = state.snapshot(SnapshotId);
    const lock = snapshot.lock ?? refuse('UnsupportedOperation', `The snapshot '${snapshot.id}' is not locked.`);
    if (stateOf(lock, now()) === 'compliance')
      refuse(
        'UnsupportedOperation',
        'A snapshot that is locked in compliance mode cannot be unlocked after its cooling-off period.',
      );
    delete snapshot.lock;
    return { SnapshotId: snapshot.id };
  },

  DescribeLockedSnapshots({ SnapshotIds, Filters, ...paging }, { state, now }) {
    const all = asked(SnapshotIds, state.snapshots.values(), (id) => state.snapshot(id))
      .flatMap((snapshot) => (snapshot.lock ? [describeLock({ ...snapshot, lock: snapshot.lock }, now())] : []))
      .filter(({ LockState }) => passes(Filters, { 'lock-state': LockState }));
    const { page, ...next } = paged(all, paging);
    return { Snapshots: page, ...next };
  },
});
