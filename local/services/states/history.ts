import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import { StateError } from './errors.ts';

/** AWS ends a Standard execution whose history would grow beyond this (Step Functions guide, "Quotas"). */
export const MAX_EVENTS = 25_000;

/**
 * The events of one execution, in AWS's shape. Ids count from 1; what an event follows is told by whoever adds it.
 * Throws where only the event that ends the execution may still follow.
 */
export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => Date;
  readonly #limit: number;

  constructor(now: () => Date, limit: number) {
    this.#now = now;
    this.#limit = limit;
  }

  add(type: HistoryEventType, previousEventId: number, details: Partial<HistoryEvent> = {}): number {
    const id = this.events.length + 1;
    if (id >= this.#limit && !type.startsWith('Execution')) {
      throw new StateError('States.Runtime', `The execution reached the maximum number of history events (${this.#limit}).`);
    }
    this.events.push({ timestamp: this.#now(), type, id, previousEventId, ...details });
    return id;
  }
}

/** A JSON text as events carry it. */
export const text = (value: unknown): string => JSON.stringify(value) ?? 'null';
const whole = { truncated: false } as const;

export const entered = (name: string, input: unknown): Partial<HistoryEvent> => ({
  stateEnteredEventDetails: { name, input: text(input), inputDetails: whole },
});

export const exited = (name: string, output: unknown, assigned: Record<string, unknown> | undefined): Partial<HistoryEvent> => ({
  stateExitedEventDetails: {
    name,
    output: text(output),
    outputDetails: whole,
    ...(assigned
      ? {
          assignedVariables: Object.fromEntries(Object.entries(assigned).map(([variable, value]) => [variable, text(value)])),
          assignedVariablesDetails: whole,
        }
      : {}),
  },
});

export { whole };
