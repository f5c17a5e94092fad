import { describe, expect, test } from 'vitest';
import { open, verb } from '../../functions/aws/verb.ts';
import type { Artifact, Item, Json } from '../../functions/domain.ts';
import { unpackObjects } from '../../functions/kinds/application/eks-namespace/bundle.ts';
import namespaces from '../../functions/kinds/application/eks-namespace/index.ts';
import { factsOf } from '../../functions/kinds/application/eks-namespace/namespace.ts';
import { type Captured, read } from '../../functions/kubernetes/object.ts';
import { bundleReading, readBundle } from '../../functions/vault/bundles.ts';
import { envelopeReading, readEnvelope } from '../../functions/vault/envelope.ts';
import { Clusters } from './clusters.ts';

const reading = verb({ ...bundleReading, ...envelopeReading }, async (aws, { facts, place }: Artifact) => {
  const { manifests, secrets } = facts as { manifests: string; secrets: string };
  return {
    open: unpackObjects(await readBundle(aws, place, manifests)),
    sealed: unpackObjects(await readEnvelope(aws, place, secrets, 'shop')),
  };
});
const contents = (of: Clusters, artifact: Artifact) => of.ask(reading, artifact.place, artifact);
const rawOf = (objects: readonly Captured[], kind: string, name: string) =>
  objects.find((one) => one.type.kind === kind && one.name === name)?.raw;

