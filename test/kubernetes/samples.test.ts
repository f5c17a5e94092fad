import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Restored } from '../../functions/domain.ts';
import { factsOf } from '../../functions/kinds/application/eks-namespace/namespace.ts';
import { discover, preferred } from '../../functions/kubernetes/discovery.ts';
import { type KubernetesObject, pathOf, read } from '../../functions/kubernetes/object.ts';
import { isCaptured } from '../../functions/kubernetes/rules.ts';
import { clusterAt, seed } from '../../local/kubernetes/index.ts';
import { Clusters } from './clusters.ts';
import { hasSamples, liveLists, liveText, SAMPLES } from './retail-store.ts';

const RESTORED = 'dr';

/** What people wrote, in one order, without what a server sets and without the namespace's own name. */
function written(object: KubernetesObject, namespace: string): unknown {
  const plain = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((one) => plain(one, path));
    if (typeof value === 'string') {
      if (/namespace$/.test(path.at(-1) ?? '') && value === namespace) return 'NAMESPACE';
      return value.replace(new RegExp(`\\.${namespace}(?![\\w-])`, 'g'), '.NAMESPACE');
    }
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !SET_BY_SERVER.has([...path.slice(-1), key].join('.')) && !SET_BY_SERVER.has(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, plain(inner, [...path, key])] as const)
        .filter(([key, inner]) => !(key === 'labels' && Object.keys(inner as object).length === 0)),
    );
  };
  return plain(object, []);
}
const SET_BY_SERVER = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'status',
  'clusterIP',
  'clusterIPs',
  'metadata.finalizers',
  'volumeName',
  'apiVersion',
  'kind',
  'stillpoint/restore',
  'deployment.kubernetes.io/revision',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'nodePort',
  'healthCheckNodePort',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
]);
const AGAIN = /^(Pod|ReplicaSet|ControllerRevision|Endpoints|EndpointSlice)$/;

/** Everything in a namespace that people wrote. */
async function everything(clusters: Clusters, where: 'home' | 'west', namespace: string): Promise<Record<string, unknown>> {
  const cluster = clusters[where];
  const offered = await clusters.settle(discover(cluster));
  const found: [string, unknown][] = [];
  for (const type of preferred(offered).filter((one) => one.namespaced && isCaptured(one) && !AGAIN.test(one.kind))) {
    for (const text of await clusters.items(cluster, pathOf(type, namespace))) {
      const object = read(text);
      if (/-ca\.crt$/.test(object.metadata?.name ?? '')) continue;
      found.push([`${type.kind} ${object.metadata?.name}`, written(object, namespace)]);
    }
  }
  return Object.fromEntries(found);
}

interface Sample {
  readonly folder: string;
  readonly files: readonly string[];
}
const ALL: readonly Sample[] = [
  { folder: 'retail-store', files: ['crd-securitygrouppolicies.yaml', 'state-in-cluster.yaml'] },
  { folder: 'retail-store', files: ['crd-securitygrouppolicies.yaml', 'state-in-aws.yaml'] },
  { folder: 'online-boutique', files: ['manifests.yaml'] },
  { folder: 'cassandra', files: ['cassandra-service.yaml', 'cassandra-statefulset.yaml'] },
];

describe.skipIf(!hasSamples)('a real application', () => {
  test.each(ALL)('$folder $files comes back as it was, in another cluster and namespace', async ({ folder, files }) => {
    const clusters = await Clusters.make(`${folder}/${files.at(-1)}`);
    await load(
      clusters,
      'app',
      files.flatMap((file) => objectsIn(`${SAMPLES}${folder}/${file}`)),
    );
    await clusters.settle(clusters.stage.clock.sleep(15 * 60_000));
    const before = await everything(clusters, 'home', 'app');
    const artifact = await clusters.capture('app');
    const renames = await disks(
      clusters,
      factsOf(artifact).volumes.map(({ handle }) => handle),
    );
    const restored = await clusters.restore(await clusters.copy(artifact), RESTORED, { renames });
    expect(await everything(clusters, 'west', RESTORED)).toEqual(before);
    expect(Object.keys(before).length).toBeGreaterThan(2);
    expect(suspicious(restored).every((note) => /us-east-1|use1|\b(sg|subnet|vol)-/.test(note))).toBe(true);
  });
});

