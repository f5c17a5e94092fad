import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { calls } from '../../functions/aws/call.ts';
import { when } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import type { Policy } from '../../functions/domain.ts';
import { triggerName } from '../../functions/vault/layout.ts';
import { applicationCheck, ok, problem, type Said, warning } from './check.ts';

interface Schedule {
  readonly state: string;
  /** When it fires, in words that can be compared. */
  readonly timing: string;
}

const timingOf = (expression: string, timezone: string, windowMinutes: number): string =>
  `${expression} in ${timezone}${windowMinutes > 0 ? `, within ${windowMinutes} min` : ''}`;

const scheduleOf = verb(
  { schedule: calls('scheduler', SchedulerClient).read(GetScheduleCommand) },
  (aws, Name: string): Promise<Schedule | undefined> =>
    aws.schedule({ Name }).then(
      ({ State = 'ENABLED', ScheduleExpression = '', ScheduleExpressionTimezone = 'UTC', FlexibleTimeWindow }) => ({
        state: State,
        timing: timingOf(ScheduleExpression, ScheduleExpressionTimezone, FlexibleTimeWindow?.MaximumWindowInMinutes ?? 0),
      }),
      when('ResourceNotFoundException', () => undefined),
    ),
);

const DEPLOY = 'run `npx cdk deploy --all`';

/** Whether what takes points by itself is deployed as the file says: that much of the deployed configuration can be seen. */
export const schedules = applicationCheck({
  name: 'schedules',
  ofDeployment: true,
  uses: { scheduleOf },
  run: async (look, { application, policies }) => {
    const { scheduleOf } = look(application.home);
    const wanted = policies.filter(({ schedule }) => schedule !== undefined);
    if (wanted.length === 0)
      return [warning(`No policy takes points of "${application.name}" by a schedule.`, 'add schedule: cron(0 * * * ? *)')];
    const found = await Promise.all(
      wanted.map(async (policy) => {
        const name = triggerName(policy.name, application.name);
        return aboutSchedule(name, policy, await scheduleOf(name));
      }),
    );
    return found.flat();
  },
});

function aboutSchedule(
  name: string,
  { schedule = '', timezone, windowSeconds = 0 }: Policy,
  found: Schedule | undefined,
): Said[] {
  const wanted = timingOf(schedule, timezone, windowSeconds / 60);
  if (!found) return [problem(`The schedule ${name} is missing, so nothing takes points by itself.`, DEPLOY)];
  if (found.state !== 'ENABLED')
    return [problem(`The schedule ${name} is ${found.state}, so nothing takes points by itself.`, 'enable it, or ' + DEPLOY)];
  if (found.timing !== wanted)
    return [warning(`The schedule ${name} is deployed as ${found.timing}, and the file says ${wanted}.`, DEPLOY)];
  return [ok(`${name}: ${wanted}.`)];
}
