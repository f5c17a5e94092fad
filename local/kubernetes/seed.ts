import type { Cluster } from './cluster.ts';
import { typesOf } from './definitions.ts';
import { at, isObject, type Json, listAt, parse, plain, textAt } from './json.ts';
import { typeKey } from './types.ts';

/**
 * Puts into a cluster what another server has sent: the text of an object or of a list, each object exactly as it stands there, its uid,
 * revision and status included. No rule is applied and no controller is told, so it stays so until somebody writes or `awaken` is called.
 */
export function seed(cluster: Cluster, text: string): void {
  const sent = parse(text);
  const items = at(sent, 'items');
  const kind = textAt(sent, 'kind') ?? '';
  const objects =
    items === undefined ? [sent] : listAt(sent, 'items').map((item) => typedBy(sent, kind.replace(/List$/, ''), item));
  for (const object of objects) plant(cluster, object);
}

/** Items of built-in types do not say what they are: their list does. */
function typedBy(list: Json, kind: string, item: Json): Json {
  if (!isObject(item) || item.has('kind')) return item;
  return new Map<string, Json>([['kind', kind], ['apiVersion', at(list, 'apiVersion') ?? ''], ...item]);
}

function plant(cluster: Cluster, object: Json): void {
  const [apiVersion = '', kind = ''] = [textAt(object, 'apiVersion'), textAt(object, 'kind')];
  const type = cluster.typeOfKind(apiVersion, kind);
  if (!type || !isObject(object))
    throw new Error(`The cluster does not serve ${kind} of ${apiVersion}; seed its definition first.`);
  cluster.seed(type, object);
  if (typeKey(type) !== 'apiextensions.k8s.io/customresourcedefinitions') return;
  cluster.serve(textAt(object, 'metadata', 'name') ?? '', typesOf(plain(object)));
}

/** Lets every controller look at everything, as after a restart of the control plane. */
export function awaken(cluster: Cluster): void {
  for (const type of cluster.types)
    for (const stored of cluster.all(type)) cluster.announce({ type, before: undefined, after: stored });
}
