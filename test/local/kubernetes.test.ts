import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse, write } from '../../local/kubernetes/json.ts';
import { Store } from '../../local/kubernetes/store.ts';
import { type Bench, bench, configMap, deployment, HOME } from './cluster.ts';

let k: Bench;
let shop: string;

beforeEach(async () => {
  k = await bench();
  shop = await k.namespace('shop');
});

const names = ({ json }: { json: any }): string[] => json.items.map(({ metadata }: any) => metadata.name);
const own = ({ json }: { json: any }): string[] => names({ json }).filter((name) => name !== 'kube-root-ca.crt');

describe('bytes', () => {
  const DATA = '{"b":"2","10":"ten","9":"nine","__proto__":"mine","a":"1"}';
  const NUMBERS = '[9007199254740993,1.0,-0,1e3,18446744073709551616,0.10]';

  test('are kept as they were sent: numbers by their spelling, members in their order', async () => {
    const sent = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"data":${DATA},"x":${NUMBERS}}`;
    const made = await k.post(`${shop}/configmaps`, sent);
    expect(made.status).toBe(201);
    for (const { text } of [made, await k.get(`${shop}/configmaps/odd`), await k.get(`${shop}/configmaps`)]) {
      expect(text).toContain(`"data":${DATA}`);
      expect(text).toContain(`"x":${NUMBERS}`);
    }
  });

  test('that a patch does not name stay as they are', async () => {
    await k.post(
      `${shop}/configmaps`,
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"data":${DATA},"x":${NUMBERS}}`,
    );
    await k.merge(`${shop}/configmaps/odd`, { metadata: { labels: { a: 'b' } } });
    await k.apply(`${shop}/configmaps/odd`, 'me', configMap('odd', { c: '3' }));
    const { text } = await k.get(`${shop}/configmaps/odd`);
    expect(text).toContain(`"x":${NUMBERS}`);
    expect(text).toContain('"data":{"b":"2","10":"ten","9":"nine","__proto__":"mine","a":"1","c":"3"}');
  });

  test('of a template go on into the Pods that are made from it', async () => {
    const spec = '{"terminationGracePeriodSeconds":30.0,"containers":[{"name":"main","image":"redis:7","x":9007199254740993}]}';
    const template = `{"metadata":{"labels":{"app":"web"}},"spec":${spec}}`;
    const sent = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":${template}}}`;
    expect((await k.post('/apis/apps/v1/namespaces/shop/deployments', sent)).status).toBe(201);
    await k.wait(30);
    const { text } = await k.get(`${shop}/pods`);
    expect(text).toContain('"x":9007199254740993');
    expect(text).toContain('"terminationGracePeriodSeconds":30.0');
  });

  test('of YAML become what a manifest means: text stays text, 1.1 booleans are booleans, numbers keep their spelling', async () => {
    const body =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: &d {on: "yes", date: 2026-01-02}\nx: [1.0, yes, ~]\nmore: {<<: *d, q: z}\n';
    const { text } = await k.ask('POST', `${shop}/configmaps`, { body, type: 'application/yaml' });
    expect(text).toContain('"data":{"on":"yes","date":"2026-01-02"}');
    expect(text).toContain('"x":[1.0,true,null]');
    expect(text).toContain('"more":{"on":"yes","date":"2026-01-02","q":"z"}');
  });

  test('any JSON is written as it was read', () => {
    const number = fc.oneof(
      fc.bigInt().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.constantFrom('1.0', '-0', '1E+2', '0.10'),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', '10', '9', 'constructor', '"', '\\'));
    const { json } = fc.letrec<{ json: string }>((tie) => ({
      json: fc.oneof(
        { depthSize: 'small' },
        number,
        fc.string().map((text) => JSON.stringify(text)),
        fc.constantFrom('true', 'false', 'null'),
        fc.array(tie('json')).map((items) => `[${items.join(',')}]`),
        fc
          .uniqueArray(fc.tuple(key, tie('json')), { selector: ([name]) => name })
          .map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
      ),
    }));
    fc.assert(fc.property(json, (text) => write(parse(text)) === text));
  });

  test.each(['{"a":1', '[1,]', '{"a" 1}', '01', '"\n"', '{} {}', ''])('%j is refused', (text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });
});

