import { beforeEach, describe, expect, test } from 'vitest';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import { type Bench, bench, configMap, deployment, HOME, podSpec } from './cluster.ts';

let k: Bench;
let shop: string;
const APPS = '/apis/apps/v1/namespaces/shop';

beforeEach(async () => {
  k = await bench();
  shop = await k.namespace('shop');
});

const items = async (path: string): Promise<any[]> => (await k.get(path)).json.items;
const pods = () => items(`${shop}/pods`);
const phases = async () => (await pods()).map(({ metadata, status }) => `${metadata.name} ${status.phase}`);
const events = async (name: string) =>
  (await items(`${shop}/events`))
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ reason, message }) => `${reason}: ${message}`);
const isReady = ({ status }: any): boolean =>
  (status.conditions ?? []).some(({ type, status }: any) => type === 'Ready' && status === 'True');

const pod = (name: string, spec: object = podSpec(), labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec,
});

describe('volumes', () => {
  const REQUEST = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const claim = (spec: object = {}, annotations: object = {}, name = 'data') => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, annotations },
    spec: { ...REQUEST, storageClassName: '', ...spec },
  });
  const volume = (spec: object = {}, annotations: object = {}, name = 'pv') => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'vol-1' },
      ...spec,
    },
  });
  const claimRef = (more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: 'shop',
    name: 'data',
    ...more,
  });
  const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' };

  const make = async (...objects: any[]) => {
    for (const object of objects) {
      const path = object.kind === 'PersistentVolume' ? '/api/v1/persistentvolumes' : `${shop}/persistentvolumeclaims`;
      expect((await k.post(path, object)).status).toBe(201);
      await k.wait(1);
    }
  };
  const claimNow = async (name = 'data') => (await k.get(`${shop}/persistentvolumeclaims/${name}`)).json;
  const volumeNow = async (name = 'pv') => (await k.get(`/api/v1/persistentvolumes/${name}`)).json;
  const both = async () => [(await volumeNow())?.status?.phase, (await claimNow()).status.phase];
  const disks = () => k.world.state<Ec2State>('ec2', HOME).volumes;
  const disk = async (zone = 'us-east-1a'): Promise<string> => {
    const { VolumeId } = await k.call('ec2', 'CreateVolume', { AvailabilityZone: zone, Size: 1, VolumeType: 'gp3' });
    await k.wait(30);
    return VolumeId;
  };

  test.each([
    [
      'a volume that means the claim, then the claim',
      [volume({ claimRef: claimRef() }), claim({ volumeName: 'pv' })],
      ['Bound', 'Bound'],
    ],
    ['a claim that means the volume, then the volume', [claim({ volumeName: 'pv' }), volume()], ['Bound', 'Bound']],
    [
      'classes that differ, where both mean each other',
      [volume({ claimRef: claimRef(), storageClassName: 'gp2' }), claim({ volumeName: 'pv', storageClassName: 'gp3' })],
      ['Bound', 'Bound'],
    ],
    [
      'classes that differ, where only the claim means the volume',
      [volume({ storageClassName: 'gp2' }), claim({ volumeName: 'pv', storageClassName: 'gp3' })],
      ['Available', 'Pending'],
    ],
    ['a volume that is too small', [volume({ capacity: { storage: '512Mi' } }), claim()], ['Available', 'Pending']],
    ['a volume that fits', [volume(), claim()], ['Bound', 'Bound']],
    [
      'a volume that holds on to another claim of that name',
      [volume({ claimRef: claimRef({ uid: 'old' }) }), claim({ volumeName: 'pv' })],
      ['Released', 'Pending'],
    ],
    [
      'a claim that says it is bound and comes first',
      [claim({ volumeName: 'pv' }, BOUND), volume({ claimRef: claimRef() })],
      ['Available', 'Lost'],
    ],
    [
      'a claim that says it is bound to a volume that is free',
      [volume(), claim({ volumeName: 'pv' }, BOUND)],
      ['Bound', 'Bound'],
    ],
  ])('%s', async (_, objects, expected) => {
    await make(...objects);
    await k.wait(60);
    expect(await both()).toEqual(expected);
  });

  test('that are bound name each other, and say who found whom', async () => {
    await make(volume(), claim());
    const { metadata, spec, status } = await claimNow();
    expect(spec.volumeName).toBe('pv');
    expect(metadata.annotations).toEqual({ ...BOUND, 'pv.kubernetes.io/bound-by-controller': 'yes' });
    expect(status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } });
    expect((await volumeNow()).spec.claimRef).toMatchObject({ namespace: 'shop', name: 'data', uid: metadata.uid });
  });

  test('whose claim is deleted keep their disk or lose it, by their policy', async () => {
    for (const persistentVolumeReclaimPolicy of ['Retain', 'Delete']) {
      const id = await disk();
      const csi = { driver: 'ebs.csi.aws.com', volumeHandle: id };
      await make(
        volume({ csi, persistentVolumeReclaimPolicy }, { 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com' }),
        claim(),
      );
      await k.delete(`${shop}/persistentvolumeclaims/data`);
      await k.wait(10);
      expect(disks().has(id)).toBe(persistentVolumeReclaimPolicy === 'Retain');
      expect((await volumeNow())?.status?.phase).toBe(persistentVolumeReclaimPolicy === 'Retain' ? 'Released' : undefined);
      await k.delete('/api/v1/persistentvolumes/pv');
      await k.wait(5);
      expect((await k.get('/api/v1/persistentvolumes/pv')).status).toBe(404);
    }
  });

  test('with the uid of a claim that is gone lose their disk at once where the policy says Delete', async () => {
    const id = await disk();
    const csi = { driver: 'ebs.csi.aws.com', volumeHandle: id };
    const stale = { csi, persistentVolumeReclaimPolicy: 'Delete', claimRef: claimRef({ uid: 'old' }) };
    await make(volume(stale, { 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com' }));
    await k.wait(10);
    expect(disks().has(id)).toBe(false);
  });

  test('that nobody provisioned cannot be deleted, and fail', async () => {
    const id = await disk();
    const csi = { driver: 'ebs.csi.aws.com', volumeHandle: id };
    await make(volume({ csi, persistentVolumeReclaimPolicy: 'Delete', claimRef: claimRef({ uid: 'old' }) }));
    await k.wait(10);
    expect([(await volumeNow()).status.phase, disks().has(id)]).toEqual(['Failed', true]);
  });

  const storageClass = (more: object = {}) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'gp3', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'ebs.csi.aws.com',
    parameters: { type: 'gp3', iops: '4000', throughput: '200' },
    ...more,
  });
  const usesData = podSpec('redis:7', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] });

  test('are provided for by the default class, as the driver makes and tags them', async () => {
    await k.post('/apis/storage.k8s.io/v1/storageclasses', storageClass());
    await make({ ...claim(), spec: { ...REQUEST, resources: { requests: { storage: '2500Mi' } } } });
    await k.wait(30);
    const { metadata, spec } = await claimNow();
    const made = await volumeNow(spec.volumeName);
    const ebs = disks().get(made.spec.csi.volumeHandle)!;
    expect(ebs).toMatchObject({ size: 3, type: 'gp3', iops: 4000, throughput: 200 });
    expect(ebs.tags).toMatchObject({
      'ebs.csi.aws.com/cluster': 'true',
      'kubernetes.io/created-for/pvc/name': 'data',
      CSIVolumeName: `pvc-${metadata.uid}`,
    });
    expect(made).toMatchObject({
      spec: { persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '3Gi' } },
      status: { phase: 'Bound' },
    });
    expect(made.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values).toEqual([ebs.zone]);
    await k.delete(`${shop}/persistentvolumeclaims/data`);
    await k.wait(10);
    expect(disks().size).toBe(0);
    expect(await items('/api/v1/persistentvolumes')).toEqual([]);
  });

  test('are made where their first consumer goes, and not before', async () => {
    await k.post('/apis/storage.k8s.io/v1/storageclasses', storageClass({ volumeBindingMode: 'WaitForFirstConsumer' }));
    await make({ ...claim(), spec: REQUEST });
    await k.wait(60);
    expect((await claimNow()).status.phase).toBe('Pending');
    await k.post(`${shop}/pods`, pod('user', { ...usesData, nodeSelector: { 'topology.kubernetes.io/zone': 'us-east-1b' } }));
    await k.wait(60);
    expect(await phases()).toEqual(['user Running']);
    expect([...disks().values()].map(({ zone }) => zone)).toEqual(['us-east-1b']);
  });

  test('of a provisioner that is not there are waited for', async () => {
    await k.post('/apis/storage.k8s.io/v1/storageclasses', storageClass({ provisioner: 'example.com/none' }));
    await make({ ...claim(), spec: REQUEST });
    await k.wait(5);
    expect(await events('data')).toEqual([expect.stringContaining("external provisioner 'example.com/none'")]);
  });

  test('that a Pod uses outlive their deletion', async () => {
    const id = await disk();
    await make(volume({ csi: { driver: 'ebs.csi.aws.com', volumeHandle: id } }), claim());
    await k.post(`${shop}/pods`, pod('user', usesData));
    await k.wait(60);
    expect(await phases()).toEqual(['user Running']);
    await k.delete(`${shop}/persistentvolumeclaims/data`);
    await k.delete('/api/v1/persistentvolumes/pv');
    await k.wait(60);
    expect(await both()).toEqual(['Bound', 'Bound']);
    await k.delete(`${shop}/pods/user`);
    await k.wait(10);
    expect((await k.get(`${shop}/persistentvolumeclaims/data`)).status).toBe(404);
    expect((await k.get('/api/v1/persistentvolumes/pv')).status).toBe(404);
  });

  test.each([
    ['is not in the region', async () => 'vol-0123456789abcdef0', 'does not exist in us-east-1', []],
    ['is in another zone than its node', () => disk('us-east-1c'), 'ZoneMismatch', ['us-east-1a']],
  ])('whose disk %s keep their Pod waiting, and it says why', async (_, id, why, zones) => {
    const term = { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: zones }] };
    const nodeAffinity = zones.length > 0 ? { nodeAffinity: { required: { nodeSelectorTerms: [term] } } } : {};
    await make(volume({ csi: { driver: 'ebs.csi.aws.com', volumeHandle: await id() }, ...nodeAffinity }), claim());
    await k.post(`${shop}/pods`, pod('user', usesData));
    await k.wait(120);
    const [waiting] = await pods();
    expect(waiting.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating', message: expect.stringContaining(why) } } }],
    });
    expect(await events('user')).toEqual([expect.stringMatching(`^FailedAttachVolume: .*${why}`)]);
  });

  test('that no node can reach leave their Pod unscheduled', async () => {
    const term = { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-west-1a'] }] };
    await make(volume({ nodeAffinity: { required: { nodeSelectorTerms: [term] } } }), claim());
    await k.post(`${shop}/pods`, pod('user', usesData));
    await k.wait(10);
    const [waiting] = await pods();
    expect(waiting.status.conditions).toMatchObject([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: expect.stringContaining('volume node affinity conflict'),
      },
    ]);
  });
});

