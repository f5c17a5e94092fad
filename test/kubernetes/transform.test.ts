import { describe, expect, test } from 'vitest';
import { lostBy, rewiring } from '../../functions/decide/rewire.ts';
import { Document } from '../../functions/kubernetes/document.ts';
import { moveNamespaces, serviceRenames } from '../../functions/kubernetes/namespaces.ts';
import { type ApiType, type Captured, pathOf, read } from '../../functions/kubernetes/object.ts';
import { isCaptured, leftOut } from '../../functions/kubernetes/rules.ts';
import { rewireDocument } from '../../functions/kubernetes/strings.ts';
import { freePorts, nameType, pauseReconciler, strip } from '../../functions/kubernetes/transform.ts';

const type = (group: string, version: string, resource: string, kind: string): ApiType => {
  return { group, version, resource, kind, namespaced: true, verbs: ['create', 'get', 'list'] };
};
const SERVICE = type('', 'v1', 'services', 'Service');
const JOB = type('batch', 'v1', 'jobs', 'Job');
const POD = type('', 'v1', 'pods', 'Pod');
const SECRET = type('', 'v1', 'secrets', 'Secret');
const CONFIG = type('', 'v1', 'configmaps', 'ConfigMap');
const BINDING = type('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding');

const stripped = (of: ApiType, object: object) => {
  const text = JSON.stringify(object);
  const doc = new Document(text);
  strip(doc, read(text), of);
  return JSON.parse(String(doc));
};

describe('what a server had set', () => {
  test('goes, and not a byte of what people wrote', () => {
    const raw =
      '{"metadata":{"name":"edge","namespace":"shop","uid":"u","resourceVersion":"12","generation":3,"creationTimestamp":"2026-11-23T01:40:28Z","managedFields":[{"manager":"helm"}],"annotations":{"a":"\\u003c"}},"spec":{"big":9007199254740993,"one":1.0,"neg":-0,"__proto__":{"x":1e3},"z":1,"a":2},"status":{"ready":true}}';
    const doc = new Document(raw);
    strip(doc, read(raw), type('bench.example.com', 'v1', 'widgets', 'Widget'));
    nameType(doc, type('bench.example.com', 'v1', 'widgets', 'Widget'));
    expect(String(doc)).toBe(
      '{"kind":"Widget","apiVersion":"bench.example.com/v1","metadata":{"name":"edge","namespace":"shop","annotations":{"a":"\\u003c"}},"spec":{"big":9007199254740993,"one":1.0,"neg":-0,"__proto__":{"x":1e3},"z":1,"a":2}}',
    );
  });

  test('in a Service: its addresses and the ports that nobody had chosen', () => {
    const applied = JSON.stringify({ spec: { ports: [{ port: 80, nodePort: 30080 }] } });
    const made = stripped(SERVICE, {
      metadata: { name: 'web', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.96.7.7',
        clusterIPs: ['10.96.7.7'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        healthCheckNodePort: 31000,
        ports: [
          { port: 80, nodePort: 30080 },
          { port: 443, nodePort: 31443 },
        ],
      },
    });
    expect(made.spec).toEqual({
      type: 'LoadBalancer',
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80, nodePort: 30080 }, { port: 443 }],
    });
    expect(stripped(SERVICE, { spec: { clusterIP: 'None', clusterIPs: ['None'] } }).spec.clusterIP).toBe('None');
    expect(JSON.parse(String(freePorts(new Document(JSON.stringify(made))))).spec.ports).toEqual([{ port: 80 }, { port: 443 }]);
  });

  test('in a Job: what it found its Pods by, unless somebody had chosen that', () => {
    const labels = {
      'controller-uid': 'u',
      'job-name': 'j',
      'batch.kubernetes.io/controller-uid': 'u',
      'batch.kubernetes.io/job-name': 'j',
      mine: '1',
    };
    const job = { metadata: { labels }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } } };
    expect(stripped(JOB, job)).toEqual({
      metadata: { labels: { mine: '1' } },
      spec: { template: { metadata: { labels: { mine: '1' } } } },
    });
    expect(stripped(JOB, { ...job, spec: { ...job.spec, manualSelector: true } }).spec.selector).toEqual({ matchLabels: labels });
  });

  test('in a Pod: its node, its priority and its token', () => {
    const token = { name: 'kube-api-access-x1y2z', projected: {} };
    const made = stripped(POD, {
      metadata: { name: 'p' },
      spec: {
        nodeName: 'n',
        priority: 0,
        volumes: [{ name: 'data' }, token],
        containers: [{ name: 'c', volumeMounts: [{ name: token.name, mountPath: '/var/run' }] }],
      },
    });
    expect(made.spec).toEqual({ volumes: [{ name: 'data' }], containers: [{ name: 'c' }] });
  });

  test('in a token: what the new cluster must sign anew', () => {
    const made = stripped(SECRET, {
      metadata: { annotations: { 'kubernetes.io/service-account.name': 'ci', 'kubernetes.io/service-account.uid': 'dead' } },
      type: 'kubernetes.io/service-account-token',
      data: { token: 'eA==', 'ca.crt': 'eA==', namespace: 'eA==', extra: 'eA==' },
    });
    expect(made.metadata.annotations).toEqual({ 'kubernetes.io/service-account.name': 'ci' });
    expect(made.data).toEqual({ extra: 'eA==' });
  });

  test('finalizers of controllers go, and people’s stay', () => {
    const finalizers = ['service.k8s.aws/resources', 'foregroundDeletion', 'bench.example.com/hold'];
    expect(stripped(CONFIG, { metadata: { finalizers } }).metadata.finalizers).toEqual(['bench.example.com/hold']);
  });
});

