import type { EventsState } from '../../local/services/events/state.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import { HOME, type Stage, WEST } from '../world.ts';
import { call, copiedAgain, copyDied, died, ended, fetched, reconciled, restored, type Scenario, swept } from './playing.ts';
import { allIsWell, busyAtFirst, noRoomAtFirst } from './shortages.ts';

const BY_SNAPSHOT = { outlast: { by: 'snapshot', every: 'hourly' } } as const;
const MATERIALISED = { outlast: { by: 'materialise', every: 'hourly' } } as const;

/** Subnets of the shop's own, and a security group there. */
async function otherNetwork(stand: Stage): Promise<object> {
  const subnets = stand.shop.subnetsAt(HOME);
  const { Subnets } = await call(stand, HOME, 'ec2', 'DescribeSubnets', { SubnetIds: subnets });
  const group = { GroupName: 'restored', Description: 'restored', VpcId: Subnets[0].VpcId };
  const { GroupId } = await call(stand, HOME, 'ec2', 'CreateSecurityGroup', group);
  return { subnets, securityGroups: [GroupId] };
}

async function deleteTables(stand: Stage): Promise<void> {
  const { TableNames } = await call(stand, HOME, 'dynamodb', 'ListTables', {});
  for (const TableName of TableNames) {
    await call(stand, HOME, 'dynamodb', 'UpdateTable', { TableName, DeletionProtectionEnabled: false });
    await stand.advance(60);
    await call(stand, HOME, 'dynamodb', 'DeleteTable', { TableName });
  }
  await stand.advance(600);
}