describe('lists', () => {
  const fill = async (count: number) => {
    for (let i = 0; i < count; i++) await k.post(`${shop}/configmaps`, configMap(`c${i}`));
  };

  test('show every type as it was at one revision, whatever is written meanwhile', async () => {
    await fill(5);
    await k.post(`${shop}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'b' } });
    const revision = (await k.get(`${shop}/configmaps?limit=1`)).json.metadata.resourceVersion;
    await k.post(`${shop}/configmaps`, configMap('later'));
    await k.delete(`${shop}/configmaps/c1`);
    await k.merge(`${shop}/configmaps/c2`, { data: { a: 'changed' } });
    await k.delete(`${shop}/secrets/s`);
    const exact = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
    const then = await k.get(`${shop}/configmaps?${exact}`);
    expect(own(then)).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    expect(then.text).not.toContain('changed');
    expect(then.json.metadata.resourceVersion).toBe(revision);
    expect(names(await k.get(`${shop}/secrets?${exact}`))).toEqual(['s']);
    expect(own(await k.get(`${shop}/configmaps`))).toEqual(['c0', 'c2', 'c3', 'c4', 'later']);
  });

  test('come in pages of one revision', async () => {
    await fill(7);
    const pages: string[][] = [];
    let token = '';
    do {
      const page = await k.get(`${shop}/configmaps?limit=3&continue=${encodeURIComponent(token)}`);
      pages.push(names(page));
      expect(page.json.metadata.remainingItemCount).toBe([5, 2, undefined][pages.length - 1]);
      token = page.json.metadata.continue ?? '';
      await k.post(`${shop}/configmaps`, configMap(`between-${pages.length}`));
    } while (token);
    expect(pages).toEqual([
      ['c0', 'c1', 'c2'],
      ['c3', 'c4', 'c5'],
      ['c6', 'kube-root-ca.crt'],
    ]);
  });

  test('have no count of what remains where they select', async () => {
    await fill(3);
    const page = await k.get(`${shop}/configmaps?limit=1&labelSelector=${encodeURIComponent('!absent')}`);
    expect(page.json.metadata.continue).toBeTruthy();
    expect(page.json.metadata.remainingItemCount).toBeUndefined();
  });

  test('of a revision that is compacted or still to come are refused', async () => {
    await fill(2);
    const page = await k.get(`${shop}/configmaps?limit=1`);
    const { resourceVersion, continue: token } = page.json.metadata;
    await k.wait(299);
    expect((await k.get(`${shop}/configmaps?limit=1&continue=${token}`)).status).toBe(200);
    await fill(1);
    await k.post(`${shop}/configmaps`, configMap('new'));
    await k.wait(601);
    const gone = await k.get(`${shop}/configmaps?limit=1&continue=${token}`);
    expect(gone.json).toMatchObject({ status: 'Failure', code: 410, reason: 'Expired' });
    const goneOn = await k.get(`${shop}/configmaps?continue=${encodeURIComponent(gone.json.metadata.continue)}`);
    expect(names(goneOn)).toEqual(['c1', 'kube-root-ca.crt', 'new']);
    expect((await k.get(`${shop}/configmaps?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)).status).toBe(410);
    const future = await k.get(`${shop}/configmaps?resourceVersion=999999&resourceVersionMatch=Exact`);
    expect(future).toMatchObject({
      status: 500,
      json: { message: expect.stringContaining('required revision is a future revision') },
    });
    expect((await k.get(`${shop}/configmaps?resourceVersion=999999`)).status).toBe(504);
    expect((await k.get(`${shop}/configmaps?resourceVersionMatch=Exact`)).status).toBe(422);
    expect((await k.get(`${shop}/configmaps?continue=nonsense`)).status).toBe(400);
  });

  test('select by labels and fields, in one namespace or in all', async () => {
    const other = await k.namespace('other');
    const labelled = (name: string, labels: object) => configMap(name, {}, { labels });
    await k.post(`${shop}/configmaps`, labelled('web', { app: 'web', tier: 'front' }));
    await k.post(`${shop}/configmaps`, labelled('api', { app: 'api' }));
    await k.post(`${other}/configmaps`, labelled('web', { app: 'web' }));
    const select = async (selector: string, kind = 'labelSelector', path = '/api/v1') =>
      (await k.get(`${path}/configmaps?${kind}=${encodeURIComponent(selector)}`)).json.items.map(
        ({ metadata }: any) => `${metadata.namespace}/${metadata.name}`,
      );
    expect(await select('app=web')).toEqual(['other/web', 'shop/web']);
    expect(await select('app in (web, api),tier')).toEqual(['shop/web']);
    expect(await select('app notin (web),app')).toEqual(['shop/api']);
    expect(await select('app,!tier', 'labelSelector', shop)).toEqual(['shop/api']);
    expect(await select('metadata.name=web,metadata.namespace!=shop', 'fieldSelector')).toEqual(['other/web']);
    expect((await k.get('/api/v1/configmaps?fieldSelector=data.a=b')).status).toBe(400);
  });

  test('the store shows every past state, in any order of writes', () => {
    const step = fc.record({
      key: fc.constantFrom('a/1', 'a/2', 'ab/1', 'b/1'),
      type: fc.constantFrom('x', 'y'),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new Store(() => 0);
        const now = new Map<string, number>();
        const past = [new Map(now)];
        for (const { key, type, gone } of steps) {
          if (gone) {
            store.remove(type, key);
            now.delete(`${type} ${key}`);
          } else now.set(`${type} ${key}`, store.put(type, key, (revision) => new Map([['r', revision]])).revision);
          past.push(new Map(now));
        }
        for (const [revision, expected] of past.entries()) {
          for (const type of ['x', 'y']) {
            const wanted = [...expected]
              .filter(([title]) => title.startsWith(`${type} a/`))
              .sort()
              .map(([title, at]) => `${title} ${at}`);
            const found = Array.from(
              store.range(type, { prefix: 'a/', revision }),
              ([key, stored]) => `${type} ${key} ${stored.revision}`,
            );
            expect(found).toEqual(wanted);
          }
        }
      }),
    );
  });
});

