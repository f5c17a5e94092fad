/** An error of an execution, by the names that Retry and Catch know. */
export class StateError extends Error {
  readonly error: string | undefined;
  override readonly cause: string | undefined;

  constructor(error: string | undefined, cause: string | undefined) {
    super(cause ?? error ?? '');
    this.error = error;
    this.cause = cause;
  }
}

/** A field whose value could not be computed. `location` is the field's path where it is an expression's. */
export class EvaluationError extends StateError {
  readonly location: string | undefined;
  /** The bare sentence; the interpreter adds which state it was. */
  readonly sentence: string;
  /** Whether AWS lets the event follow the state's entry, and not what came before it. */
  readonly afterEntry: boolean;

  constructor(sentence: string, location?: string, afterEntry = false) {
    super('States.QueryEvaluationError', sentence);
    this.sentence = sentence;
    this.location = location;
    this.afterEntry = afterEntry;
  }
}

/** An execution that was stopped from outside: its code goes no further. */
export class Stopped extends Error {}
