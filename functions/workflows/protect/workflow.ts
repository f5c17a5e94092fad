import { otherwise, task, workflow } from '../asl.ts';
import { abandon } from './abandon.ts';
import { announce } from './announce.ts';
import { capture } from './capture.ts';
import { plan } from './plan.ts';
import { seal } from './seal.ts';
import { settle } from './settle.ts';

/** How an application becomes a restore point: all of it at one instant, or none of it. */
export const protect = workflow({
  name: 'protect',
  runsIn: 'home',
  Comment: 'An application becomes a restore point: all of it at one instant, or none of it.',
  steps: [plan, capture, settle, seal, announce, abandon],
  StartAt: 'Plan',
  States: {
    Plan: task(plan, { from: 'request', Next: 'Capture', Catch: otherwise('Abandon') }),
    Capture: task(capture, { Next: 'Settle', Catch: otherwise('Abandon') }), // freeze, fire, let go: a retry is a new cut
    Settle: task(settle, { Next: 'Settled?', Catch: otherwise('Abandon') }),
    'Settled?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input.pending = 0 %}', Next: 'Seal' }], Default: 'Wait' },
    Wait: { Type: 'Wait', Seconds: '{% $states.input.waitSeconds %}', Next: 'Settle' },
    Seal: task(seal, { Next: 'Announce', Catch: otherwise('Abandon') }),
    Announce: task(announce, { Next: 'Protected' }), // failing here undoes nothing: the vaults' reconcile finds the point
    Protected: { Type: 'Succeed' },
    Abandon: task(abandon, { Next: 'Again?', Catch: otherwise('Abandoned') }),
    'Again?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input.again %}', Next: 'Plan' }], Default: 'Abandoned' },
    Abandoned: {
      Type: 'Fail',
      Error: 'Abandoned',
      Cause: '{% $states.input.because ? $states.input.because : $states.input.error.Cause %}',
    },
    Overtaken: { Type: 'Succeed' }, // Conflict: someone else decided; stop quietly
  },
});
