import { decodeText, type Lost, type Rewire, rewireBase64, type Suspicion, suspicions, type Where } from '../decide/rewire.ts';
import type { Rename } from '../domain.ts';
import type { Document, Path } from './document.ts';
import { type ApiType, typeKey } from './object.ts';

/** A string of an object that was rewired, or that still names the lost place. */
export interface Finding {
  /** `data.TABLE`, `spec.template.spec.containers.0.env.3.value`. */
  readonly path: string;
  readonly changed: readonly Rename[];
  readonly suspicious: readonly Suspicion[];
  /** It stands in a Secret: what it says is nobody's to repeat. */
  readonly secret: boolean;
}

/** What kubectl was once given: it moves nothing, so what it names is no suspicion. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Rewires an object in place: every string of it, what Secrets hold decoded and encoded again. Names, labels and the like are structure, in
 * which only what cannot be mistaken is replaced. Answers what was changed and what still looks lost.
 */
export function rewireDocument(doc: Document, type: ApiType, rewire: Rewire, lost: Lost): Finding[] {
  const key = typeKey(type);
  const findings: Finding[] = [];
  doc.replaceStrings((text, path) => {
    if (path.at(-1) === 'kind' || path.at(-1) === 'apiVersion') return undefined;
    const encoded = isBase64(key, path);
    const rewired = encoded ? rewireBase64(text, rewire) : rewire(text, whereIn(key, path));
    const plain = encoded ? decodeText(rewired.text) : rewired.text;
    const suspicious = plain === undefined || path.at(-1) === LAST_APPLIED ? [] : suspicions(plain, lost);
    if (rewired.changes.length > 0 || suspicious.length > 0) {
      findings.push({ path: path.join('.'), changed: rewired.changes, suspicious, secret: key === 'secrets' });
    }
    return rewired.text;
  });
  return findings;
}

const isBase64 = (key: string, [first]: Path): boolean =>
  (key === 'secrets' && first === 'data') || (key === 'configmaps' && first === 'binaryData');

function whereIn(key: string, path: Path): Where {
  if (key === 'configmaps' || key === 'secrets') return path[0] === 'metadata' ? 'structure' : 'settings';
  const [parent, last] = [path.at(-2), path.at(-1)];
  const inEnvironment = last === 'value' && path.at(-3) === 'env';
  return inEnvironment || parent === 'args' || parent === 'command' ? 'settings' : 'structure';
}
