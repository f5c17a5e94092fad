import { describe, expect, test } from 'vitest';
import { Document } from '../../functions/kubernetes/document.ts';
import { bytesOf, isEbs, rebindClaim, rebindVolume, sourceOf } from '../../functions/kubernetes/volumes.ts';

const DISK = { id: 'vol-0ffffffffffff0001', zone: 'eu-west-1b', gibibytes: 10 };

const pv = {
  metadata: {
    name: 'pvc-1',
    annotations: { 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com', 'pv.kubernetes.io/bound-by-controller': 'yes' },
    labels: { 'topology.kubernetes.io/zone': 'us-east-1a', 'topology.kubernetes.io/region': 'us-east-1', mine: 'us-east-1a' },
    finalizers: ['kubernetes.io/pv-protection', 'external-attacher/ebs-csi-aws-com', 'example.com/mine'],
  },
  spec: {
    capacity: { storage: '10Gi' },
    csi: {
      driver: 'ebs.csi.aws.com',
      volumeHandle: 'vol-0a1b2c3d4e5f60001',
      fsType: 'xfs',
      volumeAttributes: { 'storage.kubernetes.io/csiProvisionerIdentity': '1-8081-ebs', partition: '1' },
    },
    claimRef: { kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data-db-0', uid: 'dead', resourceVersion: '7' },
    persistentVolumeReclaimPolicy: 'Delete',
    storageClassName: 'gp3',
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'topology.ebs.csi.aws.com/zone', operator: 'In', values: ['us-east-1a'] },
              { key: 'disk', operator: 'Exists' },
            ],
          },
        ],
      },
    },
  },
};

const rebound = (volume: object, disk = DISK) => {
  const doc = new Document(JSON.stringify(volume));
  rebindVolume(doc, volume, { name: 'pvc-1-r1', claim: { namespace: 'shop-r1', name: 'data-db-0' }, disk });
  return JSON.parse(String(doc));
};

describe('a restored volume', () => {
  const made = rebound(pv);

  test('names its claim and none of its old ids, or it would be Released at once', () => {
    expect(made.spec.claimRef).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: 'shop-r1',
      name: 'data-db-0',
    });
    expect(made.metadata.name).toBe('pvc-1-r1');
  });

  test('is over the restored disk, in its zone, and keeps other demands on its node', () => {
    expect(made.spec.csi).toEqual({
      driver: 'ebs.csi.aws.com',
      volumeHandle: DISK.id,
      fsType: 'xfs',
      volumeAttributes: { partition: '1' },
    });
    expect(made.spec.nodeAffinity.required.nodeSelectorTerms).toEqual([
      {
        matchExpressions: [
          { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-west-1b'] },
          { key: 'disk', operator: 'Exists' },
        ],
      },
    ]);
    expect(made.metadata.labels).toEqual({
      'topology.kubernetes.io/zone': 'eu-west-1b',
      'topology.kubernetes.io/region': 'eu-west-1',
      mine: 'us-east-1a',
    });
  });

  test('is kept whatever happens to its claim, and remembers what it was', () => {
    expect(made.spec.persistentVolumeReclaimPolicy).toBe('Retain');
    expect(made.metadata.annotations).toEqual({
      'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com',
      'stillpoint/reclaim-policy': 'Delete',
    });
    expect(made.metadata.finalizers).toEqual(['example.com/mine']);
  });

  test('is as large as its disk is', () => {
    expect(made.spec.capacity.storage).toBe('10Gi');
    expect(rebound(pv, { ...DISK, gibibytes: 12 }).spec.capacity.storage).toBe('12Gi');
  });

  test('leaves the tree for the CSI driver', () => {
    const inTree = {
      metadata: {
        name: 'old',
        annotations: { 'pv.kubernetes.io/provisioned-by': 'kubernetes.io/aws-ebs', 'pv.kubernetes.io/migrated-to': 'x' },
      },
      spec: {
        capacity: { storage: '10Gi' },
        awsElasticBlockStore: { volumeID: 'aws://us-east-1a/vol-0a1b2c3d4e5f60001', fsType: 'ext4', partition: 2 },
      },
    };
    expect(sourceOf(inTree)).toEqual({ driver: 'ebs.csi.aws.com', handle: 'vol-0a1b2c3d4e5f60001' });
    const made = rebound(inTree);
    expect(made.spec.awsElasticBlockStore).toBeUndefined();
    expect(made.spec.csi).toEqual({
      driver: 'ebs.csi.aws.com',
      volumeHandle: DISK.id,
      fsType: 'ext4',
      volumeAttributes: { partition: '2' },
    });
    expect(made.metadata.annotations).toEqual({ 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com' });
  });
});

describe('a restored claim', () => {
  const claim = {
    metadata: {
      name: 'data-db-0',
      annotations: {
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
        'volume.kubernetes.io/selected-node': 'ip-10-0-0-1',
        'volume.beta.kubernetes.io/storage-provisioner': 'ebs.csi.aws.com',
        mine: '1',
      },
      finalizers: ['kubernetes.io/pvc-protection'],
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '20Gi' } },
      storageClassName: 'gp3',
      volumeName: 'pvc-1',
      dataSource: { kind: 'VolumeSnapshot', name: 's' },
      selector: { matchLabels: { a: 'b' } },
    },
  };
  const made = (volume?: { name: string; gibibytes?: number }) => {
    const doc = new Document(JSON.stringify(claim));
    rebindClaim(doc, volume);
    return JSON.parse(String(doc));
  };

  test('does not say that it is bound, or it would be Lost for ever', () => {
    expect(made({ name: 'pvc-1-r1' }).metadata).toEqual({ name: 'data-db-0', annotations: { mine: '1' } });
  });

  test('names its volume, and asks for no more than that has', () => {
    expect(made({ name: 'pvc-1-r1', gibibytes: 10 }).spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '10Gi' } },
      storageClassName: 'gp3',
      volumeName: 'pvc-1-r1',
    });
  });

  test('without a volume is one for its class to provide for', () => {
    expect(made().spec.volumeName).toBeUndefined();
    expect(made().spec.selector).toEqual({ matchLabels: { a: 'b' } });
  });
});

test.each([
  ['10Gi', 10 * 2 ** 30],
  ['1.5Ki', 1536],
  ['3', 3],
  ['2G', 2e9],
  ['x', undefined],
  ['1e3', undefined],
  [undefined, undefined],
])('%s is %s bytes', (quantity, bytes) => expect(bytesOf(quantity)).toBe(bytes));

test('only EBS is EBS', () => {
  expect(isEbs(sourceOf({ spec: { csi: { driver: 'efs.csi.aws.com', volumeHandle: 'fs-1' } } }))).toBe(false);
  expect(sourceOf({ spec: { hostPath: { path: '/x' } } })).toBeUndefined();
});
