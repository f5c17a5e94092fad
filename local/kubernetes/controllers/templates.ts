import { createHash } from 'node:crypto';
import type { Cluster } from '../cluster.ts';
import { type Json, type JsonObject, json, objectAt, set, without } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn, type ResourceType } from '../types.ts';
import { make, owner } from './controller.ts';

export const PODS = builtIn('pods');

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** A name for what a template says, the same wherever and in whatever order it is written. */
export function hashOf(template: unknown): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(ordered(template)))
    .digest();
  return Array.from(digest.subarray(0, 10), (byte) => LETTERS[byte % LETTERS.length]).join('');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => [key, ordered(member)]);
}

interface Particulars {
  /** Of the workload: where its template is and whose the Pod is. */
  readonly type: ResourceType;
  readonly workload: Stored;
  readonly template?: JsonObject;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: (spec: JsonObject) => JsonObject;
}

/** Makes a Pod from a workload's template, which keeps every spelling of the template's author. */
export function makePod(
  cluster: Cluster,
  { type, workload, template, name, labels = {}, spec = (same) => same }: Particulars,
): Stored {
  const { metadata } = workload.view;
  const from = template ?? objectAt(workload.object, 'spec', 'template');
  const named: [string, Json][] = name === undefined ? [['generateName', `${metadata.name}-`]] : [['name', name]];
  const of = without(without(objectAt(from, 'metadata'), ['creationTimestamp']), ['name']);
  const labelled = Object.entries(labels).reduce<JsonObject>((done, [key, value]) => set(done, ['labels', key], value), of);
  const pod = new Map<string, Json>([
    [
      'metadata',
      new Map([...named, ['namespace', metadata.namespace], ...labelled, ['ownerReferences', json([owner(type, workload)])]]),
    ],
    ['spec', spec(objectAt(from, 'spec'))],
  ]);
  return make(cluster, PODS, pod);
}

export const isReady = ({ view }: Stored): boolean =>
  (view.status?.conditions ?? []).some(({ type, status }: any) => type === 'Ready' && status === 'True');

export const isFinished = ({ view }: Stored): boolean => ['Succeeded', 'Failed'].includes(view.status?.phase);