describe.skipIf(!hasSamples)('a shop as a real API server had it', () => {
  test('comes back with its claims on the restored volumes and its release in the new namespace', async () => {
    const clusters = await Clusters.make('retail-store/live');
    const { world, home: vault } = clusters.stage;
    const cluster = clusterAt(world, vault.place, 'shop');
    const definitionsFirst = liveLists().toSorted((a, b) => Number(b.startsWith('custom')) - Number(a.startsWith('custom')));
    for (const file of ['namespace.json', ...definitionsFirst]) seed(cluster, liveText(file));
    const before = await everything(clusters, 'home', 'retail-store');

    const artifact = await clusters.capture('retail-store');
    const facts = factsOf(artifact);
    expect(facts.fallbacks).toEqual([]);
    expect(facts.helm).toEqual([expect.objectContaining({ name: 'retail-store', revision: 2, status: 'deployed' })]);
    expect(facts.volumes.map(({ claim, handle }) => `${claim} ${handle}`)).toEqual([
      'data-orders-postgresql-0 vol-0a1b2c3d4e5f60001',
      'data-orders-rabbitmq-0 vol-0a1b2c3d4e5f60002',
    ]);
    const renames = await disks(
      clusters,
      facts.volumes.map(({ handle }) => handle),
    );
    const restored = await clusters.restore(await clusters.copy(artifact), RESTORED, { renames });

    const after = await everything(clusters, 'west', RESTORED);
    const others = (all: Record<string, unknown>) => Object.entries(all).filter(([title]) => !/sh\.helm\.release/.test(title));
    expect(others(after)).toEqual(others(before));
    expect(Object.keys(after)).toEqual(Object.keys(before));
    const release = read(
      await clusters.get(clusters.west, `/api/v1/namespaces/${RESTORED}/secrets/sh.helm.release.v1.retail-store.v2`),
    );
    const record = gunzipSync(Buffer.from(Buffer.from(release['data'].release, 'base64').toString(), 'base64')).toString();
    expect(JSON.parse(record)).toMatchObject({ name: 'retail-store', namespace: RESTORED });

    for (const [i, claim] of ['data-orders-postgresql-0', 'data-orders-rabbitmq-0'].entries()) {
      const bound = read(await clusters.get(clusters.west, `/api/v1/namespaces/${RESTORED}/persistentvolumeclaims/${claim}`));
      expect(bound['status'].phase).toBe('Bound');
      const pv = read(await clusters.get(clusters.west, `/api/v1/persistentvolumes/${bound['spec'].volumeName}`));
      expect(pv['spec'].csi.volumeHandle).toBe(renames[i]!.is);
      expect(pv['spec'].persistentVolumeReclaimPolicy).toBe('Delete');
      expect(pv['spec'].nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values).toEqual(['eu-west-1a']);
    }
    expect(suspicious(restored).join('\n')).toContain('host master.retail-store-checkout.abcdef.use1.cache.amazonaws.com');
    expect(suspicious(restored).join('\n')).not.toContain('vol-');
  });
});

const suspicious = ({ notes }: Restored): string[] => notes.filter((note) => note.startsWith('suspicious:'));

const objectsIn = (file: string): KubernetesObject[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document) =>
    document.contents === null ? [] : [document.toJS() as KubernetesObject],
  );

/** Creates objects in a namespace as `kubectl create -n` would, definitions first. */
async function load(clusters: Clusters, namespace: string, objects: readonly KubernetesObject[]): Promise<void> {
  const { home } = clusters;
  await clusters.create(
    home,
    '/api/v1/namespaces',
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
  );
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  for (const object of definitions)
    await clusters.create(home, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(object));
  await clusters.settle(clusters.stage.clock.sleep(10_000));
  const { types } = await clusters.settle(discover(home));
  for (const object of objects.filter((one) => !definitions.includes(one))) {
    const type = types.find(
      ({ kind, group, version }) => kind === object.kind && object.apiVersion === (group ? `${group}/${version}` : version),
    )!;
    const path = pathOf(type, type.namespaced ? namespace : undefined);
    const placed = type.namespaced ? { ...object, metadata: { ...object.metadata, namespace } } : object;
    await clusters.create(home, path, JSON.stringify(placed));
  }
}

/** Disks in the vault's region, as if the storage of the point had been restored. */
async function disks(clusters: Clusters, handles: readonly string[]) {
  const { world, vault } = clusters.stage;
  const renames = [];
  for (const was of handles) {
    const input = { AvailabilityZone: `${vault.place.region}a`, Size: 10, VolumeType: 'gp3' };
    const { VolumeId } = await clusters.settle(
      world.call({ place: vault.place, service: 'ec2', operation: 'CreateVolume', input }),
    );
    renames.push({ was, is: VolumeId as string, what: 'volume' });
  }
  await clusters.settle(clusters.stage.clock.sleep(60_000));
  return renames;
}