describe('what is left out', () => {
  const object = (of: ApiType, name: string, content: object): Captured => ({
    type: of,
    namespace: 'shop',
    name,
    raw: JSON.stringify(content),
  });
  const owned = {
    metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }] },
  };

  test.each([
    [POD, 'web-1', owned, /controller makes it again/],
    [POD, 'etcd-node', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }, /mirrors/],
    [POD, 'done', { status: { phase: 'Succeeded' } }, /had ended/],
    [JOB, 'done', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }, /had ended/],
    [CONFIG, 'kube-root-ca.crt', {}, /every namespace/],
    [CONFIG, 'going', { metadata: { deletionTimestamp: '2026-11-22T04:00:00Z' } }, /being deleted/],
    [BINDING, 'system:x', {}, /every cluster/],
    [
      SECRET,
      'ci-token-abcde',
      { type: 'kubernetes.io/service-account-token', metadata: { annotations: { 'kubernetes.io/service-account.name': 'ci' } } },
      /tokens/,
    ],
  ])('%o %s', (of, name, content, why) => expect(leftOut(object(of, name, content))).toMatch(why));

  test.each([
    [POD, 'bare', { status: { phase: 'Running' } }],
    [JOB, 'running', { status: { active: 1 } }],
    [CONFIG, 'made-by-operator', owned],
    [
      SECRET,
      'ci-token',
      { type: 'kubernetes.io/service-account-token', metadata: { annotations: { 'kubernetes.io/service-account.name': 'ci' } } },
    ],
  ])('not %o %s', (of, name, content) => expect(leftOut(object(of, name, content))).toBeUndefined());

  test('and what is not even captured', () => {
    expect(isCaptured(CONFIG)).toBe(true);
    expect(isCaptured({ ...CONFIG, verbs: ['get', 'list'] })).toBe(false);
    expect(isCaptured(type('', 'v1', 'events', 'Event'))).toBe(false);
    expect(isCaptured(type('coordination.k8s.io', 'v1', 'leases', 'Lease'))).toBe(false);
    expect(isCaptured(type('metrics.k8s.io', 'v1beta1', 'pods', 'PodMetrics'))).toBe(false);
    expect(isCaptured(type('cilium.io', 'v2', 'ciliumnetworkpolicies', 'CiliumNetworkPolicy'))).toBe(true);
  });
});

describe('namespaces that move', () => {
  const moved = { shop: 'shop-r1', db: 'db-r1' };
  const move = (of: ApiType, object: object) => {
    const doc = new Document(JSON.stringify(object));
    moveNamespaces(doc, of, moved);
    return JSON.parse(String(doc));
  };

  test('are written wherever an object names them', () => {
    const made = move(BINDING, {
      metadata: {
        name: 'shop',
        namespace: 'shop',
        annotations: { 'meta.helm.sh/release-namespace': 'shop', 'cert-manager.io/inject-ca-from': 'db/ca' },
      },
      subjects: [
        { kind: 'ServiceAccount', name: 'cart', namespace: 'db' },
        { kind: 'Group', name: 'system:serviceaccounts:shop' },
        { kind: 'User', name: 'system:serviceaccount:shop:cart' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'other' },
      ],
    });
    expect(made).toEqual({
      metadata: {
        name: 'shop',
        namespace: 'shop-r1',
        annotations: { 'meta.helm.sh/release-namespace': 'shop-r1', 'cert-manager.io/inject-ca-from': 'db-r1/ca' },
      },
      subjects: [
        { kind: 'ServiceAccount', name: 'cart', namespace: 'db-r1' },
        { kind: 'Group', name: 'system:serviceaccounts:shop-r1' },
        { kind: 'User', name: 'system:serviceaccount:shop-r1:cart' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'other' },
      ],
    });
  });

  test('are found by their own label in selectors', () => {
    const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop', tier: 'shop' } } };
    const either = {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['db', 'other'] },
        { key: 'tier', operator: 'In', values: ['db'] },
      ],
    };
    const made = move(type('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy'), {
      spec: { a: peer, b: either, namespaceSelector: { matchNames: ['shop', 'x'] } },
    });
    expect(made.spec.a.namespaceSelector.matchLabels).toEqual({ 'kubernetes.io/metadata.name': 'shop-r1', tier: 'shop' });
    expect(made.spec.b.matchExpressions.map(({ values }: { values: string[] }) => values)).toEqual([['db-r1', 'other'], ['db']]);
    expect(made.spec.namespaceSelector.matchNames).toEqual(['shop-r1', 'x']);
  });

  test('are not looked for in what ConfigMaps hold', () => {
    expect(move(CONFIG, { metadata: { namespace: 'shop' }, data: { namespace: 'shop' } })).toEqual({
      metadata: { namespace: 'shop-r1' },
      data: { namespace: 'shop' },
    });
  });

  test('change how Services are called', () => {
    expect(serviceRenames(['cart'], 'shop', moved).map(({ was, is }) => `${was} ${is}`)).toEqual([
      'cart.shop cart.shop-r1',
      'cart.shop.svc cart.shop-r1.svc',
      'cart.shop.svc.cluster.local cart.shop-r1.svc.cluster.local',
    ]);
    expect(serviceRenames(['cart'], 'shop', { shop: 'shop' })).toEqual([]);
  });
});

