import { otherwise, task, workflow } from '../asl.ts';
import { abandon } from './abandon.ts';
import { copy } from './copy.ts';
import { plan } from './plan.ts';
import { seal } from './seal.ts';
import { settle } from './settle.ts';

/** How a sealed point at home comes to be in a vault too. The vault pulls, into its own ledger, under its own keys. */
export const replicate = workflow({
  name: 'replicate',
  runsIn: 'vault',
  Comment: 'A sealed point at home comes to be in a vault too. The vault pulls, into its own ledger, under its own keys.',
  steps: [plan, copy, settle, seal, abandon],
  StartAt: 'Plan',
  States: {
    Plan: task(plan, { from: 'request', Next: 'Copy', Catch: otherwise('Abandon') }),
    Copy: task(copy, { Next: 'Settle', Catch: otherwise('Abandon') }),
    Settle: task(settle, { Next: 'Settled?', Catch: otherwise('Abandon') }),
    'Settled?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input.pending = 0 %}', Next: 'Seal' }], Default: 'Wait' },
    Wait: { Type: 'Wait', Seconds: '{% $states.input.waitSeconds %}', Next: 'Settle' },
    Seal: task(seal, { Next: 'Replicated', Catch: otherwise('Abandon') }),
    Replicated: { Type: 'Succeed' },
    Abandon: task(abandon, { Next: 'Again?', Catch: otherwise('Abandoned') }),
    'Again?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input.again %}', Next: 'Plan' }], Default: 'Abandoned' },
    Abandoned: {
      Type: 'Fail',
      Error: 'Abandoned',
      Cause: '{% $states.input.because ? $states.input.because : $states.input.error.Cause %}',
    },
    Overtaken: { Type: 'Succeed' },
  },
});