const namespace = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const configMap = (name: string, data: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const secret = (name: string, data: object) => JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data });
const WIDGETS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.bench.example.com' },
  spec: {
    group: 'bench.example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const SPEC =
  '{"zeta":1,"alpha":2,"big":9007199254740993,"max":9223372036854775807,"min":-9223372036854775808,"one":1.0,"exp":1e3,"neg":-0,"precise":0.12345678901234567890,"__proto__":{"x":1.0},"html":"<a>&\u2028"}';
const WIDGET = `{"apiVersion":"bench.example.com/v1","kind":"Widget","metadata":{"name":"edge"},"spec":${SPEC}}`;

const handleOf = (item: Item<unknown> | undefined): Json => (item?.state === 'started' ? item.handle : null);

async function shop(seed: string): Promise<Clusters> {
  const clusters = await Clusters.make(seed);
  const { home } = clusters;
  await clusters.create(home, '/api/v1/namespaces', namespace('shop'));
  await clusters.create(home, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(WIDGETS));
  await clusters.settle(clusters.stage.clock.sleep(10_000));
  await clusters.create(home, '/apis/bench.example.com/v1/namespaces/shop/widgets', WIDGET);
  await clusters.create(home, '/api/v1/namespaces/shop/configmaps', configMap('settings', { n: '1' }));
  await clusters.create(home, '/api/v1/namespaces/shop/secrets', secret('password', { key: 'aHVudGVyMg==' }));
  return clusters;
}

describe('a capture', () => {
  test('keeps every byte that the server sent, and a restore changes none that people wrote', async () => {
    const clusters = await shop('bytes');
    const path = '/apis/bench.example.com/v1/namespaces/shop/widgets';
    const [sent] = await clusters.items(clusters.home, path);
    expect(sent).toContain(SPEC);
    const artifact = await clusters.capture('shop');
    const { open: objects } = await contents(clusters, artifact);
    expect(rawOf(objects, 'Widget', 'edge')).toBe(sent);
    expect(rawOf(objects, 'CustomResourceDefinition', 'widgets.bench.example.com')).toBeDefined();
    await clusters.restore(await clusters.copy(artifact), 'shop-dr');
    const [back] = await clusters.items(clusters.west, path.replace('/shop/', '/shop-dr/'));
    expect(back).toContain(SPEC);
  });

  test('is of one revision: what is written after it is not in it, whatever the type', async () => {
    const clusters = await shop('revision');
    const artifact = await clusters.capture('shop', async () => {
      await clusters.change(clusters.home, '/api/v1/namespaces/shop/configmaps/settings', { data: { n: '2' } });
      await clusters.change(clusters.home, '/apis/bench.example.com/v1/namespaces/shop/widgets/edge', { spec: { zeta: 2 } });
      await clusters.create(clusters.home, '/api/v1/namespaces/shop/configmaps', configMap('late', {}));
      await clusters.settle(clusters.home.ask({ method: 'DELETE', path: '/api/v1/namespaces/shop/secrets/password' }));
    });
    const { open: objects, sealed } = await contents(clusters, artifact);
    expect(read(rawOf(objects, 'ConfigMap', 'settings')!)['data']).toEqual({ n: '1' });
    expect(rawOf(objects, 'Widget', 'edge')).toContain(SPEC);
    expect(rawOf(objects, 'ConfigMap', 'late')).toBeUndefined();
    expect(rawOf(sealed, 'Secret', 'password')).toContain('aHVudGVyMg==');
    expect(factsOf(artifact).fallbacks).toEqual([]);
    expect(Date.parse(artifact.interval.to) - Date.parse(artifact.interval.from)).toBeLessThan(1000);
  });

  test('is whole while a writer goes on: the same counter in two namespaces and three types', async () => {
    const clusters = await shop('torn');
    const { home, stage } = clusters;
    await clusters.create(home, '/api/v1/namespaces', namespace('other'));
    await clusters.create(home, '/api/v1/namespaces/other/configmaps', configMap('counter', { n: '0' }));
    const cells: [string, (n: number) => object][] = [
      ['/api/v1/namespaces/shop/configmaps/settings', (n) => ({ data: { n: String(n) } })],
      ['/apis/bench.example.com/v1/namespaces/shop/widgets/edge', (n) => ({ spec: { zeta: n } })],
      ['/api/v1/namespaces/other/configmaps/counter', (n) => ({ data: { n: String(n) } })],
    ];
    let written = 0;
    let stopped = false;
    const write = async () => {
      for (; !stopped; written++) {
        for (const [path, cell] of cells) {
          const body = JSON.stringify(cell(written));
          await home.ask({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
        }
      }
    };
    const works = [await clusters.captureWork('shop'), await clusters.captureWork('other')];
    const { transport, clock, home: vault } = stage;
    const places = { here: vault.place, home: vault.place };
    const take = async () => {
      await clock.sleep(3000);
      const begun = await open(namespaces.capture.start, transport, clock, places)(works);
      const before = written;
      await clock.sleep(3000);
      const handles = works.map((work, i) => ({ ...work, handle: handleOf(begun[i]) }));
      const items = await open(namespaces.capture.settle, transport, clock, places)(handles);
      stopped = true;
      return { items, before };
    };
    const [{ items, before }] = await clusters.settle(Promise.all([take(), write()]));
    const [first, second] = items.map((item) => (item.state === 'done' ? item.result : undefined));
    const [shopped, other] = [await contents(clusters, first!), await contents(clusters, second!)];
    const counters = [
      Number(read(rawOf(shopped.open, 'ConfigMap', 'settings')!)['data'].n),
      Number(read(rawOf(shopped.open, 'Widget', 'edge')!)['spec'].zeta),
      Number(read(rawOf(other.open, 'ConfigMap', 'counter')!)['data'].n),
    ];
    expect(written).toBeGreaterThan(before + 10);
    expect(Math.max(...counters) - Math.min(...counters)).toBeLessThanOrEqual(1);
    expect(counters).toEqual(counters.toSorted((a, b) => b - a));
    expect(Math.abs(counters[0]! - before)).toBeLessThanOrEqual(1);
  });

  test('that comes too late for its revision says so, and its interval tells', async () => {
    const clusters = await shop('late');
    const artifact = await clusters.capture('shop', async () => {
      await clusters.settle(clusters.stage.clock.sleep(20 * 60_000));
      await clusters.change(clusters.home, '/api/v1/namespaces/shop/configmaps/settings', { data: { n: '2' } });
      await clusters.settle(clusters.stage.clock.sleep(20 * 60_000));
    });
    expect(factsOf(artifact).fallbacks.join(' ')).toMatch(/configmaps: .*It was listed as it was a moment later/);
    expect(Date.parse(artifact.interval.to) - Date.parse(artifact.interval.from)).toBeGreaterThan(40 * 60_000);
  });

  test('costs the freeze one DescribeCluster and one list', async () => {
    const clusters = await shop('cheap');
    const work = await clusters.captureWork('shop');
    const { transport, clock, home } = clusters.stage;
    const asked: string[] = [];
    const counting: typeof transport = {
      ...transport,
      send: (request) => {
        asked.push(request.call.command.name);
        return transport.send(request);
      },
      fetch: (request) => {
        asked.push(new URL(request.url).search);
        return transport.fetch(request);
      },
    };
    const start = open(namespaces.capture.start, counting, clock, { here: home.place, home: home.place });
    const second = { ...work, resource: { ...work.resource, id: work.resource.id.replace(/shop$/, 'other') } };
    const items = await clusters.settle(start([work, second]));
    expect(items.map(({ state }) => state)).toEqual(['started', 'started']);
    expect(asked).toEqual(['DescribeClusterCommand', '?limit=1']);
  });

  test('lets no secret out of its envelope', async () => {
    const clusters = await shop('secret');
    const artifact = await clusters.capture('shop');
    const restored = await clusters.restore(await clusters.copy(artifact), 'shop-dr');
    const { world } = clusters.stage;
    const buckets = ['us-east-1', 'eu-west-1'].map((region) => `stillpoint-data-111122223333-${region}`);
    const stored: string[] = [];
    for (const [i, Bucket] of buckets.entries()) {
      const place = i === 0 ? clusters.stage.home.place : clusters.stage.vault.place;
      const { Contents = [] } = await clusters.settle(
        world.call({ place, service: 's3', operation: 'ListObjectsV2', input: { Bucket } }),
      );
      for (const { Key } of Contents) {
        const { Body } = await clusters.settle(
          world.call({ place, service: 's3', operation: 'GetObject', input: { Bucket, Key } }),
        );
        const bytes = Buffer.from(Body as Uint8Array);
        stored.push(
          bytes[0] === 0x1f ? (await import('node:zlib')).gunzipSync(bytes).toString('latin1') : bytes.toString('latin1'),
        );
      }
    }
    expect(stored.length).toBeGreaterThan(5);
    for (const text of [JSON.stringify([artifact, restored]), ...stored]) {
      expect(text).not.toContain('aHVudGVyMg==');
      expect(text).not.toContain('hunter2');
    }
    const [back] = await clusters.items(clusters.west, '/api/v1/namespaces/shop-dr/secrets');
    expect(read(back!)['data']).toEqual({ key: 'aHVudGVyMg==' });
  });

  test('of a namesake fails', async () => {
    const clusters = await shop('namesake');
    const work = await clusters.captureWork('shop');
    const older = { ...work, resource: { ...work.resource, createdAt: '2020-01-01T00:00:00.000Z' } };
    const item = await clusters.drive(namespaces.capture, older, clusters.stage.home.place);
    expect(item).toMatchObject({ state: 'failed' });
    expect('why' in item && item.why).toMatch(/the one that was planned, made at 2020-01-01T00:00:00.000Z, is gone\.$/);
  });
});

describe('a restore', () => {
  test('touches nothing that was there before, and names it', async () => {
    const clusters = await shop('foreign');
    const copy = await clusters.copy(await clusters.capture('shop'));
    await clusters.create(clusters.west, '/api/v1/namespaces', namespace('shop-dr'));
    await clusters.create(clusters.west, '/api/v1/namespaces/shop-dr/configmaps', configMap('settings', { mine: '1' }));
    const work = await clusters.restoreWork(copy, 'shop-dr');
    const [foreseen] = await clusters.ask(namespaces.preview, copy.place, [work]);
    expect(foreseen?.lacks.join(' ')).toMatch(/holds ConfigMap shop-dr\/settings already/);
    const item = await clusters.drive(namespaces.restore, work, copy.place);
    expect('why' in item && item.why).toMatch(/ConfigMap shop-dr\/settings is there already and is not of this restore/);
    const theirs = read(await clusters.get(clusters.west, '/api/v1/namespaces/shop-dr/configmaps/settings'));
    expect(theirs['data']).toEqual({ mine: '1' });
  });

  test('stands beside the original in its own cluster, and takes nothing of its', async () => {
    const clusters = await shop('beside');
    const { home } = clusters;
    const applied = JSON.stringify({ spec: { ports: [{ port: 80, nodePort: 30080 }] } });
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, nodePort: 30080 }] },
    };
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reads' }, rules: [] };
    const binding = {
      ...role,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'shop-reads' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'shop' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads' },
    };
    await clusters.create(home, '/api/v1/namespaces/shop/services', JSON.stringify(service));
    await clusters.create(home, `${rbac}/clusterroles`, JSON.stringify(role));
    await clusters.create(home, `${rbac}/clusterrolebindings`, JSON.stringify(binding));
    const artifact = await clusters.capture('shop');
    const { id, notes, renames } = await clusters.restore(artifact, 'shop-r1');
    expect(id).toBe(`${home.arn}/shop-r1`);
    expect(renames).toEqual([{ was: `${home.arn}/shop`, is: `${home.arn}/shop-r1`, what: 'namespace' }]);
    expect(notes).toContain('kept: CustomResourceDefinition widgets.bench.example.com was there already.');
    expect(notes).toContain('kept: ClusterRole reads was there already.');
    expect(notes).toContain('changed: Service shop-r1/web: its node ports are taken in this cluster, which chose others.');
    const [was, is] = [
      read(await clusters.get(home, '/api/v1/namespaces/shop/services/web')),
      read(await clusters.get(home, '/api/v1/namespaces/shop-r1/services/web')),
    ];
    expect(was['spec'].ports[0].nodePort).toBe(30080);
    expect(is['spec'].ports[0].nodePort).not.toBe(30080);
    const copied = read(await clusters.get(home, `${rbac}/clusterrolebindings/shop-reads-r1`));
    expect(copied['subjects']).toEqual([{ kind: 'ServiceAccount', name: 'default', namespace: 'shop-r1' }]);
    expect(read(await clusters.get(home, `${rbac}/clusterrolebindings/shop-reads`))['subjects']).toEqual(binding.subjects);

    const over = await clusters.drive(namespaces.restore, await clusters.restoreWork(artifact, 'shop'), artifact.place);
    expect('why' in over && over.why).toMatch(/would be restored over itself in cluster shop; map it to another name/);
  });

  test('gives what an operator made back to its new owner', async () => {
    const clusters = await shop('owners');
    const { metadata } = read(await clusters.get(clusters.home, '/apis/bench.example.com/v1/namespaces/shop/widgets/edge'));
    const owner = { apiVersion: 'bench.example.com/v1', kind: 'Widget', name: 'edge', uid: metadata!.uid, controller: true };
    const owned = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned', ownerReferences: [owner] } };
    await clusters.create(clusters.home, '/api/v1/namespaces/shop/configmaps', JSON.stringify(owned));
    await clusters.restore(await clusters.copy(await clusters.capture('shop')), 'shop-dr');
    await clusters.settle(clusters.stage.clock.sleep(60_000));
    const there = read(await clusters.get(clusters.west, '/apis/bench.example.com/v1/namespaces/shop-dr/widgets/edge'));
    const back = read(await clusters.get(clusters.west, '/api/v1/namespaces/shop-dr/configmaps/owned'));
    expect(back.metadata?.ownerReferences).toEqual([{ ...owner, uid: there.metadata?.uid }]);
  });

  test('goes on where it was stopped', async () => {
    const clusters = await shop('stopped');
    for (let i = 0; i < 300; i++)
      await clusters.create(clusters.home, '/api/v1/namespaces/shop/configmaps', configMap(`n${i}`, { i: `${i}` }));
    const copy = await clusters.copy(await clusters.capture('shop'));
    const { transport, clock, home } = clusters.stage;
    let left = 150;
    const dying: typeof transport = {
      ...transport,
      fetch: (request) => {
        const isLost = request.method === 'POST' && request.url.includes('/configmaps') && left-- <= 0;
        return isLost ? Promise.reject(new Error('socket hang up')) : transport.fetch(request);
      },
    };
    const work = await clusters.restoreWork(copy, 'shop-dr');
    const [begun] = await clusters.ask(namespaces.restore.start, copy.place, [work]);
    expect(begun).toMatchObject({ state: 'started', why: 'The cluster does not serve widgets.bench.example.com yet.' });
    await clusters.settle(clock.sleep(15_000));
    const settle = open(namespaces.restore.settle, dying, clock, { here: copy.place, home: home.place });
    const [stopped] = await clusters.settle(settle([{ ...work, handle: handleOf(begun) }]));
    expect(stopped).toMatchObject({ state: 'started', why: expect.stringContaining('gave no answer') });
    const some = await clusters.items(clusters.west, '/api/v1/namespaces/shop-dr/configmaps');
    expect(some.length).toBeLessThan(300);
    const [end] = await clusters.ask(namespaces.restore.settle, copy.place, [{ ...work, handle: handleOf(stopped) }]);
    expect(end?.state).toBe('done');
    const all = await clusters.items(clusters.west, '/api/v1/namespaces/shop-dr/configmaps');
    expect(all.filter((text) => /^n\d+$/.test(read(text).metadata!.name!))).toHaveLength(300);
  });

  test('says what does not come up, after how long and why', async () => {
    const clusters = await shop('pull');
    const image = '111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/web:v1';
    const { world } = clusters.stage;
    const place = clusters.stage.home.place;
    const ecr = (operation: string, input: object) => clusters.settle(world.call({ place, service: 'ecr', operation, input }));
    await ecr('CreateRepository', { repositoryName: 'shop/web' });
    await ecr('PutImage', {
      repositoryName: 'shop/web',
      imageTag: 'v1',
      imageManifest: '{"schemaVersion":2,"config":{},"layers":[]}',
    });
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template },
    };
    await clusters.create(clusters.home, '/apis/apps/v1/namespaces/shop/deployments', JSON.stringify(deployment));
    await clusters.settle(clusters.stage.clock.sleep(10 * 60_000));
    const artifact = await clusters.capture('shop');
    expect(factsOf(artifact).images).toEqual([{ image, digest: expect.stringMatching(/^sha256:/) }]);
    const copy = await clusters.copy(artifact);
    const work = await clusters.restoreWork(copy, 'shop-dr');
    const [foreseen] = await clusters.ask(namespaces.preview, copy.place, [work]);
    expect(foreseen?.lacks).toEqual([
      expect.stringContaining('is not in 111122223333.dkr.ecr.eu-west-1/shop/web; replicate it there.'),
    ]);
    const item = await clusters.drive(namespaces.restore, work, copy.place);
    expect(item).toMatchObject({ state: 'started' });
    expect('why' in item && item.why).toMatch(
      /^After \d+ min not up: Deployment shop-dr\/web \(0 of 2 ready: (ImagePullBackOff|ErrImagePull)/,
    );
  });
});