describe('a create', () => {
  const maps = () => `${shop}/configmaps`;

  test.each([
    [
      'a resourceVersion',
      configMap('a', {}, { resourceVersion: '5' }),
      500,
      'resourceVersion should not be set on objects to be created',
    ],
    ['another namespace', configMap('a', {}, { namespace: 'other' }), 400, 'does not match the namespace sent'],
    ['another kind', { ...configMap('a'), kind: 'Secret' }, 400, 'cannot be handled as a ConfigMap'],
    ['no kind', { metadata: { name: 'a' } }, 400, "'Kind' is missing"],
    ['no name', configMap(''), 422, 'name or generateName is required'],
    ['a bad name', configMap('No_Good'), 422, 'RFC 1123'],
    ['what is no JSON', '{"a":', 400, 'cannot be read'],
  ])('with %s is refused', async (_, body, status, message) => {
    expect(await k.post(maps(), body)).toMatchObject({
      status,
      json: { kind: 'Status', code: status, message: expect.stringContaining(message) },
    });
  });

  test('gets from the server what only a server sets', async () => {
    const sent = configMap(
      'a',
      { x: 'y' },
      {
        uid: 'mine',
        creationTimestamp: '2001-01-01T00:00:00Z',
        generation: 7,
        deletionTimestamp: '2001-01-01T00:00:00Z',
        selfLink: '/x',
        managedFields: [{ manager: 'old' }],
      },
    );
    const { json } = await k.ask('POST', maps(), { body: sent, headers: { 'user-agent': 'kubectl/v1.33' } });
    expect(json.metadata).toMatchObject({ name: 'a', namespace: 'shop', generation: 7 });
    expect(json.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(json.metadata.creationTimestamp).not.toContain('2001');
    expect(json.metadata).not.toHaveProperty('deletionTimestamp');
    expect(json.metadata).not.toHaveProperty('selfLink');
    expect(json.metadata.managedFields).toMatchObject([
      { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:data': { 'f:x': {} } } },
    ]);
  });

  test('of what exists, in no namespace or in one that is on its way out is refused', async () => {
    await k.post(maps(), configMap('a'));
    expect(await k.post(maps(), configMap('a'))).toMatchObject({
      status: 409,
      json: { reason: 'AlreadyExists', message: 'configmaps "a" already exists' },
    });
    expect(await k.post('/api/v1/namespaces/nowhere/configmaps', configMap('a'))).toMatchObject({ status: 404 });
    await k.post(maps(), configMap('held', {}, { finalizers: ['example.com/hold'] }));
    expect((await k.delete(shop)).json.status.phase).toBe('Terminating');
    expect(await k.post(maps(), configMap('b'))).toMatchObject({
      status: 403,
      json: { details: { causes: [{ reason: 'NamespaceTerminating' }] } },
    });
    const again = await k.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    expect(again).toMatchObject({ status: 409, json: { message: expect.stringContaining('object is being deleted') } });
    await k.wait(30);
    expect(names(await k.get(maps()))).toEqual(['held']);
    await k.merge(`${maps()}/held`, { metadata: { finalizers: null } });
    await k.wait(30);
    expect((await k.get(shop)).status).toBe(404);
  });

  test('drops the status of a type that has one of its own', async () => {
    const body = { ...deployment('web', { replicas: 0 }), status: { replicas: 9 } };
    const { json } = await k.post('/apis/apps/v1/namespaces/shop/deployments', body);
    expect(json).not.toHaveProperty('status');
    expect(json.metadata.generation).toBe(1);
  });

  test('may leave the end of the name to the server', async () => {
    const { json } = await k.post(maps(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'web-' } });
    expect(json.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
  });

  test('that is only a rehearsal leaves nothing behind', async () => {
    const before = k.cluster.store.revision;
    expect((await k.post(`${maps()}?dryRun=All`, configMap('a'))).status).toBe(201);
    expect((await k.get(`${maps()}/a`)).status).toBe(404);
    await k.post(maps(), configMap('b', { x: '1' }));
    const dry = await k.ask('PATCH', `${maps()}/b?dryRun=All`, {
      body: { data: { x: '2' } },
      type: 'application/merge-patch+json',
    });
    expect(dry.json.data.x).toBe('2');
    await k.delete(`${maps()}/b?dryRun=All`);
    expect((await k.get(`${maps()}/b`)).json.data.x).toBe('1');
    expect(k.cluster.store.revision).toBe(before + 1);
  });

  test('is refused where a webhook should judge it and has no backend, unless it may fail', async () => {
    const webhook = (failurePolicy: string) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'guard' },
      webhooks: [
        {
          name: 'guard.example.com',
          failurePolicy,
          clientConfig: { service: { namespace: 'shop', name: 'guard' } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
        },
      ],
    });
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    await k.post(path, webhook('Fail'));
    expect(await k.post(maps(), configMap('a'))).toMatchObject({
      status: 500,
      json: { message: expect.stringContaining('failed calling webhook "guard.example.com"') },
    });
    expect((await k.post(`${shop}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })).status).toBe(201);
    await k.apply(`${path}/guard`, 'me', webhook('Ignore'), '&force=true');
    expect((await k.post(maps(), configMap('a'))).status).toBe(201);
    await k.apply(`${path}/guard`, 'me', webhook('Fail'), '&force=true');
    await k.post(`${shop}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'guard' },
      spec: { selector: { app: 'guard' }, ports: [{ port: 443 }] },
    });
    await k.post('/apis/apps/v1/namespaces/shop/deployments', deployment('guard'));
    await k.wait(30);
    expect((await k.post(maps(), configMap('b'))).status).toBe(201);
  });
});

