import { PatternError } from './pattern-error.ts';

/**
 * `*` stands for any characters; `\*` and `\\` for themselves (EventBridge guide, "Wildcard matching").
 * AWS refuses a wildcard that would keep too many partial matches alive at once, and does not publish its measure. Ours counts the most that
 * can be alive: one for each `*`, and those that the text after it can have within itself. Its bound agrees with what AWS was seen to take.
 */
const MAX_ALIVE = 10;

export function wildcard(pattern: string): (value: string) => boolean {
  const parts = segments(pattern);
  if (parts.length - 1 + parts.slice(1).reduce((sum, part) => sum + overlaps(part), 0) > MAX_ALIVE) {
    throw new PatternError(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
    );
  }
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('[\\s\\S]*');
  const whole = new RegExp(`^${source}$`);
  return (value) => whole.test(value);
}

/** The literal texts between the wildcards. */
function segments(pattern: string): string[] {
  const parts = [''];
  let starred = false;
  for (let i = 0; i < pattern.length; i++) {
    const star = pattern[i] === '*';
    if (star && starred) throw new PatternError(`Consecutive wildcard characters at pos ${i}`);
    starred = star;
    if (star) parts.push('');
    else if (pattern[i] === '\\') {
      const escaped = pattern[++i];
      if (escaped !== '*' && escaped !== '\\') throw new PatternError(`Invalid escape character at pos ${i}`);
      parts[parts.length - 1]! += escaped;
    } else parts[parts.length - 1]! += pattern[i];
  }
  return parts;
}

/** How many beginnings of a text can at most be under way at one time within it: its longest chain of borders, as Knuth, Morris and Pratt count. */
function overlaps(text: string): number {
  const border = [0];
  const chain = [1];
  for (let i = 1, k = 0; i < text.length; i++) {
    while (k > 0 && text[i] !== text[k]) k = border[k - 1]!;
    if (text[i] === text[k]) k++;
    border.push(k);
    chain.push(1 + (k > 0 ? chain[k - 1]! : 0));
  }
  return text === '' ? 0 : Math.max(...chain);
}
