import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { splitList } from '../../functions/kubernetes/list.ts';
import { type ApiType, type Captured, read } from '../../functions/kubernetes/object.ts';

/** Real applications to capture and restore, which may stand beside the checkout. */
export const SAMPLES = fileURLToPath(new URL('../../../shared/samples/', import.meta.url));
export const hasSamples = existsSync(`${SAMPLES}retail-store/live`);
if (!hasSamples) console.warn(`The samples are not at ${SAMPLES}; what needs them is skipped.`);

export const liveText = (file: string): string => readFileSync(`${SAMPLES}retail-store/live/${file}`, 'utf8');

/** The names of the lists that a real API server sent. */
export const liveLists = (): string[] =>
  readdirSync(`${SAMPLES}retail-store/live`).filter((file) => !/^(discovery|namespace)/.test(file));

/** The objects of those lists, as a capture would have them. */
export function liveObjects(): Captured[] {
  const lists = liveLists().flatMap((file) => {
    const text = liveText(file);
    const { kind = '', apiVersion = '' } = read(text);
    const type = typeOf(apiVersion, file.split('.')[0]!, kind.replace(/List$/, ''));
    return splitList(text).items.map((raw) => captured(type, raw));
  });
  return [captured(typeOf('v1', 'namespaces', 'Namespace'), liveText('namespace.json')), ...lists];
}

const CLUSTER_WIDE = ['Namespace', 'PersistentVolume', 'StorageClass', 'CustomResourceDefinition'];

function typeOf(apiVersion: string, resource: string, kind: string): ApiType {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, resource, kind, namespaced: !CLUSTER_WIDE.includes(kind), verbs: [] };
}

function captured(type: ApiType, raw: string): Captured {
  const { name = '', namespace } = read(raw).metadata ?? {};
  return { type, name, raw, ...(namespace === undefined ? {} : { namespace }) };
}
