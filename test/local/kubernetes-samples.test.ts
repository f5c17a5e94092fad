import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { awaken, seed } from '../../local/kubernetes/index.ts';
import { plain, write } from '../../local/kubernetes/json.ts';
import { documentsIn } from '../../local/kubernetes/yaml.ts';
import { type Bench, bench, configMap } from './cluster.ts';

/** Applications of other people, which lie beside the checkout where they are there at all. */
const SAMPLES = new URL('../../../shared/samples/', import.meta.url);
const isThere = existsSync(SAMPLES);
if (!isThere) console.warn(`The samples are not at ${SAMPLES.pathname}: what needs them is skipped.`);
const read = (path: string): string => readFileSync(new URL(path, SAMPLES), 'utf8');

const LISTS = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'configmaps',
  'controllerrevisions.apps',
  'deployments.apps',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'horizontalpodautoscalers.autoscaling',
  'ingresses.networking.k8s.io',
  'persistentvolumeclaims',
  'persistentvolumes',
  'poddisruptionbudgets.policy',
  'pods',
  'replicasets.apps',
  'secrets',
  'securitygrouppolicies.vpcresources.k8s.aws',
  'serviceaccounts',
  'services',
  'statefulsets.apps',
  'storageclasses.storage.k8s.io',
];

