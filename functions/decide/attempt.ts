import type { Outcome, Plan } from '../domain.ts';

/** What a planner does with a slot, seeing its last attempt. */
export type NextAttempt =
  | { readonly do: 'plan'; readonly attempt: number }
  | { readonly do: 'resume'; readonly attempt: number }
  | { readonly do: 'abandon'; readonly attempt: number; readonly because: string }
  | { readonly do: 'stop'; readonly because: string };

/**
 * One slot makes one point. Attempt n + 1 is planned only after attempt n was abandoned, so a zombie of attempt n cannot seal; an attempt
 * without an outcome is its owner's until its deadline, and then presumed aborted: whoever comes next must first win that outcome.
 */
export function nextAttempt(last: { plan: Plan; outcome?: Outcome } | undefined, owner: string, now: number): NextAttempt {
  if (!last) return { do: 'plan', attempt: 1 };
  const { plan, outcome } = last;
  if (outcome?.status === 'sealed')
    return { do: 'stop', because: `Slot ${plan.slot} has its point: ${plan.slot}/${plan.attempt} is sealed.` };
  if (outcome) return { do: 'plan', attempt: plan.attempt + 1 };
  if (plan.owner === owner) return { do: 'resume', attempt: plan.attempt };
  if (now > Date.parse(plan.deadline)) {
    return { do: 'abandon', attempt: plan.attempt, because: `Its deadline, ${plan.deadline}, passed without an outcome.` };
  }
  return { do: 'stop', because: `${plan.slot}/${plan.attempt} is being made by ${plan.owner}.` };
}
