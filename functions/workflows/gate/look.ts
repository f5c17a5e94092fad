import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { calls } from '../../aws/call.ts';
import { verb } from '../../aws/verb.ts';
import { readLastAttempt } from '../../vault/ledger.ts';
import { step } from '../step.ts';
import type { Awaited } from './ask.ts';

/** How the cut stands that a gate waits for. */
export interface Seen extends Awaited {
  /** `taken`: what waits may go on; `refused`: no point will come of it. */
  readonly gate: 'waiting' | 'taken' | 'refused';
  /** The point, `<slot>/<attempt>`, and the instant of its cut, once there are any. */
  readonly point?: string;
  readonly instant?: string;
  readonly because?: string;
}

const describeExecution = verb(
  { describe: calls('states', SFNClient).read(DescribeExecutionCommand) },
  (aws, executionArn: string) => aws.describe({ executionArn }),
);

/** Looks whether the cut is taken: whatever is changed after that is not in the point. Sealing goes on beside the deployment. */
export const look = step({
  name: 'gate-look',
  duty: 'discover',
  uses: { readLastAttempt, describeExecution },
  limits: { seconds: 30, memoryMb: 256 },
  run: async ({ readLastAttempt, describeExecution }, { application, owner, slot, execution }: Awaited): Promise<Seen> => {
    const awaited = { application, owner, slot, execution };
    const { status, cause, error } = await describeExecution(execution); // before the ledger: an execution that ended has written all it will
    const last = await readLastAttempt({ application, slot });
    const instant = last?.outcome?.status === 'abandoned' ? undefined : last?.progress?.cut?.instant;
    if (instant !== undefined) return { ...awaited, gate: 'taken', point: `${slot}/${last!.plan.attempt}`, instant };
    if (status === 'RUNNING') return { ...awaited, gate: 'waiting' };
    const because =
      last?.outcome?.status === 'abandoned' ? last.outcome.because : (cause ?? error ?? `The execution is ${status}.`);
    return { ...awaited, gate: 'refused', because };
  },
});
