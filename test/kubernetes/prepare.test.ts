import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Permanent } from '../../functions/aws/errors.ts';
import { packObjects, unpackObjects } from '../../functions/kinds/application/eks-namespace/bundle.ts';
import { releasesOf } from '../../functions/kinds/application/eks-namespace/helm.ts';
import { type Prepared, type Preparing, prepare } from '../../functions/kinds/application/eks-namespace/prepare.ts';
import { read, titleOf } from '../../functions/kubernetes/object.ts';
import { hasSamples, liveObjects } from './retail-store.ts';

const HOME = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };
const header = { part: 'manifests', cluster: 'c', namespace: 'n', revision: '7', restorePoint: 's/1', cut: 'cut-1' } as const;

describe.skipIf(!hasSamples)('a real shop, as its server sent it', () => {
  const objects = hasSamples ? liveObjects() : [];
  const disks = new Map([
    ['vol-0a1b2c3d4e5f60001', { id: 'vol-0fffffffffff60001', zone: 'eu-west-1a', gibibytes: 10 }],
    ['vol-0a1b2c3d4e5f60002', { id: 'vol-0fffffffffff60002', zone: 'eu-west-1a', gibibytes: 8 }],
  ]);
  const options: Preparing = {
    namespace: 'retail-store',
    namespaces: { 'retail-store': 'retail-dr' },
    restore: 'r1',
    home: HOME,
    target: WEST,
    renames: [...disks].map(([was, { id }]) => ({ was, is: id, what: 'volume' })),
    disks,
    foreseen: false,
    members: new Set(),
    pins: new Map(),
  };
  const { waves, notes, problems, binds, reclaims } = prepare(objects, options);
  const made = new Map(waves.flatMap(({ objects: some }) => some).map((object) => [titleOf(object), object] as const));
  const at = (title: string) => read((made.get(title) as Prepared).text);

  test('comes out of a bundle byte by byte as it went in', () => {
    const back = unpackObjects(packObjects(header, objects));
    const key = ({ type, name, raw }: (typeof objects)[number]) => `${type.kind} ${name} ${raw}`;
    expect(back.map(key).sort()).toEqual(objects.map(key).sort());
    expect(Buffer.from(packObjects(header, back.toReversed()))).toEqual(Buffer.from(packObjects(header, objects)));
  });

  test('loses what comes again by itself, and says so', () => {
    expect(
      [...made.keys()].filter((title) => /^(Pod|ReplicaSet|ControllerRevision|EndpointSlice|Endpoints) /.test(title)),
    ).toEqual([]);
    expect([...made.keys()].filter((title) => title.includes('kube-root-ca.crt'))).toEqual([]);
    expect(notes.filter((note) => note.startsWith('left out: Pod'))).toHaveLength(1);
    expect(made.size).toBe(
      objects.filter(
        ({ type, name }) =>
          !/^(Pod|ReplicaSet|ControllerRevision|EndpointSlice|Endpoints)$/.test(type.kind) &&
          !/^(kube-root|openshift-service)-ca\.crt$/.test(name) &&
          !(type.kind === 'ServiceAccount' && name === 'default'),
      ).length,
    );
  });

  test('is all in its new namespace, and nothing says the old one', () => {
    expect(problems).toEqual([]);
    for (const [title, { text, namespace, type }] of made) {
      expect(namespace, title).toBe(type.namespaced ? 'retail-dr' : undefined);
      const { metadata, ...rest } = read(text);
      const {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = {} as Record<string, string>,
        ...more
      } = metadata ?? {};
      expect(JSON.stringify({ annotations, rest }), title).not.toMatch(
        /namespace":"retail-store"|\.retail-store(?![\w-])|release-namespace":"retail-store"/,
      );
      expect(more, title).not.toHaveProperty('uid');
      expect(more, title).not.toHaveProperty('managedFields');
      expect(read(text), title).not.toHaveProperty('status');
    }
    expect(at('Namespace retail-dr').metadata?.labels?.['kubernetes.io/metadata.name']).toBe('retail-dr');
  });

  test('has its claims on the restored volumes', () => {
    expect(binds).toEqual([
      'retail-store/data-orders-postgresql-0 → pvc-orders-postgresql-r1 → vol-0fffffffffff60001',
      'retail-store/data-orders-rabbitmq-0 → pvc-orders-rabbitmq-r1 → vol-0fffffffffff60002',
    ]);
    expect(reclaims).toEqual([
      { name: 'pvc-orders-postgresql-r1', policy: 'Delete' },
      { name: 'pvc-orders-rabbitmq-r1', policy: 'Delete' },
    ]);
    const pv = at('PersistentVolume pvc-orders-postgresql-r1');
    expect(pv['spec']).toMatchObject({ csi: { volumeHandle: 'vol-0fffffffffff60001' }, persistentVolumeReclaimPolicy: 'Retain' });
    expect(pv['spec'].claimRef).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: 'retail-dr',
      name: 'data-orders-postgresql-0',
    });
    expect(at('PersistentVolumeClaim retail-dr/data-orders-postgresql-0')['spec'].volumeName).toBe('pvc-orders-postgresql-r1');
  });

  test('has Helm releases that belong to the new namespace, whatever they remember', () => {
    const release = at('Secret retail-dr/sh.helm.release.v1.retail-store.v2');
    const inner = Buffer.from(Buffer.from(release['data'].release, 'base64').toString(), 'base64');
    const record = JSON.parse(gunzipSync(inner).toString());
    expect(record.namespace).toBe('retail-dr');
    expect(record.manifest).not.toMatch(/namespace: *["']?retail-store["']?$/m);
    expect(releasesOf(objects)).toEqual([expect.objectContaining({ name: 'retail-store', revision: 2, status: 'deployed' })]);
  });

  test('says which strings still name the lost place, and no secret', () => {
    const suspicious = notes.filter((note) => note.startsWith('suspicious:'));
    expect(suspicious.join('\n')).toMatch(/ConfigMap .*us-east-1/);
    const passwords = objects
      .filter(({ type }) => type.kind === 'Secret')
      .flatMap(({ raw }) => Object.entries(read(raw)['data'] as Record<string, string>))
      .filter(([key]) => /PASSWORD|release/.test(key))
      .flatMap(([, value]) => [value, Buffer.from(value, 'base64').toString()]);
    expect(passwords.length).toBeGreaterThan(2);
    for (const password of passwords) expect(notes.join('\n')).not.toContain(password);
  });

  test('refuses to come back without its volumes, and foresees them in a plan', () => {
    const without = prepare(objects, { ...options, renames: [], disks: new Map() });
    expect(without.problems).toHaveLength(2);
    expect(without.problems[0]).toMatch(
      /data-orders-postgresql-0 was on vol-0a1b2c3d4e5f60001, which this restore has not brought back/,
    );
    const vanished = prepare(objects, { ...options, disks: new Map() });
    expect(vanished.problems[0]).toMatch(/became vol-0fffffffffff60001, and that is not there/);
    const foreseen = prepare(objects, { ...options, renames: [], disks: new Map(), foreseen: true });
    expect(foreseen.problems).toEqual([]);
    expect(foreseen.binds[0]).toMatch(/→ what vol-0a1b2c3d4e5f60001 becomes$/);
  });
});

