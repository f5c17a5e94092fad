/** Some of a list of names, with `*` and `?`, of which one must match. */
export interface Pattern {
  readonly texts: readonly string[];
  matches(text: string, variable?: Variable): boolean;
}

/** The value of a policy variable such as `aws:PrincipalAccount`; undefined where the request does not have it. */
export type Variable = (key: string) => string | undefined;

const VARIABLE = /\$\{([^}]+)\}/g;
/** How a policy writes the characters that mean something to it (IAM guide, "Policy variables": special characters). */
const SPECIAL: Readonly<Record<string, string>> = { '*': '*', '?': '?', $: '$' };

/** Compiles a list once: names without wildcards are looked up, the rest are expressions, those with variables wait for the request. */
export function patternOf(texts: readonly string[]): Pattern {
  if (texts.includes('*')) return { texts, matches: () => true };
  const open = texts.filter((text) => text.includes('${'));
  const exact = new Set(texts.filter((text) => !/[*?]|\$\{/.test(text)));
  const wild = texts.filter((text) => /[*?]/.test(text) && !text.includes('${')).map(expressionOf);
  return {
    texts,
    matches: (text, variable) =>
      exact.has(text) || wild.some((one) => one.test(text)) || open.some((one) => matchesOpen(one, text, variable)),
  };
}

const escaped = (text: string): string => text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
const widened = (text: string): string => escaped(text).replaceAll('*', '.*').replaceAll('?', '.');
const expressionOf = (text: string): RegExp => new RegExp(`^${widened(text)}$`, 's');

/** Whether a text is like a pattern with `*` and `?`. */
export function like(pattern: string, text: string): boolean {
  return /[*?]/.test(pattern) ? expressionOf(pattern).test(text) : pattern === text;
}

/** A variable's value is taken as it is, wildcards in it mean nothing; without a value, and without a default, the statement matches nothing. */
function matchesOpen(pattern: string, text: string, variable: Variable = () => undefined): boolean {
  let missing = false;
  const source = pattern
    .split(VARIABLE)
    .map((part, i) => {
      if (i % 2 === 0) return widened(part);
      const [key = '', fallback] = part.split(/\s*,\s*/);
      const value = SPECIAL[key] ?? variable(key.toLowerCase()) ?? fallback?.replace(/^'(.*)'$/, '$1');
      missing ||= value === undefined;
      return (value ?? '').replaceAll(/[.+^${}()|[\]\\*?]/g, '\\$&');
    })
    .join('');
  return !missing && new RegExp(`^${source}$`, 's').test(text);
}
