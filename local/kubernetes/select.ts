import { type JsonObject, objectAt, textAt } from './json.ts';
import { badRequest } from './problem.ts';

export type Matches = (object: JsonObject) => boolean;

const NAME = '[A-Za-z0-9./_-]+';
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s+\\(([^)]*)\\)$`);
const EQUAL = new RegExp(`^(${NAME})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`);
const EXISTS = new RegExp(`^(!?)\\s*(${NAME})$`);

/** A selector by labels (Kubernetes, "Labels and Selectors"): `app=web,tier in (a, b),!legacy`. */
export function labelSelector(text: string): Matches {
  const all = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map(requirement);
  return (object) => {
    const labels = objectAt(object, 'metadata', 'labels');
    return all.every((holds) => holds(labels));
  };
}

function requirement(text: string): (labels: JsonObject) => boolean {
  const [, key, operator, values = ''] = SET.exec(text) ?? [];
  if (key) {
    const wanted = new Set(values.split(',').map((value) => value.trim()));
    return (labels) => (labels.has(key) && wanted.has(labels.get(key) as string)) === (operator === 'in');
  }
  const [, name, sign, value] = EQUAL.exec(text) ?? [];
  if (name) return (labels) => (labels.get(name) === value) === (sign !== '!=');
  const [, not, present] = EXISTS.exec(text) ?? [];
  if (!present) throw badRequest(`unable to parse requirement: "${text}"`);
  return (labels) => labels.has(present) === !not;
}

/** A selector by fields: those that every type has, and a few of Pods and Events (Kubernetes, "Field Selectors"). */
export function fieldSelector(text: string): Matches {
  const all = text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, field, sign, value] = /^([\w.]+)(==|=|!=)(.*)$/.exec(part.trim()) ?? [];
      if (!field || !FIELDS.has(field)) throw badRequest(`field label not supported: ${field ?? part}`);
      return (object: JsonObject): boolean => ((textAt(object, ...field.split('.')) ?? '') === value) === (sign !== '!=');
    });
  return (object) => all.every((holds) => holds(object));
}

const FIELDS = new Set([
  'metadata.name',
  'metadata.namespace',
  'spec.nodeName',
  'status.phase',
  'type',
  'reason',
  'involvedObject.kind',
  'involvedObject.name',
  'involvedObject.namespace',
  'involvedObject.uid',
]);

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/** The selector that a workload has in its spec. An empty one chooses everything, none chooses nothing. */
export function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  if (!selector) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return (value !== undefined && values.includes(value)) === (operator === 'In');
    })
  );
}
