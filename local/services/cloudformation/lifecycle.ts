import type * as SDK from '@aws-sdk/client-cloudformation';
import type { Context } from '../../world/service.ts';
import type { Caller } from '../../world/world.ts';
import { bring, Failure, unmake, type Work } from './deploy.ts';
import type { CloudFormationState, Stack, Wanted } from './state.ts';

type Of = Context<CloudFormationState>;

/** Whoever asks, or the role that is named: CloudFormation assumes it (CloudFormation guide, "CloudFormation service role"). */
function workerOf({ account, caller }: Of, roleArn: string | undefined): Caller {
  if (roleArn === undefined) return caller;
  const role = roleArn.split('/').at(-1);
  return { account, arn: `arn:aws:sts::${account}:assumed-role/${role}/AWSCloudFormation` };
}

const workOn = (stack: Stack, context: Of): Work => ({
  world: context.world,
  state: context.state,
  stack,
  caller: workerOf(context, stack.roleArn),
});

/** Begins to make a stack; the answer to whoever asked does not wait for it. */
export function create(stack: Stack, wanted: Wanted, context: Of): void {
  const { state } = context;
  state.turn(stack, 'CREATE_IN_PROGRESS', 'User Initiated');
  later(context, async () => {
    const work = workOn(stack, context);
    try {
      await bring(work, wanted);
      state.turn(stack, 'CREATE_COMPLETE');
    } catch (error) {
      await rollBack(work, failureIn(error), 'ROLLBACK', () => unmake(work));
    }
  });
}

/** Begins to change a stack into what is wanted; when that fails, back into what it was. */
export function update(stack: Stack, wanted: Wanted, context: Of): void {
  const { state } = context;
  const before = stack.is!;
  state.turn(stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
  stack.updatedAt = state.now();
  later(context, async () => {
    const work = workOn(stack, context);
    try {
      await bring(work, wanted);
      state.turn(stack, 'UPDATE_COMPLETE');
    } catch (error) {
      await rollBack(work, failureIn(error), 'UPDATE_ROLLBACK', () => bring(work, before));
    }
  });
}

/** Begins to remove a stack with its resources, but for those that its template keeps. */
export function remove(stack: Stack, context: Of): void {
  const { state } = context;
  state.turn(stack, 'DELETE_IN_PROGRESS', 'User Initiated');
  later(context, async () => {
    try {
      await unmake(workOn(stack, context));
      state.turn(stack, 'DELETE_COMPLETE');
    } catch (error) {
      state.turn(stack, 'DELETE_FAILED', failureIn(error).message);
    }
  });
}

async function rollBack(
  { state, stack }: Work,
  why: Failure,
  as: 'ROLLBACK' | 'UPDATE_ROLLBACK',
  undo: () => Promise<void>,
): Promise<void> {
  const turn = (what: string, reason?: string) => state.turn(stack, `${as}_${what}` as SDK.StackStatus, reason);
  turn('IN_PROGRESS', `${why.message} Rollback requested by user.`);
  try {
    await undo();
    turn('COMPLETE');
  } catch (error) {
    turn('FAILED', failureIn(error).message);
  }
}

function failureIn(error: unknown): Failure {
  if (!(error instanceof Failure)) throw error; // a defect of the world
  return error;
}

const later = ({ after }: Of, work: () => Promise<void>): void => after(0, () => void work());