describe('rewiring an object', () => {
  const home = { account: '111122223333', region: 'us-east-1' };
  const renames = [
    { was: 'carts', is: 'carts-r1', what: 'table' },
    { was: 'vol-0a1b2c3d4e5f60001', is: 'vol-0ffffffffffff0001', what: 'volume' },
  ];
  const lost = lostBy(home, { ...home, region: 'eu-west-1' }, renames);
  const rewired = (of: ApiType, object: object) => {
    const doc = new Document(JSON.stringify(object));
    const findings = rewireDocument(doc, of, rewiring(renames), lost);
    return { made: JSON.parse(String(doc)), findings };
  };

  test('changes settings and not the names of things', () => {
    const { made, findings } = rewired(type('apps', 'v1', 'deployments', 'Deployment'), {
      metadata: { name: 'carts', labels: { app: 'carts' } },
      spec: {
        selector: { matchLabels: { app: 'carts' } },
        template: {
          spec: {
            containers: [
              { name: 'carts', env: [{ name: 'TABLE', value: 'carts' }], args: ['--table', 'carts', '--url=http://carts:80'] },
            ],
          },
        },
      },
    });
    expect(made.metadata).toEqual({ name: 'carts', labels: { app: 'carts' } });
    expect(made.spec.selector.matchLabels.app).toBe('carts');
    expect(made.spec.template.spec.containers[0]).toEqual({
      name: 'carts',
      env: [{ name: 'TABLE', value: 'carts-r1' }],
      args: ['--table', 'carts-r1', '--url=http://carts:80'],
    });
    expect(findings.map(({ path }) => path)).toEqual([
      'spec.template.spec.containers.0.env.0.value',
      'spec.template.spec.containers.0.args.1',
    ]);
  });

  test('opens what Secrets hold, and says that it is secret', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const { made, findings } = rewired(SECRET, {
      data: { table: base64('carts'), url: base64('postgres://u:hunter2@db.us-east-1.rds.amazonaws.com/x'), key: '/w==' },
    });
    expect(made.data.table).toBe(base64('carts-r1'));
    expect(made.data.key).toBe('/w==');
    expect(findings).toEqual([
      { path: 'data.table', changed: [renames[0]], suspicious: [], secret: true },
      { path: 'data.url', changed: [], suspicious: [{ what: 'host', names: 'db.us-east-1.rds.amazonaws.com' }], secret: true },
    ]);
  });

  test('tells what still names the lost place', () => {
    const { findings } = rewired(CONFIG, { data: { REGION: 'us-east-1', ok: 'eu-west-1' } });
    expect(findings).toEqual([
      { path: 'data.REGION', changed: [], suspicious: [{ what: 'region', names: 'us-east-1' }], secret: false },
    ]);
  });
});

test('what would undo a rewiring is paused', () => {
  const argo = { spec: { syncPolicy: { automated: {}, retry: {} } } };
  const doc = new Document(JSON.stringify(argo));
  expect(pauseReconciler(doc, argo, type('argoproj.io', 'v1alpha1', 'applications', 'Application'))).toMatch(
    /automated sync is off/,
  );
  expect(JSON.parse(String(doc)).spec.syncPolicy).toEqual({ retry: {} });
  const flux = new Document('{}');
  expect(pauseReconciler(flux, {}, type('helm.toolkit.fluxcd.io', 'v2', 'helmreleases', 'HelmRelease'))).toMatch(/suspended/);
  expect(flux.value('spec', 'suspend')).toBe(true);
});

test('paths are those of the API', () => {
  expect(pathOf(CONFIG, 'shop', 'a')).toBe('/api/v1/namespaces/shop/configmaps/a');
  expect(pathOf(CONFIG)).toBe('/api/v1/configmaps');
  expect(pathOf({ ...BINDING, namespaced: false }, 'shop', 'system:x')).toBe(
    '/apis/rbac.authorization.k8s.io/v1/rolebindings/system%3Ax',
  );
});
