import { describe, expect, it } from 'vitest';
import { start } from '../../local/index.ts';
import { serviceRole } from '../local/roles.ts';
import { hasPython, python } from './python.ts';

const hasBoto3 = hasPython('boto3', 'databases, file systems and images in two regions');

/** Snapshots, backups and images are made in one region, copied into another and had back there, by a client that shares no code with the wire. */
describe.skipIf(!hasBoto3)('an outsider with boto3, in two regions', () => {
  it('copies and restores databases, file systems and images', { timeout: 120_000 }, async () => {
    const { world, url, close } = await start({ speed: 0 });
    await serviceRole(world, '111122223333', 'backups', 'backup.amazonaws.com');
    try {
      expect(await python('regions.py', url)).toEqual(EXPECTED);
    } finally {
      await close();
    }
  });
});

const EXPECTED = {
  instances: {
    named: 'orders',
    tags: [{ Key: 'app', Value: 'shop' }],
    keyless: 'InvalidParameterCombination',
    back: {
      'from-snapshot': {
        rows: [
          [1, 'one'],
          [2, 'two'],
        ],
        underAwaysKey: true,
        endpoint: true,
      },
      'from-log': { rows: [], underAwaysKey: true, endpoint: true },
    },
    tooEarly: 'InvalidRestoreFault',
    missing: 'DBInstanceNotFound',
    twice: 'DBSnapshotAlreadyExists',
  },
  clusters: {
    without: 'DatabaseUnavailableException',
    members: [],
    writer: true,
    silent: 'BadRequestException',
    rows: [
      [1, 5],
      [2, 7],
    ],
    full: 'InvalidDBClusterStateFault',
  },
  backups: {
    created: 'CREATED',
    listed: ['COMPLETED'],
    ofHome: 'eu-west-1',
    status: 'COMPLETED',
    made: [true],
    photo: 'picture',
    missing: 'ResourceNotFoundException',
  },
  images: {
    registry: '111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/web',
    sameDigest: [true],
    tags: ['v1'],
    sameManifest: true,
    layer: 7000,
    goneAtHome: [],
    missing: 'RepositoryNotFoundException',
  },
};
