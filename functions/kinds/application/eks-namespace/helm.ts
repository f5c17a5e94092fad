import { gunzipSync, gzipSync } from 'node:zlib';
import { Document } from '../../../kubernetes/document.ts';
import type { NamespaceMap } from '../../../kubernetes/namespaces.ts';
import { type Captured, type KubernetesObject, read, typeKey } from '../../../kubernetes/object.ts';
import type { HelmRelease } from './namespace.ts';

/**
 * Helm keeps each revision of a release in a Secret (or a ConfigMap) with the label `owner=helm`, whose `release` is base64 of gzip of JSON
 * (helm, pkg/storage/driver). In a Secret's `data` that text is base64 once more.
 */
export function isRelease({ type, raw }: Captured): boolean {
  const key = typeKey(type);
  if (key !== 'secrets' && key !== 'configmaps') return false;
  const object = read(raw);
  return object.metadata?.labels?.['owner'] === 'helm' && typeof object['data']?.release === 'string';
}

/** The newest revision of each release of a namespace; what cannot be decoded is left out, for it is captured all the same. */
export function releasesOf(objects: readonly Captured[]): HelmRelease[] {
  const newest = new Map<string, HelmRelease>();
  for (const object of objects.filter(isRelease)) {
    const release = decoded(object);
    if (release && release.revision >= (newest.get(release.name)?.revision ?? 0)) newest.set(release.name, release);
  }
  return [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function decoded({ type, raw }: Captured): HelmRelease | undefined {
  try {
    const release = JSON.parse(unpack(read(raw)['data'].release as string, isSealed(typeKey(type)))) as KubernetesObject;
    const { name = '', version: chartVersion = '', appVersion = '' } = release['chart']?.metadata ?? {};
    return {
      name: String(release['name']),
      chart: String(name),
      version: String(chartVersion),
      appVersion: String(appVersion),
      revision: Number(release['version']),
      status: String(release['info']?.status),
    };
  } catch {
    return undefined;
  }
}

/**
 * A release whose namespace has moved must say so, in itself and in the manifest that it remembers: otherwise the next `helm upgrade` would
 * look for what it had made in the old namespace, and delete there what it does not find in the new manifest.
 */
export function moveRelease(doc: Document, object: Captured, moved: NamespaceMap): void {
  const sealed = isSealed(typeKey(object.type));
  const release = new Document(unpack(doc.string('data', 'release') ?? '', sealed));
  const is = moved[release.string('namespace') ?? ''];
  if (is !== undefined) release.set(['namespace'], is);
  const rename = (...path: (string | number)[]) => {
    const manifest = release.string(...path);
    if (manifest !== undefined) release.set(path, moveManifest(manifest, moved));
  };
  rename('manifest');
  for (let i = 0; i < release.length('hooks'); i++) rename('hooks', i, 'manifest');
  doc.set(['data', 'release'], pack(String(release), sealed));
}

/** Lines of YAML that say `namespace: shop`, and nothing else. */
const moveManifest = (manifest: string, moved: NamespaceMap): string =>
  manifest.replace(
    /^(\s*(?:- )?namespace: *)(["']?)([a-z0-9-]+)\2( *\r?)$/gm,
    (line, key: string, quote: string, was: string, end: string) =>
      moved[was] === undefined ? line : `${key}${quote}${moved[was]}${quote}${end}`,
  );

const isSealed = (key: string): boolean => key === 'secrets';
const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);

function unpack(text: string, sealed: boolean): string {
  const inner = sealed ? Buffer.from(text, 'base64').toString() : text;
  const bytes = Buffer.from(inner, 'base64');
  return (bytes.subarray(0, 3).equals(GZIP) ? gunzipSync(bytes) : bytes).toString();
}

function pack(release: string, sealed: boolean): string {
  const inner = gzipSync(release, { level: 9 }).toString('base64');
  return sealed ? Buffer.from(inner).toString('base64') : inner;
}
