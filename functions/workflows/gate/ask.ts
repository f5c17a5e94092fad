import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { calls } from '../../aws/call.ts';
import { Permanent } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { executionName, slotOf } from '../../decide/slot.ts';
import { machineArn } from '../../vault/layout.ts';
import { type Request, type Stage, step } from '../step.ts';

/** What a pipeline asks before it changes an application. */
export interface GateRequest extends Request {
  /** Which policy's promises the point is held to; the application's only one unless given. */
  readonly policy?: string;
  /** The commit or execution that waits; the point records it. */
  readonly askedBy?: string;
  /** When the gate was asked: names the slot, the same however often this step runs. */
  readonly startedAt: string;
}

/** What the gate waits for. */
export interface Awaited extends Request {
  readonly slot: string;
  /** The execution of `protect`. */
  readonly execution: string;
}

const { again } = calls('states', SFNClient);

/** A name and an input make one execution, so a lost answer is asked for again (Step Functions API, StartExecution). */
const startProtect = verb(
  { start: again(StartExecutionCommand) },
  (aws, { name, input }: { name: string; input: object }, { here }) =>
    aws
      .start({ stateMachineArn: machineArn(here, 'protect'), name, input: JSON.stringify(input) })
      .then(({ executionArn }) => executionArn!),
);

/** Asks for a restore point of what a deployment is about to change. */
export const ask = step({
  name: 'gate-ask',
  duty: 'discover',
  uses: { startProtect },
  limits: { seconds: 30, memoryMb: 256 },
  run: async ({ startProtect }, request: GateRequest, stage: Stage): Promise<Awaited> => {
    const { application, owner, startedAt, askedBy } = request;
    const slot = slotOf(startedAt, 'gate');
    const execution = await startProtect({
      name: executionName(application, slot),
      input: {
        application,
        policy: request.policy ?? onlyPolicy(stage),
        trigger: 'gate',
        due: startedAt,
        asker: 'gate',
        askedBy: askedBy ?? owner,
      },
    });
    return { application, owner, slot, execution };
  },
});

function onlyPolicy({ configuration, application }: Stage): string {
  const names = Object.values(configuration.policies)
    .filter(({ applications }) => applications.includes(application.name))
    .map(({ name }) => name);
  if (names.length === 1) return names[0]!;
  throw new Permanent(
    `"${application.name}" has ${names.length === 0 ? 'no policy' : `the policies ${names.join(', ')}`}; say in the gate’s input which \`policy\` the point is taken by.`,
  );
}
