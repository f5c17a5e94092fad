import { stripVTControlCharacters } from 'node:util';
import colours from 'picocolors';

/** What went wrong, in one sentence for a person; the command ends with this exit code. */
export class Complaint extends Error {
  readonly exitCode: number;
  constructor(sentence: string, exitCode = 1) {
    super(sentence);
    this.exitCode = exitCode;
  }
}

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Where words go: the story to stderr when stdout carries one JSON document, else to stdout. */
export interface Output {
  readonly json: boolean;
  /** A sentence of the story. */
  say(line: string): void;
  /** The result: a document where JSON was asked for, else lines for people. */
  result(document: unknown, lines: readonly string[]): void;
  /** A line that is rewritten in place on a terminal, and printed when it changes elsewhere. */
  progress(line: string): void;
  /** Ends what `progress` was rewriting. */
  settle(): void;
}

export function output({ json = false }: { json?: boolean | undefined }): Output {
  const story = json ? process.stderr : process.stdout;
  let last = '';
  const settle = () => {
    if (last && story.isTTY) story.write('\n');
    last = '';
  };
  return {
    json,
    say(line) {
      settle();
      story.write(`${line}\n`);
    },
    result(document, lines) {
      settle();
      if (json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else for (const line of lines) process.stdout.write(`${line}\n`);
    },
    progress(line) {
      if (line === last) return;
      story.write(story.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
      last = line;
    },
    settle,
  };
}

/** Columns as wide as their widest cell; numbers to the right. Colour does not count. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = rows.map((row) => row.map(String));
  const width = (text: string) => stripVTControlCharacters(text).length;
  const widths = head.map((title, i) => Math.max(width(title), ...cells.map((row) => width(row[i] ?? ''))));
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => (numeric[i] ? ' '.repeat(widths[i]! - width(text)) + text : text + ' '.repeat(widths[i]! - width(text))))
      .join('  ')
      .trimEnd();
  return [colours.bold(line(head)), ...cells.map(line)];
}

/** `[██████░░░░] 6/10 what is being done`. */
export function bar(done: number, all: number, what: string, width = 24): string {
  const filled = all === 0 ? 0 : Math.round((done / all) * width);
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] ${done}/${all} ${what}`;
}

/** `1 h 20 min`, `45 s`: the two largest units. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const parts: string[] = [];
  let left = seconds;
  for (const [size, name] of units) {
    if (left >= size && parts.length < 2) {
      parts.push(`${Math.floor(left / size)} ${name}`);
      left %= size;
    } else if (parts.length > 0) break;
  }
  return parts.join(' ') || '0 s';
}

export const good = colours.green;
export const bad = colours.red;
export const faint = colours.dim;