describe('Pods', () => {
  const account = HOME.account;
  const image = `${account}.dkr.ecr.us-east-1.amazonaws.com/shop/web:1`;
  const push = async () => {
    await k.call('ecr', 'CreateRepository', { repositoryName: 'shop/web' });
    const { image } = await k.call('ecr', 'PutImage', {
      repositoryName: 'shop/web',
      imageTag: '1',
      imageManifest: '{"schemaVersion":2}',
    });
    return image.imageId.imageDigest as string;
  };
  const statusOf = async (name: string) => (await k.get(`${shop}/pods/${name}`)).json.status;

  test('run when their image is in its registry, and say by which digest', async () => {
    await k.post(`${shop}/pods`, pod('web', podSpec(image)));
    await k.wait(30);
    expect(await statusOf('web')).toMatchObject({
      phase: 'Pending',
      containerStatuses: [
        { ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: expect.stringContaining('not found') } } },
      ],
    });
    const digest = await push();
    await k.wait(120);
    expect(await statusOf('web')).toMatchObject({
      phase: 'Running',
      podIP: expect.stringMatching(/^10\.0\./),
      containerStatuses: [{ ready: true, imageID: `${account}.dkr.ecr.us-east-1.amazonaws.com/shop/web@${digest}` }],
    });
  });

  test('cannot pull from a region that is dark', async () => {
    const standby = { account, region: 'eu-west-1' };
    await k.call('ecr', 'CreateRepository', { repositoryName: 'shop/web' }, standby);
    await k.call('ecr', 'PutImage', { repositoryName: 'shop/web', imageTag: '1', imageManifest: '{}' }, standby);
    k.world.dark.add('eu-west-1');
    await k.post(`${shop}/pods`, pod('web', podSpec(image.replace('us-east-1', 'eu-west-1'))));
    await k.wait(60);
    expect((await statusOf('web')).containerStatuses[0].state.waiting.message).toContain('i/o timeout');
    k.world.dark.clear();
    await k.wait(120);
    expect((await statusOf('web')).phase).toBe('Running');
  });

  test.each([
    ['redis', 'docker.io/library/redis'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis'],
    ['quay.io/a/b/c:1@sha256:' + 'a'.repeat(64), 'quay.io/a/b/c'],
    ['localhost:5000/a:1', 'localhost:5000/a'],
  ])('find %s in a registry that has everything', async (name, repository) => {
    await k.post(`${shop}/pods`, pod('web', podSpec(name)));
    await k.wait(10);
    const [{ imageID }] = (await statusOf('web')).containerStatuses;
    expect(imageID).toMatch(new RegExp(`^${repository}@sha256:[0-9a-f]{64}$`));
    if (name.includes('@')) expect(imageID).toBe(`${repository}@${name.split('@')[1]}`);
  });

  test('wait for the settings that they name', async () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'none', key: 'b', optional: true } } },
    ];
    await k.post(
      `${shop}/pods`,
      pod('web', {
        containers: [{ name: 'main', image: 'redis', env }],
        volumes: [{ name: 'v', secret: { secretName: 'password' } }],
      }),
    );
    await k.wait(10);
    expect((await statusOf('web')).containerStatuses[0].state.waiting.message).toContain('secret "password" not found');
    await k.post(`${shop}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password' } });
    await k.wait(30);
    expect((await statusOf('web')).containerStatuses[0].state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "settings" not found',
    });
    await k.post(`${shop}/configmaps`, configMap('settings', { other: '1' }));
    await k.wait(60);
    expect((await statusOf('web')).containerStatuses[0].state.waiting.message).toContain("couldn't find key a");
    await k.merge(`${shop}/configmaps/settings`, { data: { a: '1' } });
    await k.wait(200);
    expect((await statusOf('web')).phase).toBe('Running');
  });

  test('need their ServiceAccount and their class, and get a token', async () => {
    expect(await k.post(`${shop}/pods`, pod('web', podSpec('redis', { serviceAccountName: 'none' })))).toMatchObject({
      status: 403,
      json: { message: expect.stringContaining('serviceaccount "none" not found') },
    });
    expect((await k.post(`${shop}/pods`, pod('web', podSpec('redis', { priorityClassName: 'none' })))).status).toBe(403);
    expect((await k.post(`${shop}/pods`, pod('web', podSpec('redis', { priority: 7 })))).status).toBe(403);
    const { spec } = (await k.post(`${shop}/pods`, pod('web', podSpec('redis', { priorityClassName: 'system-node-critical' }))))
      .json;
    expect(spec).toMatchObject({ serviceAccountName: 'default', priority: 2_000_001_000 });
    expect(spec.volumes[0].name).toMatch(/^kube-api-access-/);
    expect(spec.containers[0].volumeMounts[0].name).toBe(spec.volumes[0].name);
  });

  test('are asked to stop before they go, unless nobody has started them', async () => {
    await k.post(`${shop}/pods`, pod('web'));
    await k.post(`${shop}/pods`, pod('stuck', podSpec('redis', { nodeSelector: { no: 'where' } })));
    await k.wait(30);
    await k.delete(`${shop}/pods/stuck`);
    expect((await k.get(`${shop}/pods/stuck`)).status).toBe(404);
    expect((await k.delete(`${shop}/pods/web`)).json.metadata).toMatchObject({
      deletionGracePeriodSeconds: 30,
      deletionTimestamp: expect.any(String),
    });
    expect((await k.get(`${shop}/pods/web`)).status).toBe(200);
    await k.wait(5);
    expect((await k.get(`${shop}/pods/web`)).status).toBe(404);
  });
});

describe('workloads', () => {
  test('a Deployment keeps its Pods, and rolls to a new template', async () => {
    await k.post(`${APPS}/deployments`, deployment('web', { replicas: 2 }));
    await k.wait(30);
    expect((await k.get(`${APPS}/deployments/web`)).json.status).toMatchObject({
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      updatedReplicas: 2,
      observedGeneration: 1,
    });
    const [first] = await pods();
    await k.delete(`${shop}/pods/${first.metadata.name}`);
    await k.wait(30);
    expect((await pods()).filter(isReady)).toHaveLength(2);
    expect((await pods()).map(({ metadata }) => metadata.name)).not.toContain(first.metadata.name);

    await k.ask('PATCH', `${APPS}/deployments/web`, {
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'redis:8' }],
      type: 'application/json-patch+json',
    });
    await k.wait(60);
    expect((await pods()).map(({ spec }) => spec.containers[0].image)).toEqual(['redis:8', 'redis:8']);
    const sets = await items(`${APPS}/replicasets`);
    expect(sets.map(({ spec }) => spec.replicas).sort()).toEqual([0, 2]);
    expect((await k.get(`${APPS}/deployments/web`)).json.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '2',
    });
  });

  test('a template that comes back finds its ReplicaSet by the same name', async () => {
    await k.post(`${APPS}/deployments`, deployment('web'));
    await k.wait(20);
    const [before] = await items(`${APPS}/replicasets`);
    await k.delete(`${APPS}/deployments/web`);
    await k.wait(20);
    expect(await items(`${APPS}/replicasets`)).toEqual([]);
    expect(await pods()).toEqual([]);
    await k.post(`${APPS}/deployments`, deployment('web'));
    await k.wait(20);
    expect((await items(`${APPS}/replicasets`))[0].metadata.name).toBe(before.metadata.name);
  });

  test('a Deployment whose ServiceAccount comes later catches up', async () => {
    await k.post(`${APPS}/deployments`, deployment('web', {}, podSpec('redis', { serviceAccountName: 'late' })));
    await k.wait(5);
    expect(await pods()).toEqual([]);
    await k.post(`${shop}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'late' } });
    await k.wait(30);
    expect((await pods()).filter(isReady)).toHaveLength(1);
  });

  const statefulSet = (more: object = {}) => ({
    ...deployment('db', {
      serviceName: 'db',
      replicas: 3,
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gp2', resources: { requests: { storage: '1Gi' } } },
        },
      ],
      ...more,
    }),
    kind: 'StatefulSet',
  });

  test('a StatefulSet makes its Pods one after the other, each with a claim of its own', async () => {
    await k.post(`${APPS}/statefulsets`, statefulSet());
    const seen: string[] = [];
    for (let i = 0; i < 120 && !seen.at(-1)?.startsWith('db-0 Running,db-1 Running,db-2 Running'); i++) {
      await k.wait(1);
      const now = (await phases()).join();
      if (now !== seen.at(-1)) seen.push(now);
    }
    expect(seen).toEqual([
      'db-0 Pending',
      'db-0 Running,db-1 Pending',
      'db-0 Running,db-1 Running,db-2 Pending',
      'db-0 Running,db-1 Running,db-2 Running',
    ]);
    const claims = await items(`${shop}/persistentvolumeclaims`);
    expect(claims.map(({ metadata, status }) => `${metadata.name} ${status.phase}`)).toEqual(
      [0, 1, 2].map((i) => `data-db-${i} Bound`),
    );
    await k.merge(`${APPS}/statefulsets/db`, { spec: { replicas: 1 } });
    await k.wait(30);
    expect(await phases()).toEqual(['db-0 Running']);
    expect(await items(`${shop}/persistentvolumeclaims`)).toHaveLength(3);
    expect((await items(`${APPS}/controllerrevisions`)).map(({ revision }) => revision)).toEqual([1]);
  });

  test('a StatefulSet uses a claim that is there', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data-db-0', labels: { restored: 'yes' } },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gp2', resources: { requests: { storage: '1Gi' } } },
    };
    const { uid } = (await k.post(`${shop}/persistentvolumeclaims`, claim)).json.metadata;
    await k.post(`${APPS}/statefulsets`, statefulSet({ replicas: 1 }));
    await k.wait(60);
    expect(await phases()).toEqual(['db-0 Running']);
    expect((await k.get(`${shop}/persistentvolumeclaims/data-db-0`)).json.metadata.uid).toBe(uid);
  });

  test('a StatefulSet takes a new template from the last Pod to the first', async () => {
    await k.post(`${APPS}/statefulsets`, statefulSet({ podManagementPolicy: 'Parallel', volumeClaimTemplates: [] }));
    await k.wait(30);
    const before = await pods();
    await k.ask('PATCH', `${APPS}/statefulsets/db`, {
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'redis:8' }],
      type: 'application/json-patch+json',
    });
    await k.wait(2);
    const uidOf = ({ metadata }: any) => metadata.uid;
    expect((await pods()).map((one, i) => uidOf(one) === uidOf(before[i]))).toEqual([true, true, false]);
    await k.wait(120);
    const after = await pods();
    expect(after.map(({ spec }) => spec.containers[0].image)).toEqual(['redis:8', 'redis:8', 'redis:8']);
    expect(uidOf(after[0])).not.toBe(uidOf(before[0]));
    expect((await k.get(`${APPS}/statefulsets/db`)).json.status).toMatchObject({ readyReplicas: 3, updatedReplicas: 3 });
  });

  test('a DaemonSet has one Pod on each node', async () => {
    await k.post(`${APPS}/daemonsets`, { ...deployment('agent'), kind: 'DaemonSet' });
    await k.wait(30);
    expect(new Set((await pods()).filter(isReady).map(({ spec }) => spec.nodeName)).size).toBe(3);
    expect((await k.get(`${APPS}/daemonsets/agent`)).json.status).toMatchObject({ desiredNumberScheduled: 3, numberReady: 3 });
  });

  const job = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } } };

  test('a Job runs until it has enough', async () => {
    await k.post('/apis/batch/v1/namespaces/shop/jobs', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: { ...job, completions: 3, parallelism: 2 },
    });
    await k.wait(3);
    expect(await pods()).toHaveLength(2);
    await k.wait(120);
    expect((await pods()).map(({ status }) => status.phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    const { status, spec, metadata } = (await k.get('/apis/batch/v1/namespaces/shop/jobs/once')).json;
    expect(status).toMatchObject({ succeeded: 3, completionTime: expect.any(String) });
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'True' }));
    expect(spec.selector.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': metadata.uid });
  });

  test.each([
    ['in its template', { template: { ...job.template, metadata: { labels: { 'controller-uid': 'old' } } } }],
    ['of another name', { template: { ...job.template, metadata: { labels: { 'job-name': 'twice' } } } }],
    ['in its selector', { ...job, selector: { matchLabels: { 'controller-uid': 'old' } } }],
  ])('a Job that bears the marks of another %s is refused', async (_, spec) => {
    const body = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec };
    expect((await k.post('/apis/batch/v1/namespaces/shop/jobs', body)).status).toBe(422);
    const manual = { ...body, spec: { ...spec, manualSelector: true } };
    expect((await k.post('/apis/batch/v1/namespaces/shop/jobs', manual)).status).toBe('selector' in spec ? 422 : 201);
  });

  test('a CronJob makes Jobs by its schedule, and keeps the last three', async () => {
    await k.post('/apis/batch/v1/namespaces/shop/cronjobs', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'tick' },
      spec: { schedule: '*/10 * * * *', jobTemplate: { spec: job } },
    });
    await k.wait(3600);
    const jobs = await items('/apis/batch/v1/namespaces/shop/jobs');
    expect(jobs.map(({ metadata }) => (Number(metadata.name.split('-')[1]) * 60) % 600)).toEqual([0, 0, 0]);
    await k.merge('/apis/batch/v1/namespaces/shop/cronjobs/tick', { spec: { suspend: true } });
    await k.wait(3600);
    expect((await items('/apis/batch/v1/namespaces/shop/jobs')).map(({ metadata }) => metadata.name)).toEqual(
      jobs.map(({ metadata }) => metadata.name),
    );
  });

  test('a Service knows the Pods behind it', async () => {
    await k.post(`${shop}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    await k.wait(1);
    expect((await k.get(`${shop}/endpoints/web`)).json).not.toHaveProperty('subsets');
    await k.post(`${APPS}/deployments`, deployment('web', { replicas: 2 }));
    await k.wait(30);
    const addresses = (await pods()).map(({ status }) => status.podIP);
    const [subset] = (await k.get(`${shop}/endpoints/web`)).json.subsets;
    expect(subset.addresses.map(({ ip }: any) => ip).sort()).toEqual(addresses.sort());
    expect(subset.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    const [slice] = await items('/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices');
    expect(slice.endpoints).toHaveLength(2);
    await k.delete(`${shop}/services/web`);
    await k.wait(5);
    expect((await k.get(`${shop}/endpoints/web`)).status).toBe(404);
    expect(await items('/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices')).toEqual([]);
  });
});

describe('namespaces', () => {
  test('have an account and a certificate, and get them again', async () => {
    expect((await k.get(`${shop}/serviceaccounts/default`)).status).toBe(200);
    await k.delete(`${shop}/configmaps/kube-root-ca.crt`);
    await k.wait(1);
    expect((await k.get(`${shop}/configmaps/kube-root-ca.crt`)).json.data['ca.crt']).toContain('BEGIN CERTIFICATE');
  });

  test('are gone when everything in them is', async () => {
    await k.post(`${APPS}/deployments`, deployment('web', { replicas: 2 }));
    await k.wait(30);
    await k.delete(shop);
    await k.wait(30);
    expect((await k.get(shop)).status).toBe(404);
    expect(await items('/api/v1/pods')).toEqual([]);
  });

  test('fill in the tokens of their accounts, and refuse those of others', async () => {
    const secret = (name: string, annotations: object) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, annotations: { 'kubernetes.io/service-account.name': 'default', ...annotations } },
      type: 'kubernetes.io/service-account-token',
    });
    await k.post(`${shop}/secrets`, secret('good', {}));
    await k.post(`${shop}/secrets`, secret('stale', { 'kubernetes.io/service-account.uid': 'old' }));
    await k.wait(2);
    expect(Object.keys((await k.get(`${shop}/secrets/good`)).json.data)).toEqual(['token', 'ca.crt', 'namespace']);
    expect((await k.get(`${shop}/secrets/stale`)).status).toBe(404);
  });
});
