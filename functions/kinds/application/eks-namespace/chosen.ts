import { type Captured, read, typeKey } from '../../../kubernetes/object.ts';
import { endpointsOfServices, leftOut } from '../../../kubernetes/rules.ts';

/** Leaves out what comes again by itself; tells how many of each type, and why. */
export function chosen(objects: readonly Captured[]): { kept: Captured[]; notes: string[] } {
  const filled = endpointsOfServices(objects.filter(({ type }) => typeKey(type) === 'services').map(({ raw }) => read(raw)));
  const reasons = new Map<string, string[]>();
  const kept = objects.filter((object) => {
    const why =
      typeKey(object.type) === 'endpoints' && filled.has(object.name)
        ? 'the cluster makes it again from its Service'
        : isPlainDefault(object)
          ? 'the cluster makes it in every namespace'
          : leftOut(object);
    if (why === undefined) return true;
    const key = `${object.type.kind}\n${why}`;
    reasons.set(key, [...(reasons.get(key) ?? []), object.name]);
    return false;
  });
  const notes = [...reasons].map(([key, names]) => {
    const [kind, why] = key.split('\n');
    const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
    return `left out: ${kind} ${shown}: ${why}.`;
  });
  return { kept, notes };
}

/** The ServiceAccount that every namespace has, if nobody has given it anything. */
function isPlainDefault({ type, name, raw }: Captured): boolean {
  if (typeKey(type) !== 'serviceaccounts' || name !== 'default') return false;
  const { metadata, imagePullSecrets } = read(raw);
  return Object.keys({ ...metadata?.labels, ...metadata?.annotations }).length === 0 && imagePullSecrets === undefined;
}
