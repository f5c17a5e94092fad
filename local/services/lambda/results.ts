/** What came of one invocation: a payload, and the kind of error if the function failed. */
export interface Result {
  readonly payload: string;
  readonly functionError?: 'Unhandled';
}

/** A synchronous answer, or request, has at most 6 MB (Lambda guide, "Quotas"). */
export const MAX_REQUEST = 6_291_456;
export const MAX_ANSWER = 6_291_556;

export const failed = (error: object): Result => ({ functionError: 'Unhandled', payload: JSON.stringify(error) });

export const TOO_LARGE = failed({
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_ANSWER} bytes).`,
});

/** The runtime is stopped at the function's limit; what it would have answered later is lost, but what it did is done. */
export const timedOut = (timeoutSeconds: number, requestId: string): Result =>
  failed({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  });

/** The process ended in the middle of an invocation (Lambda guide, "Troubleshoot invocation issues"). */
export const exited = (code: number, requestId: string): Result =>
  failed({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status ${code}`,
  });

/** Node's runtime answers an error's name, message and stack (Lambda guide, "Node.js function errors"). The stack names no files of this machine. */
export function errorOf(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  const { name, message } = error;
  return { errorType: name, errorMessage: message, trace: [`${name}: ${message}`] };
}
