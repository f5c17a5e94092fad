import type { Rename } from '../domain.ts';
import type { Document, Path } from './document.ts';
import { type ApiType, typeKey } from './object.ts';

export type NamespaceMap = Readonly<Record<string, string>>;

/** Lists that hold names of namespaces: NetworkPolicies' peers by name, ServiceMonitors' selectors. */
const LISTS = new Set(['namespaces', 'matchNames', 'watchNamespaces']);
/** Annotations that name a namespace alone, or as `namespace/name`. */
const ANNOTATIONS = new Set(['meta.helm.sh/release-namespace']);
const QUALIFIED = new Set(['cert-manager.io/inject-ca-from', 'cert-manager.io/inject-ca-from-secret']);
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * Writes the new namespaces wherever an object names the old ones: its own, subjects of RBAC, claims, backends of webhooks, owners of Helm
 * releases, selectors by the namespace's own label, references of custom resources. What ConfigMaps and Secrets hold is not looked at.
 */
export function moveNamespaces(doc: Document, type: ApiType, moved: NamespaceMap): void {
  if (Object.entries(moved).every(([was, is]) => was === is)) return;
  const held = ['configmaps', 'secrets'].includes(typeKey(type));
  const chosen = chosenByLabel(doc);
  doc.replaceStrings((text, path) => {
    if (held && path[0] !== 'metadata') return undefined;
    return isReference(path) || chosen(path) ? moved[text] : qualified(text, path, moved);
  });
}

function isReference(path: Path): boolean {
  const [parent, key] = [path.at(-2), path.at(-1)];
  if (typeof key === 'number') return LISTS.has(String(parent));
  return key === 'namespace' || key === NAME_LABEL || (parent === 'annotations' && ANNOTATIONS.has(String(key)));
}

/** `system:serviceaccounts:shop`, `system:serviceaccount:shop:cart` (RBAC, "Referring to subjects") and `shop/certificate`. */
function qualified(text: string, path: Path, moved: NamespaceMap): string | undefined {
  const [, prefix = '', namespace = '', rest = ''] =
    (path.at(-1) === 'name' && path.includes('subjects') && /^(system:serviceaccounts?:)([^:]+)(.*)$/.exec(text)) ||
    (QUALIFIED.has(String(path.at(-1))) && /^()([^/]+)(\/.*)$/.exec(text)) ||
    [];
  const is = moved[namespace];
  return is === undefined ? undefined : prefix + is + rest;
}

/** Whether a path is a value of a `matchExpressions` whose key is the namespace's own label. */
const chosenByLabel =
  (doc: Document) =>
  (path: Path): boolean => {
    const at = path.lastIndexOf('matchExpressions');
    return at >= 0 && path[at + 2] === 'values' && doc.string(...path.slice(0, at + 2), 'key') === NAME_LABEL;
  };

/** How Services are called in a namespace that has moved: `cart.shop`, `cart.shop.svc`, `cart.shop.svc.cluster.local` (DNS for Services). */
export function serviceRenames(services: readonly string[], namespace: string, moved: NamespaceMap): Rename[] {
  const is = moved[namespace];
  if (is === undefined || is === namespace) return [];
  return services.flatMap((service) =>
    ['', '.svc', '.svc.cluster.local'].map((domain): Rename => {
      return { was: `${service}.${namespace}${domain}`, is: `${service}.${is}${domain}`, what: 'service' };
    }),
  );
}
