import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { calls } from '../aws/call.ts';
import { Permanent } from '../aws/errors.ts';
import type { Answered, Door } from '../aws/verb.ts';
import type { FreezeHook, Instant, Place, Rename } from '../domain.ts';

const { read, again, once } = calls('lambda', LambdaClient);

/** Freezing is never asked twice: a second freeze would be another lease. Letting go may be asked as often as one likes. */
export const freezing = { freeze: once(InvokeCommand), release: again(InvokeCommand) };
export const thawing = { thaw: again(InvokeCommand) };
export const looking = { getFunction: read(GetFunctionCommand) };

/** What the application's function is called with. */
export interface HookEvent {
  readonly action: 'freeze' | 'release' | 'thaw';
  readonly application: string;
  readonly restorePoint: string;
  readonly cut: string;
  /** The application lets go by itself when this long has passed, whoever dies. 0 for a thaw. */
  readonly leaseSeconds: number;
  /** For a thaw: where the restored application stands and how its parts are called there. */
  readonly place?: Place;
  readonly renames?: readonly Rename[];
}

/** What the application's function answers. */
export interface HookAnswer {
  /** No write is under way any more. */
  readonly drained: boolean;
  /** All that was written has reached the volumes. */
  readonly flushed: boolean;
  readonly heldFrom: Instant;
  readonly heldUntil: Instant;
  /** It did not hold from then until now. */
  readonly broken: boolean;
  /** Where each resource's log stands, by resource id. */
  readonly positions: Readonly<Record<string, string>>;
}

type Invoke = Door<{ invoke: (typeof freezing)['release'] }>['invoke'];

/** Invokes the hook and waits for its answer. Throws Permanent with the hook's own words where it failed. */
export async function askHook(invoke: Invoke, hook: FreezeHook, event: HookEvent): Promise<HookAnswer & Answered> {
  const { Payload, FunctionError, asked, apartMillis } = await invoke({
    FunctionName: hook.function,
    InvocationType: 'RequestResponse',
    Payload: Buffer.from(JSON.stringify(event)),
  });
  const text = Payload ? Buffer.from(Payload).toString() : '';
  if (FunctionError) throw new Permanent(`${hook.function} failed to ${event.action}: ${reasonIn(text)}`);
  return { ...readAnswer(text, hook.function), asked, apartMillis };
}

/** Reads an answer without trusting it: what it does not say clearly counts as the worse. */
function readAnswer(text: string, name: string): HookAnswer {
  const answer = parse(text, name);
  const positions = answer.positions;
  return {
    drained: answer.drained === true,
    flushed: answer.flushed === true,
    heldFrom: String(answer.heldFrom ?? ''),
    heldUntil: String(answer.heldUntil ?? ''),
    broken: answer.broken !== false,
    positions:
      typeof positions === 'object' && positions !== null
        ? Object.fromEntries(Object.entries(positions).map(([resource, position]) => [resource, String(position)]))
        : {},
  };
}

function parse(text: string, name: string): Partial<Record<keyof HookAnswer | 'thawed', unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new Permanent(
    `${name} answered something that is not a freeze hook's answer; see "The freeze hook" in docs/architecture.md.`,
  );
}

function reasonIn(text: string): string {
  try {
    const { errorType, errorMessage } = JSON.parse(text) as { errorType?: string; errorMessage?: string };
    return `${errorType ?? 'Error'}: ${errorMessage ?? ''}`;
  } catch {
    return 'it gave no reason.';
  }
}

/** Asks the application's function to undo, in what was restored, whatever its freeze had left there. Answers its words for what it undid. */
export async function askThaw(
  invoke: Invoke,
  hook: FreezeHook,
  event: HookEvent & { readonly action: 'thaw' },
): Promise<string[]> {
  const { Payload, FunctionError } = await invoke({
    FunctionName: hook.function,
    InvocationType: 'RequestResponse',
    Payload: Buffer.from(JSON.stringify(event)),
  });
  const text = Payload ? Buffer.from(Payload).toString() : '';
  if (FunctionError) throw new Permanent(`${hook.function} failed to thaw what was restored: ${reasonIn(text)}`);
  const { thawed } = parse(text, hook.function);
  if (!Array.isArray(thawed))
    throw new Permanent(
      `${hook.function} did not say what it thawed (it must answer { thawed: [...] }), so the restored application may still be frozen.`,
    );
  return thawed.map(String);
}