describe('an update', () => {
  const map = () => `${shop}/configmaps/a`;
  beforeEach(() => k.post(`${shop}/configmaps`, configMap('a', { x: '1' })));

  test('of an object that has changed meanwhile is a conflict', async () => {
    const seen = (await k.get(map())).json;
    await k.merge(map(), { data: { x: '2' } });
    expect(await k.put(map(), { ...seen, data: { x: '3' } })).toMatchObject({
      status: 409,
      json: { reason: 'Conflict', message: expect.stringContaining('the object has been modified') },
    });
    const fresh = (await k.get(map())).json;
    expect((await k.put(map(), { ...fresh, data: { x: '3' } })).json.data).toEqual({ x: '3' });
    expect((await k.put(map(), { ...configMap('a'), metadata: { name: 'a', uid: 'other' } })).status).toBe(409);
    expect((await k.put(`${shop}/configmaps/none`, configMap('none'))).status).toBe(404);
  });

  test('that changes nothing writes nothing', async () => {
    const { json, text } = await k.get(map());
    const before = k.cluster.store.revision;
    expect((await k.put(map(), json)).text).toBe(text);
    expect((await k.merge(map(), { data: { x: '1' } })).text).toBe(text);
    expect(k.cluster.store.revision).toBe(before);
  });

  test('counts a generation when what is wanted changes, and only then', async () => {
    const path = '/apis/policy/v1/namespaces/shop/poddisruptionbudgets';
    const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web' }, spec: { minAvailable: 1 } };
    await k.post(path, budget);
    await k.merge(`${path}/web`, { metadata: { labels: { a: 'b' } } });
    expect((await k.merge(`${path}/web`, { spec: { minAvailable: 2 } })).json.metadata.generation).toBe(2);
    const told = await k.merge(`${path}/web/status`, { status: { note: 1 }, spec: { minAvailable: 3 } });
    expect(told.json).toMatchObject({ metadata: { generation: 2 }, status: { note: 1 }, spec: { minAvailable: 2 } });
    expect((await k.merge(`${path}/web`, { status: { note: 2 } })).json.status.note).toBe(1);
    expect((await k.put(`${path}/web/status`, { ...budget, status: {} })).status).toBe(422);
  });

  test('of a scale changes the number alone', async () => {
    const path = '/apis/apps/v1/namespaces/shop/deployments';
    await k.post(path, deployment('web', { replicas: 0 }));
    const scale = (await k.get(`${path}/web/scale`)).json;
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 0 }, status: { selector: 'app=web' } });
    expect((await k.put(`${path}/web/scale`, { ...scale, spec: { replicas: 3 } })).json.spec.replicas).toBe(3);
    expect((await k.get(`${path}/web`)).json.spec.replicas).toBe(3);
    expect((await k.put(`${path}/web/scale`, { ...scale, spec: { replicas: 1 } })).status).toBe(409);
  });

  test('puts managedFields back that somebody kept', async () => {
    const entry = {
      manager: 'helm',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:x': {} } },
    };
    const { json } = await k.merge(map(), { metadata: { managedFields: [entry] } });
    expect(json.metadata.managedFields).toEqual([entry]);
  });

  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, storageClassName: 'none' };
  const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi: { driver: 'x', volumeHandle: 'a' } };
  const labels = { matchLabels: { app: 'other' } };
  test.each([
    [
      'a Service its address',
      `${'/api/v1/namespaces/shop/services'}`,
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'o' }, spec: { ports: [{ port: 80 }] } },
      { spec: { clusterIP: '10.100.9.9' } },
    ],
    [
      'a Deployment its selector',
      '/apis/apps/v1/namespaces/shop/deployments',
      deployment('o', { replicas: 0 }),
      { spec: { selector: labels, template: { metadata: { labels: { app: 'other' } } } } },
    ],
    [
      'a StatefulSet its service',
      '/apis/apps/v1/namespaces/shop/statefulsets',
      { ...deployment('o', { serviceName: 'o', replicas: 0 }), kind: 'StatefulSet' },
      { spec: { serviceName: 'p' } },
    ],
    [
      'a claim its modes',
      '/api/v1/namespaces/shop/persistentvolumeclaims',
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'o' }, spec: claim },
      { spec: { accessModes: ['ReadWriteMany'] } },
    ],
    [
      'a claim some of its size',
      '/api/v1/namespaces/shop/persistentvolumeclaims',
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'o' }, spec: claim },
      { spec: { resources: { requests: { storage: '1Gi' } } } },
    ],
    [
      'a volume its source',
      '/api/v1/persistentvolumes',
      { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'o' }, spec: volume },
      { spec: { csi: { volumeHandle: 'b' } } },
    ],
    [
      'a Secret its type',
      '/api/v1/namespaces/shop/secrets',
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'o' } },
      { type: 'other' },
    ],
    [
      'a ConfigMap that is immutable its content',
      '/api/v1/namespaces/shop/configmaps',
      { ...configMap('o', { a: '1' }), immutable: true },
      { data: { a: '2' } },
    ],
    [
      'a StorageClass its provisioner',
      '/apis/storage.k8s.io/v1/storageclasses',
      { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'o' }, provisioner: 'a' },
      { provisioner: 'b' },
    ],
    [
      'a RoleBinding its role',
      '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings',
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'o' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
      },
      { roleRef: { name: 'b' } },
    ],
  ])('cannot take from %s', async (_, path, object, change) => {
    expect((await k.post(path, object)).status).toBe(201);
    expect(await k.merge(`${path}/o`, change)).toMatchObject({ status: 422, json: { reason: 'Invalid' } });
  });

  test.each([
    [
      'a StatefulSet its replicas',
      '/apis/apps/v1/namespaces/shop/statefulsets',
      { ...deployment('o', { serviceName: 'o', replicas: 0 }), kind: 'StatefulSet' },
      { spec: { replicas: 1 } },
    ],
    [
      'a claim a larger size',
      '/api/v1/namespaces/shop/persistentvolumeclaims',
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'o' }, spec: claim },
      { spec: { resources: { requests: { storage: '3Gi' } } } },
    ],
    [
      'a volume its policy',
      '/api/v1/persistentvolumes',
      { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'o' }, spec: volume },
      { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
    ],
  ])('can give %s', async (_, path, object, change) => {
    await k.post(path, object);
    expect((await k.merge(`${path}/o`, change)).status).toBe(200);
  });
});

