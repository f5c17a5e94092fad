import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './cluster.ts';

/** Where the shop runs in its cluster. */
export const NAMESPACE = 'shop';

/** In the order in which a pipeline applies them. */
const FILES = ['namespace', 'configuration', 'accounts', 'ledger', 'uploads', 'web', 'cart', 'checkout', 'promotions'] as const;
/** Enough for a namespace that has a volume, settings, a secret and a workload. */
const SMALL = ['namespace', 'configuration', 'accounts', 'ledger'] as const;

export const COMPONENTS = ['ledger', 'web', 'cart', 'checkout'] as const;
export type Component = (typeof COMPONENTS)[number];

/** What the manifests leave open. */
export interface Blanks {
  readonly namespace: string;
  readonly account: string;
  readonly region: string;
  readonly zone: string;
  readonly table: string;
  readonly bucket: string;
  readonly volume: string;
  readonly instance: string;
  /** Where the instance is reached. */
  readonly host: string;
  /** The file system of the uploads; without one, nothing is mounted. */
  readonly uploads?: string;
  readonly images: Readonly<Record<Component, string>>;
  readonly secrets: { readonly password: string; readonly token: string };
}

/** The shop's manifests with the blanks filled in, and the record of the Helm release that they are said to come from. */
export function manifests(blanks: Blanks, { small = false } = {}): Manifest[] {
  const words = wordsOf(blanks);
  const text = (small ? SMALL : FILES)
    .filter((file) => file !== 'uploads' || blanks.uploads)
    .map((file) => readFileSync(new URL(`manifests/${file}.yaml`, import.meta.url), 'utf8'))
    .join('\n---\n');
  const filled = text.replace(/\$\{(\w+)\}/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`A manifest has the blank "${word}", for which there is no word.`);
    return value;
  });
  const documents = parseAllDocuments(filled).map((document) => document.toJS() as Manifest);
  return small ? documents : [...documents, helmRelease(blanks.namespace, filled)];
}

function wordsOf({ images, secrets, ...plain }: Blanks): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(plain).map(([name, word]) => [name.toUpperCase(), word])),
    SECRET_USERNAME: base64('shop'),
    SECRET_PASSWORD: base64(secrets.password),
    SECRET_TOKEN: base64(secrets.token),
    SECRET_ORDERS: base64(ordersUrl(secrets.password, plain.host)),
    SECRET_CALLBACK: base64(`https://dynamodb.${plain.region}.amazonaws.com/?table=${plain.table}`),
    ...Object.fromEntries(COMPONENTS.map((component) => [`IMAGE_${component.toUpperCase()}`, images[component]])),
  };
}

/** By this the shop's processes reach its orders. */
export const ordersUrl = (password: string, host: string): string =>
  `postgresql://shop:${password}@${host}:5432/shop?sslmode=require`;

/** How Helm 3 and 4 keep a release: gzip of its JSON as base64, which the Secret encodes once more (helm.sh/helm/v3/pkg/storage/driver, `encodeRelease`). */
function helmRelease(namespace: string, manifest: string): Manifest {
  const release = {
    name: 'shop',
    namespace,
    version: 3,
    info: {
      status: 'deployed',
      description: 'Upgrade complete',
      first_deployed: '2026-09-01T08:00:00Z',
      last_deployed: '2026-11-20T16:30:00Z',
      deleted: '',
    },
    chart: {
      metadata: { name: 'shop', version: '1.4.2', appVersion: '2026.11.3', apiVersion: 'v2' },
      templates: [],
      values: { replicas: 2 },
    },
    config: { replicas: 2 },
    manifest,
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'sh.helm.release.v1.shop.v3',
      namespace,
      labels: { name: 'shop', owner: 'helm', status: 'deployed', version: '3' },
    },
    type: 'helm.sh/release.v1',
    data: { release: base64(gzipSync(JSON.stringify(release), { level: 9 }).toString('base64')) },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
