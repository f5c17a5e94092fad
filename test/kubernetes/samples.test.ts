import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Restored } from '../../functions/domain.ts';
import { factsOf } from '../../functions/kinds/application/eks-namespace/namespace.ts';
import { discover, preferred } from '../../functions/kubernetes/discovery.ts';
import { type KubernetesObject, pathOf, read } from '../../functions/kubernetes/object.ts';
import { isCaptured } from '../../functions/kubernetes/rules.ts';
import { Clusters } from './clusters.ts';
import { hasSamples, SAMPLES } from './retail-store.ts';

const RESTORED = 'dr';

/** What people wrote, in one order, without what a server sets and without the namespace's own name. */
function written(object: KubernetesObject, namespace: string): unknown {
  const plain = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((one) => plain(one, path));
    if (typeof value === 'string') {
      if (path.at(-1) === 'namespace' && value === namespace) return 'NAMESPACE';
      return value.replace(new RegExp(`\\.${namespace}(?![\\w-])`, 'g'), '.NAMESPACE');
    }
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !SET_BY_SERVER.has([...path.slice(-1), key].join('.')) && !SET_BY_SERVER.has(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, plain(inner, [...path, key])]),
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
      if (object.metadata?.name === 'kube-root-ca.crt') continue;
      found.push([`${type.kind} ${object.metadata?.name}`, written(object, namespace)]);
    }
  }
  return Object.fromEntries(found);
}

interface Sample {
  readonly folder: string;
  readonly files: readonly string[];
  readonly volumes: number;
}
const ALL: readonly Sample[] = [
  { folder: 'retail-store', files: ['crd-securitygrouppolicies.yaml', 'state-in-cluster.yaml'], volumes: 0 },
  { folder: 'retail-store', files: ['crd-securitygrouppolicies.yaml', 'state-in-aws.yaml'], volumes: 0 },
  { folder: 'online-boutique', files: ['manifests.yaml'], volumes: 0 },
  { folder: 'cassandra', files: ['cassandra-service.yaml', 'cassandra-statefulset.yaml'], volumes: 3 },
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