describe.skipIf(!isThere)('samples', () => {
  let k: Bench;
  beforeEach(async () => {
    k = await bench();
  });

  /** Posts what a file holds, as `kubectl create` does; answers what was refused. */
  async function load(path: string, namespace: string): Promise<string[]> {
    const refused: string[] = [];
    for (const document of documentsIn(read(path))) {
      const { apiVersion, kind, metadata } = plain(document);
      const type = k.cluster.typeOfKind(apiVersion, kind);
      const root = type?.group ? `/apis/${type.group}/${type.version}` : '/api/v1';
      const within = type?.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : '';
      const answer = await k.post(`${root}${within}/${type?.resource}`, write(document));
      if (answer.status !== 201) refused.push(`${kind} ${metadata.name}: ${answer.text}`);
    }
    return refused;
  }

  const GP3 = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'gp3' },
    provisioner: 'ebs.csi.aws.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  };

  async function unready(namespace: string): Promise<string[]> {
    const found: string[] = [];
    for (const resource of ['deployments', 'statefulsets']) {
      const { items } = (await k.get(`/apis/apps/v1/namespaces/${namespace}/${resource}`)).json;
      for (const { metadata, spec, status } of items) {
        if (status.readyReplicas !== spec.replicas) found.push(`${resource} ${metadata.name}: ${JSON.stringify(status)}`);
      }
    }
    return found;
  }

  test.each([
    ['a shop that keeps its state in the cluster', 'retail-store/state-in-cluster.yaml', 11],
    ['the same shop with its state in AWS', 'retail-store/state-in-aws.yaml', 5],
    ['a boutique', 'online-boutique/manifests.yaml', 12],
  ])('%s comes up', async (_, file, pods) => {
    await k.namespace('app');
    await k.post('/apis/storage.k8s.io/v1/storageclasses', GP3);
    expect(await load('retail-store/crd-securitygrouppolicies.yaml', 'app')).toEqual([]);
    await k.wait(3);
    expect(await load(file, 'app')).toEqual([]);
    await k.wait(120);
    expect(await unready('app')).toEqual([]);
    const { items } = (await k.get('/api/v1/namespaces/app/pods')).json;
    expect(items).toHaveLength(pods);
    for (const { status } of items)
      for (const { imageID } of status.containerStatuses) expect(imageID).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  test('a database whose class no provisioner of EKS serves waits, and comes up when EBS serves it', async () => {
    await k.namespace('db');
    expect(await load('cassandra/cassandra-service.yaml', 'db')).toEqual([]);
    expect(await load('cassandra/cassandra-statefulset.yaml', 'db')).toEqual([]);
    await k.wait(60);
    expect(await unready('db')).toHaveLength(1);
    const fast = '/apis/storage.k8s.io/v1/storageclasses/fast';
    const served = { ...(await k.get(fast)).json, provisioner: 'ebs.csi.aws.com', parameters: { type: 'gp3' } };
    await k.delete(fast);
    const { resourceVersion: _, uid: __, ...metadata } = served.metadata;
    expect((await k.post('/apis/storage.k8s.io/v1/storageclasses', { ...served, metadata })).status).toBe(201);
    await k.wait(300);
    expect(await unready('db')).toEqual([]);
    expect((await k.get('/api/v1/persistentvolumes')).json.items).toHaveLength(3);
  });

  test('one revision of a shop can be read to its end while everything goes on', async () => {
    await k.namespace('app');
    await k.post('/apis/storage.k8s.io/v1/storageclasses', GP3);
    await load('retail-store/state-in-cluster.yaml', 'app');
    const revision = (await k.get('/api/v1/pods?limit=1')).json.metadata.resourceVersion;
    const types = k.cluster.types.filter(({ namespaced }) => namespaced);
    const pathOf = ({ group, version, resource }: (typeof types)[number]) =>
      `${group ? `/apis/${group}/${version}` : `/api/${version}`}/${resource}`;
    const whole = async () => {
      const all: string[] = [];
      for (const type of types) {
        let token = '';
        do {
          const at = token ? `continue=${encodeURIComponent(token)}` : `resourceVersion=${revision}&resourceVersionMatch=Exact`;
          const page = await k.get(`${pathOf(type)}?limit=2&${at}`);
          expect(page.status).toBe(200);
          all.push(...page.json.items.map((item: object) => JSON.stringify(item)));
          token = page.json.metadata.continue ?? '';
        } while (token);
        await k.post('/api/v1/namespaces/app/configmaps', configMap(`meanwhile-${all.length}-${type.resource}`));
      }
      return all;
    };
    const first = await whole();
    expect(first.length).toBeGreaterThan(60);
    expect(await whole()).toEqual(first);
    expect(k.cluster.store.revision).toBeGreaterThan(Number(revision) + 50);
  });

  test('lists of a real server are kept byte by byte, until somebody writes', async () => {
    seed(k.cluster, read('retail-store/live/namespace.json'));
    for (const name of LISTS) seed(k.cluster, read(`retail-store/live/${name}.json`));
    for (const name of LISTS) {
      const [resource, ...rest] = name.split('.');
      const { kind, apiVersion, items } = JSON.parse(read(`retail-store/live/${name}.json`)) as {
        kind: string;
        apiVersion: string;
        items: { metadata: { namespace?: string } }[];
      };
      const root = rest.length > 0 ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const within = items[0]?.metadata.namespace ? '/namespaces/retail-store' : '';
      const answer = await k.get(`${root}${within}/${resource}`);
      expect(answer.json.kind).toBe(kind);
      const sent = new Map(items.map((item) => [(item.metadata as { name?: string }).name, JSON.stringify(item)]));
      for (const item of answer.json.items) {
        if (sent.has(item.metadata.name)) expect(JSON.stringify(item)).toBe(sent.get(item.metadata.name));
      }
      expect(answer.json.items.length).toBeGreaterThanOrEqual(items.length);
    }
    await k.wait(60);
    expect((await k.get('/api/v1/namespaces/retail-store/pods')).text).not.toContain('"phase":"Running"');
  });

  test('a shop of a real server comes to life when the controllers look at it and its volumes are there', async () => {
    const VOLUMES = ['vol-0a1b2c3d4e5f60001', 'vol-0a1b2c3d4e5f60002'];
    seed(k.cluster, read('retail-store/live/namespace.json'));
    for (const name of LISTS) seed(k.cluster, read(`retail-store/live/${name}.json`));
    awaken(k.cluster);
    await k.wait(120);
    const { items } = (await k.get('/api/v1/namespaces/retail-store/pods')).json;
    const waiting = items.filter(({ status }: any) => status.phase !== 'Running');
    const why = waiting
      .map(({ metadata, status }: any) => `${metadata.name}: ${status.containerStatuses[0].state.waiting.message}`)
      .join('\n');
    for (const volume of VOLUMES) expect(why).toContain(`volume "${volume}" does not exist in us-east-1`);
  });

  const discovered = (text: string): Map<string, object> =>
    new Map(
      JSON.parse(text).items.flatMap(({ metadata, versions }: any) =>
        versions.flatMap(({ version, resources }: any) =>
          resources.map(({ resource, responseKind, scope, verbs, singularResource, shortNames = [], categories = [] }: any) => [
            `${metadata.name ?? ''}/${version}/${resource}`,
            // A watch is not modelled, and so not offered.
            {
              kind: responseKind.kind,
              scope,
              verbs: verbs.filter((verb: string) => verb !== 'watch').sort(),
              singularResource,
              shortNames,
              categories,
            },
          ]),
        ),
      ),
    );

  test('discovery says the same as a real server about every type that both have', async () => {
    await load('retail-store/crd-securitygrouppolicies.yaml', 'default');
    await k.wait(3);
    const headers = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' };
    for (const [path, file] of Object.entries({ '/api': 'discovery-core', '/apis': 'discovery-groups' })) {
      const answer = await k.ask('GET', path, { headers });
      expect(answer.headers['content-type']).toContain('as=APIGroupDiscoveryList');
      const [ours, theirs] = [discovered(answer.text), discovered(read(`retail-store/live/${file}.json`))];
      for (const [type, said] of ours) expect({ type, ...said }).toEqual({ type, ...theirs.get(type) });
      expect(ours.size).toBeGreaterThan(path === '/api' ? 14 : 25);
    }
  });

  test('discovery says the same in its older form', async () => {
    const headers = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
    const aggregated = discovered((await k.ask('GET', '/apis', { headers })).text);
    const listed: string[] = [];
    for (const { name, versions, preferredVersion } of (await k.get('/apis')).json.groups) {
      expect(versions).toContainEqual(preferredVersion);
      for (const { groupVersion } of versions) {
        const { resources } = (await k.get(`/apis/${groupVersion}`)).json;
        listed.push(...resources.filter((one: any) => !one.name.includes('/')).map((one: any) => `${groupVersion}/${one.name}`));
        expect(groupVersion.startsWith(name)).toBe(true);
      }
    }
    expect(listed.sort()).toEqual([...aggregated.keys()].sort());
    expect((await k.get('/api')).json.versions).toEqual(['v1']);
  });
});