/** Every image loses the tags that the shop gave it, as when a pipeline tidies up: only what we hold them by is left. */
async function untagImages(stand: Stage, place: typeof HOME): Promise<void> {
  const { repositories } = await call(stand, place, 'ecr', 'DescribeRepositories', {});
  for (const { repositoryName } of repositories) {
    await call(stand, place, 'ecr', 'PutImageTagMutability', { repositoryName, imageTagMutability: 'MUTABLE' });
    await call(stand, place, 'ecr', 'BatchDeleteImage', { repositoryName, imageIds: [{ imageTag: '2026.11.3' }] });
  }
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a point is taken, copied, and restored in both places': {
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
      await reconciled(stand, HOME);
      await reconciled(stand, WEST);
    },
  },
  'schedules, events and a pipeline ask for points': {
    schedules: true,
    async play(stand) {
      await ended(stand, stand.start(HOME, 'gate', { application: 'shop', policy: 'hourly' }));
      stand.world.state<EventsState>('events', HOME).emit({
        source: 'aws.codepipeline',
        'detail-type': 'CodePipeline Pipeline Execution State Change',
        detail: { state: 'STARTED', pipeline: 'p', 'execution-id': 'e' },
      });
      await stand.advance(2 * 3600);
    },
  },
  'databases outlast their logs by what the log gives, as files too': {
    policy: { ...MATERIALISED, exports: true },
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'databases outlast their logs by snapshots': {
    policy: BY_SNAPSHOT,
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'a point that cannot be sealed is abandoned, and its snapshots go': {
    failing: 'protect-seal',
    furnished: true,
    policy: BY_SNAPSHOT,
    async play(stand) {
      await ended(stand, stand.startProtect(), 'FAILED');
      await untagImages(stand, HOME);
      await swept(stand, HOME);
    },
  },
  'a copy that cannot be sealed is abandoned, and its snapshots go': {
    failing: 'replicate-seal',
    furnished: true,
    policy: BY_SNAPSHOT,
    async play(stand) {
      await ended(stand, stand.startProtect());
      await untagImages(stand, WEST);
      await swept(stand, WEST);
    },
  },
  'what was not announced is fetched': {
    play: (stand) => fetched(stand, WEST),
  },
  'what died is finished': {
    furnished: true,
    policy: MATERIALISED,
    async play(stand) {
      await died(stand, stand.startProtect({}, 'dying'), 1800);
      await swept(stand, HOME);
    },
  },
  'what died is asked for again': {
    async play(stand) {
      const due = new Date(Math.floor(stand.world.clock.now() / 1000) * 1000).toISOString();
      await died(stand, stand.startProtect({ due }, 'dying'), 20);
      await stand.advance(48 * 3600);
      await ended(stand, stand.startProtect({ due }));
      await stand.replicated(WEST);
    },
  },
  'a copy that died is finished': {
    async play(stand) {
      await copyDied(stand, WEST);
      await swept(stand, WEST);
    },
  },
  'a copy that died is asked for again': {
    play: (stand) => copiedAgain(stand, WEST),
  },
  'whatever can be set is brought back, out of logs, where there is room and where there is none at first': {
    furnished: true,
    policy: { keep: { hourly: 12 } },
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      for (const [name, place] of Object.entries({ undo: HOME, west: WEST })) {
        await restored(stand, place, name);
        noRoomAtFirst(stand);
        await restored(stand, place, `${name}-again`, { namespaces: { shop: `${name}-again` } });
        allIsWell(stand);
      }
    },
  },
  'the same out of snapshots, for which there is no room at first either': {
    furnished: true,
    policy: BY_SNAPSHOT,
    async play(stand) {
      await ended(stand, stand.startProtect());
      noRoomAtFirst(stand);
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'home alone keeps it, and tables that were deleted come back': {
    furnished: true,
    policy: { keep: { hourly: 12 }, vaults: [] },
    async play(stand) {
      await ended(stand, stand.startProtect());
      const target = await otherNetwork(stand);
      await restored(stand, HOME, 'one', { target });
      noRoomAtFirst(stand);
      await restored(stand, HOME, 'two', { target });
      allIsWell(stand);
      await deleteTables(stand);
      await restored(stand, HOME, 'three');
      noRoomAtFirst(stand);
      await restored(stand, HOME, 'four');
    },
  },
  'steps die before they note what they have begun, and clusters are busy': {
    dying: ['protect-settle', 'replicate-settle', 'restore-provision', 'restore-settle'],
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      busyAtFirst(stand);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'the freeze is held until the uploads are captured': {
    uploads: 'hold',
    application: { freeze: { function: 'shop-freeze', leaseSeconds: 300 } },
    async play(stand) {
      Object.assign(stand.world.state('backup', HOME) as object, { startSeconds: [20, 30], workSeconds: [60, 90] });
      await ended(stand, stand.startProtect());
    },
  },
  'the uploads are captured less often than the rest, and the log comes late to the vault': {
    uploads: { cadenceSeconds: 12 * 3600 },
    async play(stand) {
      const { backups } = stand.world.state<RdsState>('rds', WEST);
      for (const [id, backup] of backups) backups.set(id, { ...backup, lagMillis: 3_000_000 });
      await ended(stand, stand.startProtect());
      await stand.advance(3600);
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST, 2);
    },
  },
  'nobody replicates images, and a tag is named that nothing runs': {
    async prepare(world) {
      await call(world, HOME, 'ecr', 'PutReplicationConfiguration', { replicationConfiguration: { rules: [] } });
      const { repositories } = await call(world, WEST, 'ecr', 'DescribeRepositories', {});
      for (const { repositoryName } of repositories)
        await call(world, WEST, 'ecr', 'DeleteRepository', { repositoryName, force: true });
    },
    async play(stand) {
      const image = `${HOME.account}.dkr.ecr.${HOME.region}.amazonaws.com/shop/web:2026.11.3`;
      await stand.settle(stand.shop.clusterAt(HOME)!.apply(nightly(image)));
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
    },
  },
};

/** Names an image that has not run yet. */
const nightly = (image: string) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly', namespace: 'shop' },
  spec: {
    schedule: '0 3 * * *',
    suspend: true,
    jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'nightly', image }] } } } },
  },
});
