import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { groups } from './groups.ts';
import { schedules } from './schedules.ts';
import { SchedulerState } from './state.ts';

/** EventBridge Scheduler: schedules over virtual time, in time zones, each time invoked at least once. */
export const service = defineService<SchedulerState>({
  name: 'scheduler',
  sdk: () => import('@aws-sdk/client-scheduler'),
  client: 'SchedulerClient',
  scope: 'region',
  state: (context) => new SchedulerState(context),
  authorization,
  operations: { ...schedules, ...groups },
});
