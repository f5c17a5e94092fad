import { CopySnapshotCommand, EC2Client, LockSnapshotCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { instant } from '../../../aws/clock.ts';
import { when, whenLost } from '../../../aws/errors.ts';
import { stamped } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Item, otherAccount, pointId } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { failing, handleOf, inParallel } from '../../items.ts';
import { type CopyWork, done, failed, type Passage, type Started, started, waiting } from '../../kind.ts';
import { describing, ENCRYPTING, findSnapshots, listSnapshots, snapshotTags } from './snapshots.ts';

const { once, again } = calls('ec2', EC2Client);

/** No client token, and the SDK signs a request for the source region by itself (EC2 API, CopySnapshot). */
const copying = {
  copySnapshot: once(CopySnapshotCommand, { also: ['ec2:CreateTags', ...ENCRYPTING] }),
  /** Home lets the vault's account at the one snapshot; whether at its key too, the key's owner says (EBS guide, "Share a snapshot"). */
  shareSnapshot: again(ModifySnapshotAttributeCommand, { at: 'home', only: 'across accounts' }),
  ...describing,
};
const locking = { lockSnapshot: again(LockSnapshotCommand), ...describing };

/** Concurrent copies into one region (EBS quotas: 20, raised only through Support). */
const CONCURRENT = 20;
const TRY_AGAIN_MILLIS = 60_000;

type Handle = { readonly snapshot: string };

/** Pulled: called where the vault is, under the vault's key. A copy bears none of the original's tags and no lock until we set them. */
export const copy: Passage<CopyWork, Artifact> = {
  waits: true,
  start: verb(copying, async (aws, works: readonly CopyWork[], scene): Promise<Item<Artifact>[]> => {
    let full = false;
    return inParallel(works, CONCURRENT, async (work) => {
      if (full) return quota(work, scene);
      const item = await pull(aws, work, scene);
      if (item.state === 'waiting') full = true;
      return item;
    });
  }),

  settle: verb(locking, async (aws, works: readonly Started<CopyWork>[]): Promise<Item<Artifact>[]> => {
    const found = await findSnapshots(
      aws,
      works.map((work) => handleOf<Handle>(work).snapshot),
    );
    return Promise.all(
      works.map(async (work) => {
        const { snapshot: id } = handleOf<Handle>(work);
        const { State, StateMessage, Progress, KmsKeyId, Encrypted } = found.get(id) ?? {};
        if (State === 'completed') return finish(aws, work, id, { encrypted: Encrypted ?? true, kmsKeyId: KmsKeyId ?? null });
        if (State === 'error')
          return failed(work.resource.id, `Its copy ${id} failed: ${StateMessage || 'AWS gives no reason'}.`);
        return started(
          work.resource.id,
          work.handle,
          `${id} ${State === undefined ? 'does not show up yet' : `is at ${Progress ?? '0%'}`}.`,
        );
      }),
    );
  }),
};

async function pull(aws: Door<typeof copying>, work: CopyWork, scene: Scene): Promise<Item<Artifact>> {
  const { resource, artifact, point } = work;
  const [begun] = await mine(aws, work);
  if (begun) return started(resource.id, { snapshot: begun.SnapshotId! });
  return letIn(aws, work, scene)
    .then(() =>
      aws.copySnapshot({
        SourceRegion: artifact.place.region,
        SourceSnapshotId: artifact.id,
        Encrypted: true,
        KmsKeyId: DATA_KEY,
        Description: `Stillpoint ${point.application} ${pointId(point)}, copy of ${artifact.id}`,
        TagSpecifications: snapshotTags({ ...stampOf(work), cut: work.cut.id }),
      }),
    )
    .then(({ SnapshotId }) => started(resource.id, { snapshot: SnapshotId! }))
    .catch(whenLost(async (lost) => started(resource.id, { snapshot: lost.adopt(await mine(aws, work)).SnapshotId! })))
    .catch(when('ResourceLimitExceeded', () => quota(work, scene)))
    .catch(failing(resource.id, `Copying ${artifact.id} from ${artifact.place.region} was refused`));
}

async function letIn({ shareSnapshot }: Door<typeof copying>, { artifact }: CopyWork, { here, home }: Scene): Promise<void> {
  if (!otherAccount(here, home)) return;
  const Attribute = 'createVolumePermission';
  await shareSnapshot({ SnapshotId: artifact.id, Attribute, OperationType: 'add', UserIds: [here.account] });
}

const mine = (aws: Door<typeof describing>, work: CopyWork) => listSnapshots(aws, stamped(stampOf(work)));

const stampOf = ({ point, resource }: CopyWork) => ({
  application: point.application,
  restorePoint: pointId(point),
  resource: resource.id,
});

const quota = ({ resource }: CopyWork, { clock, here }: Scene) =>
  waiting(
    resource.id,
    instant(clock.now() + TRY_AGAIN_MILLIS),
    `As many snapshots are being copied into ${here.region} as its quota allows (${CONCURRENT} unless raised).`,
  );

/** Locks the copy where the vault is locked; a lock does not travel with a copy (EBS guide, "Snapshot lock"). */
async function finish(
  aws: Door<typeof locking>,
  { vault, keepUntil, resource, artifact }: CopyWork,
  id: string,
  facts: Artifact['facts'],
): Promise<Item<Artifact>> {
  const copied: Artifact = {
    ...artifact,
    id,
    place: vault.place,
    endurance: 'durable',
    facts: { ...facts, copyOf: artifact.id },
  };
  if (!vault.lock || !keepUntil) return done(resource.id, copied);
  return aws
    .lockSnapshot({ SnapshotId: id, LockMode: vault.lock.mode, ExpirationDate: new Date(keepUntil) })
    .then(() => done(resource.id, { ...copied, facts: { ...copied.facts, lockedUntil: keepUntil } }))
    .catch(failing(resource.id, `Its copy ${id} could not be locked`));
}
