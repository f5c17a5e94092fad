import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';

/** AWS ends an execution whose history would grow beyond this (Step Functions guide, "Quotas"). */
export const MAX_EVENTS = 25_000;

/** The events of one execution, in AWS's shape. Ids count from 1; what an event follows is told by whoever adds it. */
export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  add(type: HistoryEventType, previousEventId: number, details: Partial<HistoryEvent> = {}): number {
    const id = this.events.length + 1;
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
