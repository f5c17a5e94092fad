import { task, workflow } from '../asl.ts';
import { ask } from './ask.ts';
import { look } from './look.ts';

/** What must happen before a deployment: a pipeline starts this and waits for it to succeed. It ends when the cut is taken, not when it is sealed. */
export const gate = workflow({
  name: 'gate',
  runsIn: 'home',
  Comment: 'Holds a deployment until the cut of a restore point is taken.',
  steps: [ask, look],
  StartAt: 'Ask',
  States: {
    Ask: task(ask, { from: 'request', Next: 'Look' }),
    Look: task(look, { Next: 'Taken?' }),
    'Taken?': {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.gate = "taken" %}', Next: 'Open' },
        { Condition: '{% $states.input.gate = "refused" %}', Next: 'Shut' },
      ],
      Default: 'Wait',
    },
    Wait: { Type: 'Wait', Seconds: 5, Next: 'Look' },
    Open: { Type: 'Succeed' },
    Shut: { Type: 'Fail', Error: 'NoRestorePoint', Cause: '{% $states.input.because %}' },
  },
});
