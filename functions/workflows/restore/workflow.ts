import { type Catcher, task, workflow } from '../asl.ts';
import { plan } from './plan.ts';
import { provision } from './provision.ts';
import { report } from './report.ts';
import { rewire } from './rewire.ts';
import { apply, settle } from './settle.ts';
import { thaw } from './thaw.ts';
import { verify } from './verify.ts';

/** Once something may have been made, every error ends in a report of it. */
const reported: readonly Catcher<'Report failure'>[] = [
  {
    ErrorEquals: ['States.ALL'],
    Next: 'Report failure',
    Output: "{% $merge([$states.input, {'error': $states.errorOutput}]) %}",
  },
];

/** How a restore point becomes an application again: beside the original, with nothing of another region alive. */
export const restore = workflow({
  name: 'restore',
  runsIn: 'both',
  Comment: 'A restore point becomes an application again: beside the original, with nothing of another region alive.',
  steps: [plan, provision, settle, rewire, apply, thaw, verify, report],
  StartAt: 'Plan',
  States: {
    Plan: task(plan, { from: 'request', Next: 'Proceed?' }),
    'Proceed?': {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.proceed %}', Next: 'Provision' },
        { Condition: '{% $states.input.dryRun %}', Next: 'Planned' },
      ],
      Default: 'Lacking',
    },
    Planned: { Type: 'Succeed' },
    Lacking: {
      Type: 'Fail',
      Error: 'TargetLacks',
      Cause: "{% 'The target lacks ' & $states.input.lacks & ' things; the plan names them. Nothing was made.' %}",
    },
    Provision: task(provision, { Next: 'Settle', Catch: reported }),
    Settle: task(settle, { Next: 'Provisioned?', Catch: reported }),
    'Provisioned?': {
      Type: 'Choice',
      Choices: [{ Condition: '{% $states.input.pending = 0 %}', Next: 'Rewire' }],
      Default: 'Wait',
    },
    Wait: { Type: 'Wait', Seconds: '{% $states.input.waitSeconds %}', Next: 'Settle' },
    Rewire: task(rewire, { Next: 'Apply', Catch: reported }),
    Apply: task(apply, { Next: 'Settle application', Catch: reported }),
    'Settle application': task(settle, { Next: 'Applied?', Catch: reported }),
    'Applied?': {
      Type: 'Choice',
      Choices: [{ Condition: '{% $states.input.pending = 0 %}', Next: 'Thaw' }],
      Default: 'Wait for application',
    },
    'Wait for application': { Type: 'Wait', Seconds: '{% $states.input.waitSeconds %}', Next: 'Settle application' },
    Thaw: task(thaw, { Next: 'Verify', Catch: reported }),
    Verify: task(verify, { Next: 'Report', Catch: reported }),
    Report: task(report, { Next: 'Restored' }),
    Restored: { Type: 'Succeed' },
    'Report failure': task(report, { Next: 'Failed' }),
    Failed: {
      Type: 'Fail',
      Error: 'RestoreFailed',
      Cause: '{% $states.input.error.Cause ? $states.input.error.Cause : "The report says why." %}',
    },
  },
});
