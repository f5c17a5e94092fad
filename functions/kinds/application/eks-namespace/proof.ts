import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Ask, type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { splitList } from '../../../kubernetes/list.ts';
import { NAMESPACES, pathOf, read } from '../../../kubernetes/object.ts';
import { RESTORE_LABEL } from '../../../kubernetes/transform.ts';
import { dataBucket, sha256 } from '../../../vault/layout.ts';
import { inParallel } from '../../items.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { LAWS, lawsCluster } from '../laws-cluster.ts';
import { namespaceId, namespaceOf } from './namespace.ts';

type Connecting = Door<typeof connecting>;

/** One namespace with what is easily lost: numbers beyond 2^53, odd keys, sealed values, a type of its own, rights, something that runs. */
async function seed(aws: Connecting, { name }: Seed, scene: Scene): Promise<Seeded> {
  const cluster = await connect(aws, LAWS, scene);
  for (const [path, body] of seeds(name)) await make(cluster, path, body);
  await waitFor(scene.clock, `Type Widget`, async () => (await cluster.find('/apis/proof.example.com/v1/widgets')) && true);
  await make(cluster, `/apis/proof.example.com/v1/namespaces/${name}/widgets`, WIDGET);
  await waitFor(scene.clock, `Deployment ${name}/web`, async () => {
    const { status } = read((await cluster.get(`/apis/apps/v1/namespaces/${name}/deployments/web`)).text);
    return status?.availableReplicas === 1 || undefined;
  });
  return { ids: [namespaceId(cluster.arn, name)], scope: { cluster: LAWS, namespaces: [name] } };
}

const WIDGET =
  '{"apiVersion":"proof.example.com/v1","kind":"Widget","metadata":{"name":"edge"},"spec":{"zeta":1,"alpha":{"big":9007199254740993,"min":-9223372036854775808,"one":1.0,"tiny":0.10},"__proto__":{"polluted":true},"html":"<a>&\\u2028"}}';

function seeds(name: string): [string, string][] {
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: {
      serviceAccountName: 'web',
      containers: [{ name: 'web', image: 'nginx:1.27', env: [{ name: 'PEER', value: `web.${name}.svc:80` }] }],
    },
  };
  const core = (kind: string, metadata: object, more: object) => JSON.stringify({ apiVersion: 'v1', kind, metadata, ...more });
  const at = (resource: string) => `/api/v1/namespaces/${name}/${resource}`;
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(DEFINITION)],
    ['/api/v1/namespaces', core('Namespace', { name, labels: { team: 'proof' } }, {})],
    [at('configmaps'), core('ConfigMap', { name: 'settings' }, { data: { 'b.txt': 'line\n\ttab é 😀', a: '', TABLE: 'carts' } })],
    [
      at('secrets'),
      core('Secret', { name: 'password' }, { type: 'Opaque', data: { password: 'c2FtcGxlLW9ubHk=', bytes: '/wD+' } }),
    ],
    [at('serviceaccounts'), core('ServiceAccount', { name: 'web' }, {})],
    [
      `${rbac}/${name}/roles`,
      JSON.stringify({
        apiVersion,
        kind: 'Role',
        metadata: { name: 'reads' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
      }),
    ],
    [
      `${rbac}/${name}/rolebindings`,
      JSON.stringify({
        apiVersion,
        kind: 'RoleBinding',
        metadata: { name: 'web-reads' },
        subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: name }],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reads' },
      }),
    ],
    [
      at('services'),
      core(
        'Service',
        { name: 'web' },
        { spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] } },
      ),
    ],
    [
      `/apis/apps/v1/namespaces/${name}/deployments`,
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', labels },
        spec: { replicas: 1, selector: { matchLabels: labels }, template },
      }),
    ],
  ];
}

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.proof.example.com' },
  spec: {
    group: 'proof.example.com',
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

/** Makes what may be there already. */
async function make(cluster: Cluster, path: string, body: string): Promise<void> {
  const ask: Ask = { method: 'POST', path, body };
  const reply = await cluster.ask(ask);
  if (reply.status >= 400 && reply.status !== 409) throw cluster.refusal(ask, reply);
}

async function must(cluster: Cluster, ask: Ask): Promise<void> {
  const reply = await cluster.ask(ask);
  if (reply.status >= 400) throw cluster.refusal(ask, reply);
}

/** What people write in such a namespace. */
const TYPES = [
  '/api/v1/namespaces/NAME/configmaps',
  '/api/v1/namespaces/NAME/secrets',
  '/api/v1/namespaces/NAME/services',
  '/api/v1/namespaces/NAME/serviceaccounts',
  '/apis/apps/v1/namespaces/NAME/deployments',
  '/apis/rbac.authorization.k8s.io/v1/namespaces/NAME/roles',
  '/apis/rbac.authorization.k8s.io/v1/namespaces/NAME/rolebindings',
  '/apis/proof.example.com/v1/namespaces/NAME/widgets',
];

async function fingerprint(aws: Connecting, id: string, scene: Scene): Promise<string> {
  const { namespace } = namespaceOf(id);
  const cluster = await connect(aws, namespaceOf(id).cluster, scene);
  const itself = (await cluster.get(pathOf(NAMESPACES, undefined, namespace))).text;
  const lists = await inParallel(
    TYPES,
    4,
    async (path) => splitList((await cluster.get(path.replace('NAME', namespace))).text).items,
  );
  const objects = [itself, ...lists.flat()].filter((text) => read(text).metadata?.name !== 'kube-root-ca.crt');
  return sha256(
    objects
      .map((text) => canonical(text, namespace))
      .sort()
      .join('\n'),
  );
}

/** What a server sets, and what a restore must set anew. */
const SET = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  RESTORE_LABEL,
  'deployment.kubernetes.io/revision',
  'clusterIP',
  'clusterIPs',
  'ipFamilies',
  'status',
]);

