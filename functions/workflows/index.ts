import type { Workflow } from './asl.ts';
import { gate } from './gate/workflow.ts';
import { protect } from './protect/workflow.ts';
import { reconcile } from './reconcile/workflow.ts';
import { replicate } from './replicate/workflow.ts';
import { restore } from './restore/workflow.ts';

/** The registry: every workflow that there is. Infra, the local install, docs and tests loop over it. */
export const workflows: readonly Workflow[] = [protect, gate, replicate, restore, reconcile];

/** The workflows of a place: home is a vault too, but does not replicate to itself. */
export const workflowsIn = (role: 'home' | 'vault'): readonly Workflow[] =>
  workflows.filter(({ runsIn }) => runsIn === 'both' || runsIn === role);
