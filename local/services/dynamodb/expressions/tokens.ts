/** One piece of an expression and where it stands in its text. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const TOKEN = /\s*(<>|<=|>=|[=<>(),.[\]+-]|[#:]\w+|[A-Za-z_]\w*|\d+)/y;

/** The tokens of an expression; undefined where it holds a character that begins none. */
export function tokensIn(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return undefined;
    tokens.push({ text: token, start: TOKEN.lastIndex - token.length, end: TOKEN.lastIndex });
  }
  return tokens;
}
