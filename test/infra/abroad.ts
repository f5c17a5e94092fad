import { KEY_ALIAS } from '../../demo/shop/region.ts';
import type { World } from '../../local/world/world.ts';
import { HOME, SAFE, type Stage } from '../world.ts';
import { call, copiedAgain, ended, fetched, reconciled, type Scenario, swept } from './playing.ts';
import { allIsWell, noRoomAtFirst } from './shortages.ts';

/** An Aurora cluster of the shop's, under its key. */
async function aurora(world: World): Promise<void> {
  await call(world, HOME, 'rds', 'CreateDBCluster', {
    DBClusterIdentifier: 'shop-loyalty',
    Engine: 'aurora-postgresql',
    EngineVersion: '16.4',
    MasterUsername: 'shop',
    MasterUserPassword: 'simulated-password',
    StorageEncrypted: true,
    KmsKeyId: KEY_ALIAS,
    BackupRetentionPeriod: 7,
    Tags: [{ Key: 'app', Value: 'shop' }],
  });
  await world.clock.advance(3600_000);
}

/** An object that is copied in parts, and one that bears tags. */
async function objects(world: World): Promise<void> {
  const Bucket = 'shop-media-111122223333-us-east-1';
  await call(world, HOME, 's3', 'PutObject', { Bucket, Key: 'film.mp4', Body: new Uint8Array(100_000_001) });
  await call(world, HOME, 's3', 'PutObject', { Bucket, Key: 'tagged.txt', Body: new Uint8Array(1), Tagging: 'a=b' });
}

const copied = async (stand: Stage): Promise<void> => {
  await ended(stand, stand.startProtect());
  await stand.replicated(SAFE);
};

/** What a vault in an account of its own does of which home is a part: copies, in every way that there is. */
export const ABROAD: Readonly<Record<string, Scenario>> = {
  'a point is copied into another account, out of snapshots, with files, where there is no room at first': {
    vault: SAFE,
    async prepare(world) {
      await aurora(world);
      await objects(world);
    },
    policy: { outlast: { by: 'snapshot', every: 'hourly' }, exports: true },
    async play(stand) {
      noRoomAtFirst(stand);
      await copied(stand);
      allIsWell(stand);
    },
  },
  'databases that are logs at home are materialised, and a step dies before it notes what it has begun': {
    vault: SAFE,
    prepare: aurora,
    dying: ['replicate-copy', 'replicate-settle'],
    play: copied,
  },
  'what was not announced to another account is fetched': {
    vault: SAFE,
    play: (stand) => fetched(stand, SAFE),
  },
  'a copy in another account that cannot be sealed is abandoned': {
    vault: SAFE,
    failing: 'replicate-seal',
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.advance(6 * 3600);
      await reconciled(stand, SAFE);
      await swept(stand, SAFE);
    },
  },
  'a copy in another account that died is asked for again': {
    vault: SAFE,
    play: (stand) => copiedAgain(stand, SAFE),
  },
};
