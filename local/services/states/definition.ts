/** A state machine as it stands in its definition. Only what `check` (refuse.ts) let through is ever interpreted. */
export interface Machine {
  readonly Comment?: string;
  readonly QueryLanguage?: string;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly Version?: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Branch {
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Output?: unknown;
  readonly Next: string;
}

export interface State extends Partial<Omit<Branch, 'Next'>> {
  readonly Type: 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Succeed' | 'Fail';
  readonly QueryLanguage?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Resource?: string;
  readonly Arguments?: unknown;
  readonly TimeoutSeconds?: number | string;
  readonly HeartbeatSeconds?: number | string;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly (Branch & { readonly ErrorEquals: readonly string[] })[];
  readonly Choices?: readonly (Branch & { readonly Condition: string })[];
  readonly Default?: string;
  readonly Seconds?: number | string;
  readonly Timestamp?: string;
  readonly Items?: unknown;
  readonly ItemSelector?: unknown;
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig?: { readonly Mode?: string } };
  readonly MaxConcurrency?: number | string;
  readonly ToleratedFailureCount?: unknown;
  readonly ToleratedFailurePercentage?: unknown;
  readonly Branches?: readonly Machine[];
  readonly Error?: string;
  readonly Cause?: string;
}

/** AWS accepts these on an inline Map too, where nothing is tolerated. */
export const TOLERANCE = ['ToleratedFailureCount', 'ToleratedFailurePercentage'] as const;