describe('a Service', () => {
  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  const post = (name: string, spec: object) => k.post(`${shop}/services`, service(name, spec));

  test('gets an address of the cluster that nobody has, and keeps one that is free', async () => {
    const { spec } = (await post('a', {})).json;
    expect(spec).toMatchObject({ type: 'ClusterIP', clusterIP: expect.stringMatching(/^10\.100\./), ipFamilies: ['IPv4'] });
    expect((await post('b', { clusterIP: '10.100.7.7' })).json.spec.clusterIPs).toEqual(['10.100.7.7']);
    expect(await post('c', { clusterIP: '10.100.7.7' })).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('provided IP is already allocated') },
    });
    expect(await post('c', { clusterIP: '172.20.0.7' })).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('not in the valid range') },
    });
    expect((await post('c', { clusterIPs: ['10.100.1.1'] })).status).toBe(422);
    expect((await post('c', { clusterIP: 'None' })).json.spec.clusterIP).toBe('None');
    const kept = await k.put(`${shop}/services/a`, service('a', { ports: [{ port: 81 }] }));
    expect(kept.json.spec.clusterIP).toBe(spec.clusterIP);
  });

  test('gets ports of the nodes that nobody has', async () => {
    const asked = (
      await post('a', {
        type: 'NodePort',
        ports: [
          { port: 80, nodePort: 30_080 },
          { name: 'b', port: 81 },
        ],
      })
    ).json.spec.ports;
    expect(asked[0].nodePort).toBe(30_080);
    expect(asked[1].nodePort).toBeGreaterThanOrEqual(30_000);
    expect(await post('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('provided port is already allocated') },
    });
    const kept = await k.put(`${shop}/services/a`, service('a', { type: 'NodePort', ports: [{ port: 80 }] }));
    expect(kept.json.spec.ports[0].nodePort).toBe(30_080);
  });
});

describe('patches', () => {
  const path = () => '/apis/apps/v1/namespaces/shop/deployments/web';
  const container = (name: string, image: string) => ({ name, image });
  beforeEach(() =>
    k.post(
      '/apis/apps/v1/namespaces/shop/deployments',
      deployment('web', { replicas: 0 }, { containers: [container('a', 'a:1'), container('b', 'b:1')] }),
    ),
  );
  const images = ({ json }: { json: any }) =>
    json.spec.template.spec.containers.map(({ name, image }: any) => `${name}=${image}`);
  const patch = (type: string, body: unknown, at = path()) => k.ask('PATCH', at, { body, type: `application/${type}+json` });

  test('that merge replace lists', async () => {
    const done = await patch('merge-patch', {
      spec: { template: { spec: { containers: [container('a', 'a:2')] } }, paused: null },
    });
    expect(images(done)).toEqual(['a=a:2']);
  });

  test('that are strategic merge lists by their keys', async () => {
    const changed = await patch('strategic-merge-patch', {
      spec: { template: { spec: { containers: [container('b', 'b:2'), container('c', 'c:1')] } } },
    });
    expect(images(changed)).toEqual(['a=a:1', 'b=b:2', 'c=c:1']);
    const gone = await patch('strategic-merge-patch', {
      spec: { template: { spec: { containers: [{ name: 'b', $patch: 'delete' }] } } },
    });
    expect(images(gone)).toEqual(['a=a:1', 'c=c:1']);
    const only = await patch('strategic-merge-patch', { metadata: { labels: { $patch: 'replace', x: 'y' } } });
    expect(only.json.metadata.labels).toEqual({ x: 'y' });
  });

  test('of JSON operate on what is there', async () => {
    const done = await patch('json-patch', [
      { op: 'test', path: '/spec/replicas', value: 0 },
      { op: 'add', path: '/metadata/labels', value: { 'a/b': '1' } },
      { op: 'copy', from: '/metadata/labels/a~1b', path: '/metadata/labels/c' },
      { op: 'move', from: '/metadata/labels/c', path: '/metadata/labels/d' },
      { op: 'add', path: '/spec/template/spec/containers/-', value: container('c', 'c:1') },
      { op: 'remove', path: '/spec/template/spec/containers/0' },
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'b:3' },
    ]);
    expect(images(done)).toEqual(['b=b:3', 'c=c:1']);
    expect(done.json.metadata.labels).toEqual({ 'a/b': '1', d: '1' });
    expect((await patch('json-patch', [{ op: 'test', path: '/spec/replicas', value: 5 }])).status).toBe(422);
    expect((await patch('json-patch', [{ op: 'replace', path: '/spec/nothing', value: 5 }])).status).toBe(422);
    expect((await patch('json-patch', [{ op: 'mend', path: '/spec' }])).status).toBe(400);
  });

  test('of a kind that nobody knows are refused', async () => {
    expect((await k.ask('PATCH', path(), { body: {}, type: 'text/plain' })).status).toBe(415);
    expect((await k.ask('POST', `${shop}/configmaps`, { body: 'x', type: 'application/vnd.kubernetes.protobuf' })).status).toBe(
      415,
    );
  });
});

