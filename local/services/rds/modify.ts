import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../world/service.ts';
import { describeInstance } from './describe.ts';
import type { Instance, Settings } from './instance.ts';
import { wrongState } from './instances.ts';
import { beginBackups } from './make.ts';
import { identifier } from './paging.ts';
import { changedAtOnce, changedLater, pendingValues } from './settings.ts';
import type { RdsState } from './state.ts';

const MODIFYING = [30, 300] as const;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** When a window of a week, such as `sun:04:00-sun:04:30`, opens next, in milliseconds from now. */
export function untilWindow(window: string, now: number): number {
  const [, day = 'sun', hour = '0', minute = '0'] = /^(\w{3}):(\d\d):(\d\d)-/.exec(window) ?? [];
  const week = 7 * 86_400_000;
  const date = new Date(now);
  const opens = Date.UTC(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate() - date.getUTCDay() + DAYS.indexOf(day),
    +hour,
    +minute,
  );
  return (((opens - now) % week) + week) % week;
}

/** Applies what takes time: `modifying`, and where backups begin, `backing-up`. Turned off, automated backups are gone at once. */
function apply(instance: Instance, change: Partial<Settings>, newName: string | undefined, context: Context<RdsState>): void {
  const { state, after } = context;
  const had = instance.settings.retentionDays;
  instance.status = 'modifying';
  if (change.retentionDays === 0) instance.backedUpSince = undefined;
  after(MODIFYING, () => {
    if (instance.status !== 'modifying') return;
    instance.settings = { ...instance.settings, ...change };
    instance.pending = {};
    if (newName) {
      state.instances.delete(instance.id);
      instance.id = newName;
      state.instances.set(newName, instance);
    }
    if (had === 0 && instance.settings.retentionDays > 0) beginBackups(instance, context);
    else instance.status = 'available';
  });
}

export const modify = operations<typeof SDK, RdsState>()({
  ModifyDBInstance(input, context) {
    const { state, world, after } = context;
    const instance = state.instance(input.DBInstanceIdentifier);
    if (!['available', 'storage-optimization'].includes(instance.status)) wrongState(instance, 'modification');
    const newName = input.NewDBInstanceIdentifier && identifier(input.NewDBInstanceIdentifier, 'NewDBInstanceIdentifier', 63);
    if (newName && state.instances.has(newName)) refuse('DBInstanceAlreadyExistsFault', 'DB instance already exists');
    const later = changedLater(input, instance.settings);
    instance.settings = { ...instance.settings, ...changedAtOnce(input, instance.settings, context) };
    const answer = () => ({ DBInstance: describeInstance(instance, state) });
    if (Object.keys(later).length === 0 && !newName) return answer();
    instance.pending = { ...pendingValues(later), ...(newName ? { DBInstanceIdentifier: newName } : {}) };
    // A change of one retention to another, neither of them none, is made as soon as possible (RDS API, ModifyDBInstance).
    const onlyRetention = Object.keys(later).join() === 'retentionDays' && later.retentionDays && instance.settings.retentionDays;
    if (input.ApplyImmediately || onlyRetention) apply(instance, later, newName, context);
    else
      after(untilWindow(instance.settings.maintenanceWindow, world.clock.now()) / 1000, () => {
        if (instance.status === 'available') apply(instance, later, newName, context);
      });
    return answer();
  },
});