describe('a claim on a file system', () => {
  const pv = {
    metadata: { name: 'uploads', uid: 'u' },
    spec: {
      claimRef: { namespace: 'shop', name: 'uploads' },
      csi: { driver: 'efs.csi.aws.com', volumeHandle: 'fs-0a1b2c3d4e5f60001::fsap-0a1b2c3d4e5f60002' },
    },
  };
  const objects = [
    {
      type: { group: '', version: 'v1', resource: 'persistentvolumes', kind: 'PersistentVolume', namespaced: false, verbs: [] },
      name: 'uploads',
      raw: JSON.stringify(pv),
    },
  ];
  const options: Preparing = {
    namespace: 'shop',
    namespaces: {},
    restore: 'r1',
    home: HOME,
    target: WEST,
    renames: [],
    disks: new Map(),
    foreseen: true,
    members: new Set(['fs-0a1b2c3d4e5f60001']),
    pins: new Map(),
  };

  test('is bound to what the file system and its access point become, and foreseen in a plan', () => {
    expect(prepare(objects, options).binds).toEqual(['shop/uploads → uploads-r1 → what fs-0a1b2c3d4e5f60001 becomes']);
    const renames = [
      { was: 'fs-0a1b2c3d4e5f60001', is: 'fs-0fffffffffff60001', what: 'file system' },
      { was: 'fsap-0a1b2c3d4e5f60002', is: 'fsap-0fffffffffff60002', what: 'access point' },
    ];
    const { binds, notes, waves } = prepare(objects, { ...options, renames, foreseen: false });
    expect(binds).toEqual(['shop/uploads → uploads-r1 → fs-0fffffffffff60001']);
    expect(notes.filter((note) => !note.startsWith('changed:'))).toEqual([]);
    const [made] = waves.flatMap(({ objects: some }) => some);
    expect(read(made!.text)['spec'].csi.volumeHandle).toBe('fs-0fffffffffff60001::fsap-0fffffffffff60002');
  });

  test('is empty where the file system is no member, and the plan says so', () => {
    const { binds, notes } = prepare(objects, { ...options, members: new Set() });
    expect(binds).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/^not brought back: what claim shop\/uploads kept on efs.csi.aws.com fs-.* is empty\.$/),
    ]);
  });
});

test('a bundle that was cut short is refused', () => {
  const type = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: [] };
  const bytes = packObjects(header, [{ type, name: 'a', namespace: 'n', raw: '{"é":"😀\\n"}' }]);
  expect(unpackObjects(bytes)[0]?.raw).toBe('{"é":"😀\\n"}');
  expect(() => unpackObjects(bytes.subarray(0, bytes.length - 3))).toThrow(Permanent);
  expect(() => unpackObjects(Buffer.from('{"format":"other"}\n'))).toThrow(Permanent);
});
