import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import type { SchedulerState } from './state.ts';

const passed = ({ Target }: { Target?: { readonly RoleArn?: string } }) => passing(Target?.RoleArn, 'scheduler.amazonaws.com');

/** Service Authorization Reference, "Amazon EventBridge Scheduler". */
export const authorization: Authorization<SchedulerState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  members: { Name: ['schedule', 'schedule-group'] },
  arnOf: (type, name, { account, region }, { GroupName = 'default' }) =>
    `arn:aws:scheduler:${region}:${account}:${type === 'schedule' ? `schedule/${GroupName}` : 'schedule-group'}/${name}`,
  also: { CreateSchedule: passed, UpdateSchedule: passed },
};