describe('server-side apply', () => {
  const path = () => '/apis/apps/v1/namespaces/shop/deployments/web';
  const web = (spec: object, labels?: object) => ({
    ...deployment('web', { replicas: 0, ...spec }),
    metadata: { name: 'web', ...(labels ? { labels } : {}) },
  });
  const containers = (...list: object[]) => ({ template: { metadata: { labels: { app: 'web' } }, spec: { containers: list } } });

  test('makes what is not there and changes what is', async () => {
    expect((await k.apply(path(), 'me', web({}))).status).toBe(201);
    const { status, json } = await k.apply(path(), 'me', web({ replicas: 2 }));
    expect({ status, replicas: json.spec.replicas, generation: json.metadata.generation }).toEqual({
      status: 200,
      replicas: 2,
      generation: 2,
    });
    expect(json.metadata.managedFields.filter(({ operation }: any) => operation === 'Apply')).toHaveLength(1);
  });

  test('removes what the same manager applied before and leaves what others own', async () => {
    await k.apply(
      path(),
      'me',
      web(containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }), { mine: '1', ours: '1' }),
    );
    await k.apply(path(), 'you', {
      ...web({}, { ours: '1', yours: '1' }),
      spec: { template: { spec: { containers: [{ name: 'c', image: 'c:1' }] } } },
    });
    const { json } = await k.apply(path(), 'me', web(containers({ name: 'a', image: 'a:1' })));
    expect(json.metadata.labels).toEqual({ ours: '1', yours: '1' });
    expect(json.spec.template.spec.containers.map(({ name }: any) => name)).toEqual(['a', 'c']);
  });

  test('of a field that another has set otherwise is a conflict, unless it is forced', async () => {
    await k.apply(path(), 'you', web({ replicas: 1 }));
    const refused = await k.apply(path(), 'me', web({ replicas: 2 }));
    expect(refused).toMatchObject({
      status: 409,
      json: {
        message: 'Apply failed with 1 conflict: conflict with "you" using apps/v1: .spec.replicas',
        details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
      },
    });
    const forced = await k.apply(path(), 'me', web({ replicas: 2 }), '&force=true');
    expect(forced.json.spec.replicas).toBe(2);
    expect((await k.apply(path(), 'you', web({ replicas: 1 }))).status).toBe(409);
    const updated = await k.merge(path(), { spec: { replicas: 3 } });
    expect(updated.json.spec.replicas).toBe(3);
    expect((await k.apply(path(), 'me', web({ replicas: 2 }))).json.message).toContain('conflict with "unknown"');
  });

  test('a second time writes nothing', async () => {
    const { text } = await k.apply(path(), 'me', web(containers({ name: 'a', image: 'a:1' })));
    await k.wait(10);
    const settled = (await k.get(path())).json;
    const again = await k.apply(path(), 'me', web(containers({ name: 'a', image: 'a:1' })));
    expect(again.json.metadata.resourceVersion).toBe(settled.metadata.resourceVersion);
    expect(text).toContain('"uid"');
  });

  test('refuses what no manager may say', async () => {
    await k.apply(path(), 'me', web({}));
    const saying = (metadata: object) => ({ ...web({}), metadata: { name: 'web', ...metadata } });
    expect((await k.apply(path(), 'me', saying({ managedFields: [] }))).status).toBe(400);
    expect((await k.apply(path(), 'me', saying({ uid: 'other' }))).status).toBe(422);
    expect((await k.apply(path(), 'me', saying({ resourceVersion: '1' }))).status).toBe(409);
    expect((await k.ask('PATCH', path(), { body: web({}), type: 'application/apply-patch+yaml' })).status).toBe(422);
    expect((await k.apply('/apis/apps/v1/namespaces/shop/deployments/other', 'me', web({}))).status).toBe(400);
  });

  test('takes YAML', async () => {
    const { status, json } = await k.apply(
      `${shop}/configmaps/yaml`,
      'me',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n',
    );
    expect({ status, data: json.data }).toEqual({ status: 201, data: { a: '1' } });
  });
});

