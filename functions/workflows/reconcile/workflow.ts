import { task, workflow } from '../asl.ts';
import { fetch } from './fetch.ts';
import { finish } from './finish.ts';
import { sweep } from './sweep.ts';

/** What died is finished, what was lost is fetched, what nobody needs is swept away: every fifteen minutes, in every region. */
export const reconcile = workflow({
  name: 'reconcile',
  runsIn: 'both',
  Comment: 'What died is finished, what was lost is fetched, what nobody needs is swept away.',
  steps: [finish, fetch, sweep],
  StartAt: 'Finish',
  States: {
    Finish: task(finish, { from: 'request', Next: 'Fetch' }),
    Fetch: task(fetch, { Next: 'Sweep' }),
    Sweep: task(sweep, { Next: 'Reconciled' }),
    Reconciled: { Type: 'Succeed' },
  },
});
