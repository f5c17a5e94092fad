import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { calls } from '../functions/aws/call.ts';
import { systemClock } from '../functions/aws/clock.ts';
import { when } from '../functions/aws/errors.ts';
import { verb } from '../functions/aws/verb.ts';
import type { Place } from '../functions/domain.ts';
import { machineArn } from '../functions/vault/layout.ts';
import { Complaint } from './output.ts';
import { at, type Target } from './target.ts';

const { read, again } = calls('states', SFNClient);

interface Started {
  readonly workflow: string;
  readonly name: string;
  readonly input: object;
}

/** A name and an input make one execution, so a command that was not answered can be given again. */
const startExecution = verb({ start: again(StartExecutionCommand) }, (aws, { workflow, name, input }: Started, { here }) =>
  aws
    .start({ stateMachineArn: machineArn(here, workflow), name, input: JSON.stringify(input) })
    .then(({ executionArn }) => executionArn as string),
);
const describeExecution = verb({ describe: read(DescribeExecutionCommand) }, (aws, executionArn: string) =>
  aws.describe({ executionArn }),
);
const runningExecutions = verb({ list: read(ListExecutionsCommand) }, async (aws, workflow: string, { here }) => {
  const { executions = [] } = await aws.list({ stateMachineArn: machineArn(here, workflow), statusFilter: 'RUNNING' });
  return executions.map(({ name, startDate }) => ({ name: name as string, startDate: startDate as Date }));
});

export interface Ended {
  readonly status: string;
  readonly output?: Record<string, unknown>;
  readonly error?: string;
  readonly cause?: string;
}

export async function start(target: Target, place: Place, started: Started): Promise<string> {
  return at(
    target,
    place,
  )(startExecution)(started).catch(
    when('StateMachineDoesNotExist', () => {
      throw new Complaint(
        `Stillpoint is not deployed in ${place.account}/${place.region}: run \`cdk deploy\` (there is no state machine stillpoint-${started.workflow}).`,
      );
    }),
  );
}

export const running = (target: Target, place: Place, workflow: string): Promise<{ name: string; startDate: Date }[]> =>
  at(target, place)(runningExecutions)(workflow);

/** Waits until an execution has ended, telling `look` each time so that progress can be shown; `look` may end the waiting early. */
export async function wait(
  target: Target,
  place: Place,
  arn: string,
  look: () => Promise<boolean | undefined>,
): Promise<Ended | undefined> {
  for (;;) {
    const { status, output, error, cause } = await at(target, place)(describeExecution)(arn);
    if (status !== 'RUNNING') {
      return {
        status: status as string,
        ...(output === undefined ? {} : { output: JSON.parse(output) as Record<string, unknown> }),
        ...(error === undefined ? {} : { error }),
        ...(cause === undefined ? {} : { cause }),
      };
    }
    if (await look()) return undefined;
    await systemClock.sleep(target.simulated ? 250 : 5000);
  }
}
