import { describe, expect, test } from 'vitest';
import { Permanent, Transient } from '../../functions/aws/errors.ts';
import type { HttpRequest, Transport } from '../../functions/aws/transport.ts';
import { Cluster, connect, Refused } from '../../functions/kubernetes/client.ts';
import { discover, preferred, serves } from '../../functions/kubernetes/discovery.ts';
import { listAt, newestRevision } from '../../functions/kubernetes/list.ts';
import type { ApiType } from '../../functions/kubernetes/object.ts';

const PLACE = { account: '111122223333', region: 'us-east-1' };
const CONFIG: ApiType = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: [] };

type Answer = readonly [status: number, body: object | string];

/** An API server that answers what a test tells it to. */
function scripted(answer: (url: URL, request: HttpRequest) => Answer) {
  const asked: HttpRequest[] = [];
  let now = 0;
  let tokens = 0;
  const transport = {
    fetch: async (request: HttpRequest) => {
      asked.push(request);
      const [status, body] = answer(new URL(request.url), request);
      return { status, headers: {}, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
    },
    clusterToken: async () => `token-${++tokens}`,
  } as unknown as Transport;
  const sleep = async (ms: number) => {
    now += ms;
  };
  const clock = { now: () => now, sleep, random: () => '' };
  const found = {
    name: 'shop',
    arn: 'arn:aws:eks:us-east-1:111122223333:cluster/shop',
    version: '1.35',
    place: PLACE,
    endpoint: 'http://eks',
    authority: undefined,
  };
  return { cluster: new Cluster(found, transport, clock), asked, clock, transport };
}

const page = (names: readonly string[], revision: string, more = '') => ({
  kind: 'ConfigMapList',
  metadata: { resourceVersion: revision, ...(more ? { continue: more } : {}) },
  items: names.map((name) => ({ metadata: { name, namespace: 'shop' } })),
});
const status = (code: number, reason: string, message: string): Answer => [code, { kind: 'Status', code, reason, message }];
const names = (listed: Awaited<ReturnType<typeof listAt>>) => listed?.objects.map(({ name }) => name);

describe('a list', () => {
  test('is of one revision, to its last page', async () => {
    const { cluster, asked } = scripted((url) => [
      200,
      url.searchParams.get('continue') ? page(['c'], '7') : page(['a', 'b'], '7', 'next page'),
    ]);
    const listed = await listAt(cluster, CONFIG, '7', { namespace: 'shop', limit: 2 });
    expect(names(listed)).toEqual(['a', 'b', 'c']);
    expect(listed).toMatchObject({ revision: '7' });
    expect(listed?.fallback).toBeUndefined();
    expect(asked.map(({ url }) => url)).toEqual([
      'http://eks/api/v1/namespaces/shop/configmaps?limit=2&resourceVersion=7&resourceVersionMatch=Exact',
      'http://eks/api/v1/namespaces/shop/configmaps?limit=2&continue=next%20page',
    ]);
  });

  test.each([
    [410, 'Expired', 'The provided resource version is too old'],
    [500, 'InternalError', 'required revision is a future revision'],
    [400, 'BadRequest', 'resourceVersionMatch is not supported'],
  ])('that cannot be had at it (%i) is told to be of its own moment', async (code, reason, message) => {
    const { cluster } = scripted((url) =>
      url.searchParams.get('resourceVersionMatch') ? status(code, reason, message) : [200, page(['a'], '9')],
    );
    const listed = await listAt(cluster, CONFIG, '7');
    expect(names(listed)).toEqual(['a']);
    expect(listed?.revision).toBe('9');
    expect(listed?.fallback).toContain(message);
    expect(listed?.fallback).toContain('configmaps');
  });

  test('whose token expires in the middle begins again, and never goes on inconsistently', async () => {
    let expired = 0;
    const { cluster } = scripted((url) => {
      if (url.searchParams.get('resourceVersionMatch')) return status(410, 'Expired', 'too old');
      if (!url.searchParams.get('continue')) return [200, page(['a'], String(9 + expired), 'more')];
      return expired++ === 0 ? status(410, 'Expired', 'the token is too old') : [200, page(['b'], '10')];
    });
    const listed = await listAt(cluster, CONFIG, '7');
    expect(names(listed)).toEqual(['a', 'b']);
    expect(listed?.revision).toBe('10');
  });

  test('that expires every time is Transient', async () => {
    const { cluster } = scripted((url) =>
      url.searchParams.get('continue') ? status(410, 'Expired', 'x') : [200, page(['a'], '9', 'more')],
    );
    await expect(listAt(cluster, CONFIG, '7')).rejects.toThrow(Transient);
  });

  test('of a type that is gone is nothing', async () => {
    const { cluster } = scripted(() => status(404, 'NotFound', 'the server could not find the requested resource'));
    expect(await listAt(cluster, CONFIG, '7')).toBeUndefined();
  });

  test('that is forbidden is refused, with what to do', async () => {
    const { cluster } = scripted(() => status(403, 'Forbidden', 'configmaps is forbidden: User "x" cannot list resource'));
    await expect(listAt(cluster, CONFIG, '7')).rejects.toThrow(/cannot list.*AmazonEKSClusterAdminPolicy/);
    await expect(listAt(cluster, CONFIG, '7')).rejects.toThrow(Refused);
  });

  test('of one object fixes a revision', async () => {
    const { cluster, asked } = scripted(() => [200, page(['a'], '4711')]);
    expect(await newestRevision(cluster, CONFIG)).toBe('4711');
    expect(asked).toHaveLength(1);
  });
});

describe('a cluster', () => {
  test('that does not know us says what is missing', async () => {
    const { cluster } = scripted(() => status(401, 'Unauthorized', 'Unauthorized'));
    await expect(cluster.get('/api')).rejects.toThrow(/does not know the role.*create an access entry/);
    await expect(cluster.get('/api')).rejects.toThrow(Permanent);
  });

  test.each([429, 502, 503, 504])('that is busy (%i) is Transient', async (code) => {
    const { cluster } = scripted(() => status(code, 'Busy', 'later'));
    await expect(cluster.ask({ method: 'GET', path: '/api' })).rejects.toThrow(Transient);
  });

  test('that gives no answer is Transient', async () => {
    const { cluster, transport } = scripted(() => [200, {}]);
    Object.assign(transport, { fetch: async () => Promise.reject(new Error('socket hang up')) });
    await expect(cluster.get('/api')).rejects.toThrow(Transient);
  });

  test('gets a new token before the old one ends, and not sooner', async () => {
    const { cluster, asked, clock } = scripted(() => [200, {}]);
    await cluster.get('/api');
    await clock.sleep(12 * 60_000);
    await cluster.get('/api');
    await clock.sleep(60_000);
    await cluster.get('/api');
    expect(asked.map(({ headers }) => headers['authorization'])).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  test('that is absent or not ACTIVE is refused in one sentence', async () => {
    const { transport, clock } = scripted(() => [200, {}]);
    const scene = { here: PLACE, transport, clock };
    const absent = async () => Promise.reject(Object.assign(new Error('no'), { name: 'ResourceNotFoundException' }));
    await expect(connect({ describeCluster: absent }, 'shop', scene)).rejects.toThrow(
      /^There is no cluster "shop" in 111122223333\/us-east-1; create it/,
    );
    const creating = async () => ({ cluster: { status: 'CREATING' } }) as never;
    await expect(connect({ describeCluster: creating }, 'shop', scene)).rejects.toThrow(/is CREATING, not ACTIVE/);
  });
});

describe('discovery', () => {
  const resource = (name: string, kind: string, scope = 'Namespaced') => ({
    resource: name,
    responseKind: { group: '', version: '', kind },
    scope,
    verbs: ['create', 'get', 'list'],
    subresources: [],
  });
  const group = (name: string | undefined, ...versions: object[]) => ({ metadata: name === undefined ? {} : { name }, versions });
  const list = (...items: object[]) => ({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items });

  test('is two calls, prefers a group’s first version, and tells stale groups', async () => {
    const { cluster, asked } = scripted((url) =>
      url.pathname === '/api'
        ? [
            200,
            list(
              group(undefined, {
                version: 'v1',
                freshness: 'Current',
                resources: [resource('configmaps', 'ConfigMap'), resource('nodes', 'Node', 'Cluster')],
              }),
            ),
          ]
        : [
            200,
            list(
              group(
                'autoscaling',
                { version: 'v2', resources: [resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler')] },
                { version: 'v1', resources: [resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler')] },
              ),
              group('metrics.k8s.io', { version: 'v1beta1', freshness: 'Stale' }),
            ),
          ],
    );
    const offered = await discover(cluster);
    expect(asked).toHaveLength(2);
    expect(asked[0]?.headers['accept']).toContain('as=APIGroupDiscoveryList');
    expect(preferred(offered).map(({ group: of, version, resource: name }) => `${of}/${version} ${name}`)).toEqual([
      '/v1 configmaps',
      '/v1 nodes',
      'autoscaling/v2 horizontalpodautoscalers',
    ]);
    expect(serves(offered, { ...CONFIG, group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' })).toBe(true);
    expect(serves(offered, { ...CONFIG, version: 'v2' })).toBe(false);
    expect(offered.stale).toEqual(['metrics.k8s.io/v1beta1']);
  });

  test('falls back to one call for each version where the server does not aggregate', async () => {
    const { cluster } = scripted((url) => {
      if (url.pathname === '/api') return [200, { kind: 'APIVersions', versions: ['v1'] }];
      if (url.pathname === '/apis') {
        return [
          200,
          {
            kind: 'APIGroupList',
            groups: [
              { name: 'apps', versions: [{ version: 'v1beta1' }, { version: 'v1' }], preferredVersion: { version: 'v1' } },
              { name: 'metrics.k8s.io', versions: [{ version: 'v1beta1' }] },
            ],
          },
        ];
      }
      if (url.pathname.startsWith('/apis/metrics')) return status(503, 'ServiceUnavailable', 'error trying to reach service');
      const name = url.pathname === '/api/v1' ? 'configmaps' : 'deployments';
      return [
        200,
        {
          kind: 'APIResourceList',
          resources: [
            { name, kind: name, namespaced: true, verbs: ['list'] },
            { name: `${name}/status`, kind: name, namespaced: true, verbs: ['get'] },
          ],
        },
      ];
    });
    const offered = await discover(cluster);
    expect(preferred(offered).map(({ group: of, version, resource: name }) => `${of}/${version} ${name}`)).toEqual([
      '/v1 configmaps',
      'apps/v1 deployments',
    ]);
    expect(offered.stale).toEqual(['metrics.k8s.io/v1beta1']);
  });
});