describe('a delete', () => {
  const maps = () => `${shop}/configmaps`;
  const ownedBy = (uid: string, name = 'owner', more: object = {}) => ({
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, ...more }],
  });

  test('waits for finalizers', async () => {
    await k.post(maps(), configMap('a', {}, { finalizers: ['example.com/hold'] }));
    expect((await k.delete(`${maps()}/a`)).json.metadata.deletionTimestamp).toBeTruthy();
    expect((await k.get(`${maps()}/a`)).status).toBe(200);
    await k.merge(`${maps()}/a`, { metadata: { finalizers: [] } });
    expect((await k.get(`${maps()}/a`)).status).toBe(404);
  });

  test('answers that it is done, and minds preconditions', async () => {
    const { json } = await k.post(maps(), configMap('a'));
    expect((await k.delete(`${maps()}/a`, { preconditions: { uid: 'other' } })).status).toBe(409);
    expect((await k.delete(`${maps()}/a`)).json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', uid: json.metadata.uid },
    });
    expect((await k.delete(`${maps()}/a`)).status).toBe(404);
    expect((await k.delete('/api/v1/namespaces/default')).status).toBe(403);
  });

  test('of many takes those that are selected', async () => {
    for (const [name, app] of Object.entries({ a: 'x', b: 'x', c: 'y' }))
      await k.post(maps(), configMap(name, {}, { labels: { app } }));
    expect(names(await k.delete(`${maps()}?labelSelector=app=x`))).toEqual(['a', 'b']);
    expect(own(await k.get(maps()))).toEqual(['c']);
  });

  test('takes what the object owned with it, or not', async () => {
    for (const policy of ['Background', 'Foreground', 'Orphan']) {
      const { uid } = (await k.post(maps(), configMap('owner'))).json.metadata;
      await k.post(maps(), configMap('owned', {}, ownedBy(uid, 'owner', { blockOwnerDeletion: true })));
      await k.delete(`${maps()}/owner?propagationPolicy=${policy}`);
      if (policy === 'Foreground')
        expect((await k.get(`${maps()}/owner`)).json.metadata.finalizers).toEqual(['foregroundDeletion']);
      await k.wait(5);
      expect(own(await k.get(maps()))).toEqual(policy === 'Orphan' ? ['owned'] : []);
      if (policy === 'Orphan') expect((await k.get(`${maps()}/owned`)).json.metadata).not.toHaveProperty('ownerReferences');
    }
  });

  test('comes half a second after a create whose owner never was', async () => {
    await k.post(maps(), configMap('a', {}, ownedBy('11111111-1111-4111-a111-111111111111')));
    expect((await k.get(`${maps()}/a`)).status).toBe(200);
    await k.wait(1);
    expect((await k.get(`${maps()}/a`)).status).toBe(404);
  });

  test('spares what another owner still has', async () => {
    const { uid } = (await k.post(maps(), configMap('owner'))).json.metadata;
    const dead = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '11111111-1111-4111-a111-111111111111' };
    const { ownerReferences } = ownedBy(uid);
    await k.post(maps(), configMap('a', {}, { ownerReferences: [dead, ...ownerReferences] }));
    await k.wait(2);
    expect((await k.get(`${maps()}/a`)).json.metadata.ownerReferences).toEqual(ownerReferences);
  });
});

describe('custom resources', () => {
  const definition = (versions: string[]) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'promotions.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'promotions', kind: 'Promotion', shortNames: ['promo'] },
      versions: versions.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            properties: {
              spec: {
                properties: { steps: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] } },
              },
            },
          },
        },
      })),
    },
  });
  const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const PROMOTIONS = '/apis/example.com/v1/namespaces/shop/promotions';
  const promotion = (spec: object, apiVersion = 'example.com/v1') => ({
    apiVersion,
    kind: 'Promotion',
    metadata: { name: 'a' },
    spec,
  });

  test('are served two seconds after their definition, in discovery too', async () => {
    await k.post(DEFINITIONS, definition(['v1']));
    await k.wait(1);
    expect((await k.get(PROMOTIONS)).status).toBe(404);
    await k.wait(1.5);
    expect((await k.get(PROMOTIONS)).json).toMatchObject({ kind: 'PromotionList', items: [] });
    const { status } = (await k.get(`${DEFINITIONS}/promotions.example.com`)).json;
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    expect((await k.get('/apis/example.com/v1')).json.resources.map(({ name }: any) => name)).toEqual([
      'promotions',
      'promotions/status',
    ]);
  });

  test('say what they are in lists, and go with their definition', async () => {
    await k.post(DEFINITIONS, definition(['v1']));
    await k.wait(3);
    await k.post(PROMOTIONS, promotion({ percent: 15 }));
    expect((await k.get(PROMOTIONS)).json.items[0]).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Promotion' });
    expect((await k.ask('PATCH', `${PROMOTIONS}/a`, { body: {}, type: 'application/strategic-merge-patch+json' })).status).toBe(
      415,
    );
    expect((await k.put(`${PROMOTIONS}/a`, promotion({}))).status).toBe(422);
    await k.delete(`${DEFINITIONS}/promotions.example.com`);
    await k.wait(5);
    expect((await k.get(PROMOTIONS)).status).toBe(404);
    expect((await k.get(DEFINITIONS)).json.items).toEqual([]);
  });

  test('are one object in every version, the stable one preferred', async () => {
    await k.post(DEFINITIONS, definition(['v1beta1', 'v1']));
    await k.wait(3);
    expect((await k.get('/apis/example.com')).json.preferredVersion.version).toBe('v1');
    await k.post(PROMOTIONS, promotion({ percent: 15 }));
    const older = await k.get(PROMOTIONS.replace('v1', 'v1beta1'));
    expect(older.json.items[0]).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { percent: 15 } });
  });

  test('merge lists by the keys that their schema names', async () => {
    await k.post(DEFINITIONS, definition(['v1']));
    await k.wait(3);
    await k.apply(`${PROMOTIONS}/a`, 'me', promotion({ steps: [{ id: 1, x: 'a' }], tags: ['a'] }));
    const { json } = await k.apply(`${PROMOTIONS}/a`, 'you', promotion({ steps: [{ id: 2, x: 'b' }] }));
    expect(json.spec).toEqual({
      steps: [
        { id: 1, x: 'a' },
        { id: 2, x: 'b' },
      ],
      tags: ['a'],
    });
    expect((await k.apply(`${PROMOTIONS}/a`, 'you', promotion({ tags: ['b'] }))).status).toBe(409);
  });
});

