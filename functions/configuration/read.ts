import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isPair, LineCounter, type Pair, parseDocument, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { checks, type Written } from './checks.ts';
import { resolve } from './resolve.ts';
import * as schema from './schema.ts';
import { type Problem, problemsOf } from './sentences.ts';

export interface Reading {
  /** What the file is called in sentences. */
  readonly file?: string;
  /** The names of the kinds that can be protected, so that an ARN of another is refused; not checked unless given. */
  readonly kinds?: readonly string[];
}

/** Everything that is wrong with a configuration: one sentence each, `stillpoint.yaml:14: what, and how to fix it`, in the file's order. */
export class InvalidConfiguration extends Error {
  override readonly name = 'InvalidConfiguration';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Reads a file. Throws InvalidConfiguration with every problem, not only the first. */
export async function readConfiguration(path: string, { file = path, ...reading }: Reading = {}): Promise<schema.Configuration> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'ENOENT'
        ? 'there is no such file; write one, or name another with --config'
        : `it cannot be read: ${error.message}`;
    throw new InvalidConfiguration([`${file}: ${why}.`]);
  });
  return parseConfiguration(text, { file, ...reading });
}

/** Reads the text of a configuration. Throws InvalidConfiguration with every problem. Asks nothing of AWS. */
export function parseConfiguration(text: string, { file = 'stillpoint.yaml', kinds }: Reading = {}): schema.Configuration {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const refuse = (problems: readonly { readonly line: number; readonly sentence: string }[]): never => {
    const inOrder = problems.toSorted((a, b) => a.line - b.line);
    throw new InvalidConfiguration(inOrder.map(({ line, sentence }) => `${file}:${line}: ${sentence}`));
  };
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  if (yaml.errors.length > 0)
    refuse(yaml.errors.map((error) => ({ line: lineAt(error.pos[0]), sentence: malformed(error, text) })));

  let tree: unknown;
  try {
    tree = withoutEmptySections(yaml.toJS());
  } catch (error) {
    refuse([
      { line: 1, sentence: `The aliases in here cannot be resolved: ${(error as Error).message}; write values out instead.` },
    ]);
  }
  const { problems, written } = shape(yaml, tree, kinds);
  problems.push(...checks.flatMap((check) => check(written)));
  if (problems.length > 0) {
    refuse(problems.map((problem) => ({ line: lineAt(offsetOf(yaml, problem)), sentence: problem.sentence })));
  }
  return resolve(written);
}

/** Each application, policy and vault by itself, so that what is right can be checked further beside what is wrong. */
function shape(yaml: Document, tree: unknown, kinds: readonly string[] | undefined): { problems: Problem[]; written: Written } {
  const problems: Problem[] = [];
  const valueAt = (path: readonly PropertyKey[]): unknown => path.reduce<any>((value, part) => value?.[part], tree);
  const sourceAt = (path: readonly PropertyKey[]): string => {
    const node = yaml.getIn(path, true);
    return isNode(node) && 'source' in node ? String(node.source) : String(valueAt(path));
  };
  const note = (type: z.ZodType, found: z.core.$ZodIssue[], prefix: readonly PropertyKey[]) => {
    const issues = found.map((issue) => ({ ...issue, path: [...prefix, ...issue.path] }));
    problems.push(...problemsOf(issues, (path) => keysOf(type, path.slice(prefix.length)), valueAt, sourceAt));
  };

  const whole = schema.document.safeParse(tree);
  const top = (whole.error?.issues ?? []).filter(
    ({ path, code }) => path.length < 2 || (path.length === 2 && code === 'invalid_key'),
  );
  note(schema.document, top, []);

  const section = <T extends z.ZodType>(name: string, type: T): Record<string, z.output<T>> =>
    Object.fromEntries(
      Object.entries(asMap(valueAt([name]))).flatMap(([key, value]) => {
        const parsed = type.safeParse(value);
        if (!parsed.success) note(type, parsed.error.issues, [name, key]);
        return parsed.success ? [[key, parsed.data]] : [];
      }),
    );
  const written: Written = {
    applications: section('applications', schema.application),
    policies: section('policies', schema.policy),
    vaults: section('vaults', schema.vault),
    names: { applications: Object.keys(asMap(valueAt(['applications']))), vaults: Object.keys(asMap(valueAt(['vaults']))) },
    ...(kinds ? { kinds } : {}),
  };
  if (whole.success && written.names.applications.length === 0) {
    problems.push({
      path: ['applications'],
      of: 'key',
      sentence: 'applications is empty, so nothing would be protected; name one application.',
    });
  }
  return { problems, written };
}

/** `policies:` with nothing below it is an empty map, not a mistake. */
const withoutEmptySections = (tree: unknown): unknown => {
  if (tree === null || tree === undefined) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, value ?? (key in schema.document.shape ? {} : value)]),
  );
};

const asMap = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The keys that a schema knows at a path below it. */
function keysOf(type: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here = type as unknown as Described;
  for (const part of path) {
    const { shape, valueType, element } = unwrap(here)._zod.def;
    const next = shape?.[part] ?? valueType ?? element;
    if (!next) return [];
    here = next;
  }
  return Object.keys(unwrap(here)._zod.def.shape ?? {});
}

interface Described {
  readonly _zod: {
    readonly def: {
      readonly shape?: Record<PropertyKey, Described>;
      readonly valueType?: Described;
      readonly element?: Described;
      readonly innerType?: Described;
    };
  };
}

const unwrap = (type: Described): Described => (type._zod.def.innerType ? unwrap(type._zod.def.innerType) : type);

/** Where in the text a problem is: its key or its value, or the nearest thing above it that was written. */
function offsetOf(yaml: Document, { path, of }: Problem): number {
  for (let depth = path.length; depth > 0; depth--) {
    const above = yaml.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1]!;
    const pair = isMap(above) ? above.items.find((item) => isPair(item) && keyOf(item) === String(key)) : undefined;
    const value = pair ? pair.value : yaml.getIn(path.slice(0, depth), true);
    const chosen = pair && (of === 'key' || depth < path.length || !isNode(value)) ? pair.key : value;
    if (isNode(chosen) && chosen.range) return chosen.range[0];
  }
  return isNode(yaml.contents) && yaml.contents.range ? yaml.contents.range[0] : 0;
}

const keyOf = ({ key }: Pair): string => String(isNode(key) ? key.toJSON() : key);

function malformed({ code, message, pos: [from, to] }: YAMLError, text: string): string {
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^:\n]*/.exec(text.slice(from, Math.max(to, from + 64)))![0].trim();
    return `"${key}" stands twice here; rename or remove one.`;
  }
  if (code === 'TAB_AS_INDENT') return 'A tab indents this line; YAML wants spaces.';
  return `This is not YAML: ${message.replace(/\.$/, '')}; check the indentation, quotes and brackets here.`;
}
