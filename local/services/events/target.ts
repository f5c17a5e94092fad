import { refuse } from '../../world/service.ts';
import type { Event } from './state.ts';

/** Where a rule sends what it matches, and in which shape. At most one of the three shapes is there; without one the event goes whole. */
export interface Target {
  readonly id: string;
  readonly arn: string;
  readonly roleArn: string | undefined;
  readonly input: string | undefined;
  readonly inputPath: string | undefined;
  readonly transformer: { readonly paths: Readonly<Record<string, string>>; readonly template: string } | undefined;
  readonly retry: { readonly attempts?: number; readonly seconds?: number };
  readonly deadLetterArn: string | undefined;
}

interface Circumstances {
  readonly rule: { readonly name: string; readonly arn: string };
  readonly ingested: Date;
}

/** What the target is given, as JSON (EventBridge guide, "Input transformation"). */
export function shaped({ input, inputPath, transformer }: Target, event: Event, circumstances: Circumstances): string {
  if (input !== undefined) return input;
  if (inputPath !== undefined) return JSON.stringify(at(inputPath, event)) ?? '{}';
  if (transformer !== undefined) return transformed(transformer, event, circumstances);
  return JSON.stringify(event);
}

const STEP = /\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\[(\d+)\]/g;
const PATH = /^\$(\.[A-Za-z_][\w-]*|\['[^']+'\]|\[\d+\])*$/;

/** Refuses what is no path, or one that is not modelled: `$` and then names and places. */
export function checkPath(path: string): string {
  if (!PATH.test(path)) {
    refuse('NotImplemented', `The local EventBridge does not model the JSON path ${path}; it follows names and indexes only.`, {
      status: 501,
    });
  }
  return path;
}

function at(path: string, event: object): unknown {
  let value: unknown = event;
  for (const [, name, quoted, index] of path.matchAll(STEP)) {
    value = (value as Record<string, unknown> | null | undefined)?.[name ?? quoted ?? index ?? ''];
  }
  return value;
}

/**
 * A name between quotation marks of the template becomes text; elsewhere it becomes JSON. What a path does not find becomes nothing in a text
 * and null elsewhere.
 */
function transformed(
  { paths, template }: NonNullable<Target['transformer']>,
  event: Event,
  circumstances: Circumstances,
): string {
  const found = new Map(Object.entries(paths).map(([name, path]) => [name, at(path, event)]));
  const known = new Map<string, unknown>([
    ['aws.events.rule-arn', circumstances.rule.arn],
    ['aws.events.rule-name', circumstances.rule.name],
    ['aws.events.event.ingestion-time', circumstances.ingested.toISOString()],
    ['aws.events.event.json', event],
    ['aws.events.event', { ...event, detail: undefined }],
    ...found,
  ]);
  let quoted = false;
  return template.replaceAll(/\\.|"|<([^<>"]+)>/g, (token: string, name?: string) => {
    if (token === '"') quoted = !quoted;
    if (name === undefined || !known.has(name)) return token;
    const value = known.get(name);
    if (!quoted) return JSON.stringify(value) ?? 'null';
    const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}