describe('who asks', () => {
  const token = (account: string, more = '') => {
    const url = `https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=${encodeURIComponent(`${account}/20261122/us-east-1/sts/aws4_request`)}${more}`;
    return { headers: { authorization: `Bearer k8s-aws-v1.${Buffer.from(url).toString('base64url')}` } };
  };
  const STRANGER = '999999999999';
  const PRINCIPAL = `arn:aws:iam::${STRANGER}:role/vault`;
  const policy = (name: string) => `arn:aws:eks::aws:cluster-access-policy/${name}`;

  test('is known by a presigned request of the account that has the cluster', async () => {
    expect((await k.ask('GET', shop, token(HOME.account))).status).toBe(200);
    expect((await k.ask('GET', shop, token(HOME.account, '&x-k8s-aws-id=shop'))).status).toBe(200);
    expect((await k.ask('GET', shop, token(HOME.account, '&x-k8s-aws-id=other'))).status).toBe(401);
    expect((await k.ask('GET', shop, { headers: { authorization: 'Bearer nonsense' } })).status).toBe(401);
  });

  test('is nobody a quarter of an hour after that request was signed', async () => {
    const date = new Date(k.world.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const dated = token(HOME.account, `&X-Amz-Date=${date}&X-Amz-Expires=60`);
    await k.wait(14 * 60);
    expect((await k.ask('GET', shop, dated)).status).toBe(200);
    await k.wait(62);
    expect(await k.ask('GET', shop, dated)).toMatchObject({ status: 401, json: { reason: 'Unauthorized' } });
  });

  test('of another account needs an access entry, and may do what its policies say', async () => {
    const ask = (method: string, path: string, body?: unknown) =>
      k.ask(method, path, { ...token(STRANGER), ...(body ? { body } : {}) });
    const entry = { clusterName: 'shop', principalArn: PRINCIPAL };
    expect((await ask('GET', shop)).status).toBe(401);
    await k.call('eks', 'CreateAccessEntry', entry);
    expect(await ask('GET', `${shop}/configmaps`)).toMatchObject({ status: 403, json: { reason: 'Forbidden' } });
    await k.call('eks', 'AssociateAccessPolicy', {
      ...entry,
      policyArn: policy('AmazonEKSViewPolicy'),
      accessScope: { type: 'namespace', namespaces: ['shop'] },
    });
    expect((await ask('GET', `${shop}/configmaps`)).status).toBe(200);
    expect((await ask('POST', `${shop}/configmaps`, configMap('a'))).status).toBe(403);
    expect((await ask('GET', '/api/v1/nodes')).status).toBe(403);
    await k.call('eks', 'AssociateAccessPolicy', {
      ...entry,
      policyArn: policy('AmazonEKSClusterAdminPolicy'),
      accessScope: { type: 'cluster' },
    });
    expect((await ask('POST', `${shop}/configmaps`, configMap('a'))).status).toBe(201);
  });
});

describe('the rest of the API', () => {
  test('says its version, and that it is alive', async () => {
    expect((await k.get('/version')).json).toMatchObject({ major: '1', minor: '33' });
    expect((await k.get('/readyz')).text).toBe('ok');
  });

  test('names what it does not do', async () => {
    expect(await k.get(`${shop}/configmaps?watch=true`)).toMatchObject({
      status: 501,
      json: { reason: 'NotImplemented', message: expect.stringContaining('watches') },
    });
    expect(await k.get(`${shop}/pods/a/log`)).toMatchObject({
      status: 501,
      json: { message: expect.stringContaining('pods/log') },
    });
    expect((await k.get('/apis/metrics.k8s.io/v1beta1/nodes')).status).toBe(404);
    expect((await k.get('/api/v1/namespaces/shop/nodes')).status).toBe(404);
    expect((await k.post('/api/v1/configmaps', configMap('a'))).status).toBe(405);
    expect((await k.ask('GET', shop, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).status).toBe(406);
  });

  test('does not answer where the region is dark, or the cluster is not there', async () => {
    const { name } = k;
    k.world.dark.add(HOME.region);
    await expect(k.get(shop)).rejects.toMatchObject({ name: 'ConnectionLost' });
    k.world.dark.clear();
    Object.assign(k, { name: 'other' });
    await expect(k.get(shop)).rejects.toMatchObject({ name: 'ConnectionLost' });
    Object.assign(k, { name });
  });

  test('is under the same faults and in the same journal as everything else', async () => {
    const lost = { when: 'after', answer: 'silence' } as const;
    k.world.faults = ({ service, operation }) =>
      service === 'kubernetes' && operation === 'create configmaps' ? lost : undefined;
    await expect(k.post(`${shop}/configmaps`, configMap('a'))).rejects.toMatchObject({ name: 'ConnectionLost' });
    k.world.faults = () => ({ when: 'before', answer: { code: 'ThrottlingException', message: 'Rate exceeded', status: 400 } });
    expect(await k.get(shop)).toMatchObject({ status: 429, json: { reason: 'TooManyRequests' } });
    k.world.faults = () => undefined;
    expect((await k.get(`${shop}/configmaps/a`)).status).toBe(200);
    expect(k.world.journal.entries.at(-1)).toMatchObject({
      service: 'kubernetes',
      operation: 'get configmaps',
      outcome: 'ok',
      place: HOME,
    });
  });

  test('comes out the same for the same seed', async () => {
    const again = await bench();
    await again.namespace('shop');
    for (const one of [k, again]) {
      await one.post('/apis/apps/v1/namespaces/shop/deployments', deployment('web', { replicas: 3 }));
      await one.wait(60);
    }
    expect((await again.get('/api/v1/pods')).text).toBe((await k.get('/api/v1/pods')).text);
    expect(again.world.journal.digest()).toBe(k.world.journal.digest());
  });
});