/** One text for all ways to say the same: keys sorted, numbers as they are spelt, the namespace's own name taken out. */
function canonical(text: string, namespace: string): string {
  const spelt = (_: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? `#${context?.source ?? value}` : value;
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value === 'string') return value.replaceAll(namespace, 'NAMESPACE');
    if (value === null || typeof value !== 'object') return value;
    return Object.entries(value)
      .filter(([key]) => !SET.has(key))
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .filter(([, inner]) => !isEmpty(inner))
      .sort(([one], [other]) => (one < other ? -1 : 1));
  };
  return JSON.stringify(sorted(JSON.parse(text, spelt)));
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

export default proof({
  prepare: lawsCluster,
  seed: verb(connecting, seed),
  mutate: verb(connecting, async (aws, id, scene) => {
    const { namespace, cluster: name } = namespaceOf(id);
    const cluster = await connect(aws, name, scene);
    const at = `/api/v1/namespaces/${namespace}`;
    const settings = `${at}/configmaps/settings`;
    await must(cluster, {
      method: 'PATCH',
      path: settings,
      body: '{"data":{"TABLE":"others"}}',
      contentType: 'application/merge-patch+json',
    });
    await make(
      cluster,
      `${at}/configmaps`,
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `late-${scene.clock.random(8)}` } }),
    );
    const password = JSON.stringify({ data: { password: Buffer.from(scene.clock.random(8)).toString('base64') } });
    await must(cluster, {
      method: 'PATCH',
      path: `${at}/secrets/password`,
      body: password,
      contentType: 'application/merge-patch+json',
    });
  }),
  fingerprint: verb(connecting, fingerprint),
  destroy: verb(connecting, async (aws, id, scene) => {
    const { namespace, cluster: name } = namespaceOf(id);
    const cluster = await connect(aws, name, scene);
    const path = pathOf(NAMESPACES, undefined, namespace);
    const reply = await cluster.ask({ method: 'DELETE', path });
    if (reply.status >= 400 && reply.status !== 404) throw cluster.refusal({ method: 'DELETE', path }, reply);
    await waitFor(scene.clock, `The end of namespace ${namespace}`, async () => ((await cluster.find(path)) ? undefined : true));
  }),
  /** What someone else keeps in the same bucket, under a key of their own. */
  foreign: verb({ put: calls('s3', S3Client).again(PutObjectCommand) }, async (aws, id, { here }) => {
    const Bucket = dataBucket(here);
    const Key = `reports/${namespaceOf(id).namespace}/manifests.json`;
    await aws.put({ Bucket, Key, Body: '{}' });
    return `arn:aws:s3:::${Bucket}/${Key}`;
  }),
});
