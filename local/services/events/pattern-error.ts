/** Why an event pattern is not one, in AWS's words; TestEventPattern and PutRule answer it as InvalidEventPatternException. */
export class PatternError extends Error {}
