import colours from 'picocolors';

export { duration, table } from '../demo/report.ts';

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

/** `[██████░░░░] 6/10 what is being done`. */
export function bar(done: number, all: number, what: string, width = 24): string {
  const filled = all === 0 ? 0 : Math.round((done / all) * width);
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] ${done}/${all} ${what}`;
}

export const good = colours.green;
export const bad = colours.red;
export const doubtful = colours.yellow;
export const faint = colours.dim;
