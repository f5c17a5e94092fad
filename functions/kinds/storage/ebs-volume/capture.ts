import { CreateSnapshotCommand, CreateSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { arnAt } from '../../../aws/arn.ts';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { when, whenLost } from '../../../aws/errors.ts';
import { type Stamp, stamped, TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Interval, type Item, pointId } from '../../../domain.ts';
import { allAnswered, asJson, failing, handleOf } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started, started } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { describing, findSnapshots, listSnapshots, snapshotTags } from './snapshots.ts';
import { bytesOf, factsOf, KIND } from './volume.ts';

const { once } = calls('ec2', EC2Client);

/** Neither has a client token, so neither is ever asked twice (EC2 API, CreateSnapshot and CreateSnapshots). */
const creating = {
  createSnapshot: once(CreateSnapshotCommand, { also: ['ec2:CreateTags'] }),
  createSnapshots: once(CreateSnapshotsCommand, { also: ['ec2:CreateTags'] }),
  ...describing,
};
type Creating = Door<typeof creating>;

/** How many data volumes one CreateSnapshots can leave out (EC2 API, InstanceSpecification). */
const MOST_EXCLUDED = 40;
/** How long a snapshot whose creation was answered may be hidden from DescribeSnapshots before it counts as gone. */
const HIDDEN_MILLIS = 5 * 60_000;

/** A snapshot that is being made, and the artifact that it will be. */
type Handle = { readonly artifact: Artifact };

/** One call: all volumes of one instance at one instant, or one volume. */
type Shot = { readonly instance: string; readonly works: readonly CaptureWork[] } | { readonly work: CaptureWork };

/**
 * EBS fixes the content when it accepts the call: writes that the volume has acknowledged are in it (EBS guide, "Create snapshots"). So the
 * interval is from our sending to its answer. All calls go out at once; what this cut made already is found by its tags and kept.
 */
export const capture: Passage<CaptureWork, Artifact> = {
  start: verb(creating, async (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> => {
    const made = await madeBefore(aws, works, scene);
    const items = works.flatMap((work) => made.get(work) ?? []);
    const shots = plan(works.filter((work) => !made.has(work)));
    return [...items, ...(await allAnswered(shots.map((shot) => fire(aws, shot, scene)))).flat()];
  }),

  settle: verb(describing, async (aws, works: readonly Started<CaptureWork>[], { clock }): Promise<Item<Artifact>[]> => {
    const found = await findSnapshots(
      aws,
      works.map((work) => handleOf<Handle>(work).artifact.id),
    );
    return works.map((work) => {
      const { id } = work.resource;
      const { handle } = work;
      const { artifact } = handleOf<Handle>(work);
      const snapshot = found.get(artifact.id);
      if (!snapshot) {
        const hidden = clock.now() - millis(artifact.interval.to) < HIDDEN_MILLIS;
        return hidden
          ? started(id, handle, `${artifact.id} does not show up yet.`)
          : failed(id, `Its snapshot ${artifact.id} is gone: someone deleted it while it was being made.`);
      }
      if (snapshot.State === 'completed') return done(id, artifact);
      if (snapshot.State === 'pending') return started(id, handle, `${artifact.id} is at ${snapshot.Progress ?? '0%'}.`);
      return failed(
        id,
        `Its snapshot ${artifact.id} is in state ${snapshot.State}: ${snapshot.StateMessage || 'AWS gives no reason'}.`,
      );
    });
  }),
};

/** What an earlier start of the same cut made. Its answer never reached us, so all that is known is that it was accepted since the cut began. */
async function madeBefore(
  aws: Creating,
  works: readonly CaptureWork[],
  { clock }: Scene,
): Promise<Map<CaptureWork, Item<Artifact>>> {
  const cuts = [...new Set(works.map(({ cut }) => cut.id))];
  const found = (await Promise.all(cuts.map((cut) => listSnapshots(aws, stamped({ cut }))))).flat();
  const to = instant(clock.now());
  return new Map(
    works.flatMap((work): [CaptureWork, Item<Artifact>][] => {
      const { cut, resource } = work;
      const [made] = found.filter(({ VolumeId, Tags }) => VolumeId === resource.name && tagMap(Tags).get(TAG.cut) === cut.id);
      return made ? [[work, underWay(work, made.SnapshotId!, { from: cut.begun, to })]] : [];
    }),
  );
}

/** Two or more volumes of one instance are captured at one instant where everything else of it can be left out. */
function plan(works: readonly CaptureWork[]): Shot[] {
  const byInstance = Map.groupBy(works, ({ resource, cut }) => `${factsOf(resource).instance?.id ?? ''}/${cut.id}`);
  return [...byInstance.values()].flatMap((members): Shot[] => {
    const instance = factsOf(members[0]!.resource).instance;
    const together = instance && members.length > 1 && instance.others.length <= MOST_EXCLUDED;
    return together ? [{ instance: instance.id, works: members }] : members.map((work) => ({ work }));
  });
}

const fire = (aws: Creating, shot: Shot, scene: Scene): Promise<Item<Artifact>[]> =>
  'work' in shot ? captureOne(aws, shot.work).then((item) => [item]) : captureTogether(aws, shot.instance, shot.works, scene);

function captureOne(aws: Creating, work: CaptureWork): Promise<Item<Artifact>> {
  const { resource } = work;
  return aws
    .createSnapshot({
      VolumeId: resource.name,
      Description: describe(work),
      TagSpecifications: snapshotTags(stampOf(work, resource.id)),
    })
    .then(({ SnapshotId, asked }) => underWay(work, SnapshotId!, asked))
    .catch(whenLost(async (lost) => underWay(work, lost.adopt(await ofCut(aws, work)).SnapshotId!, lost.asked)))
    .catch(when('InvalidVolume.NotFound', () => failed(resource.id, vanished(resource.name))))
    .catch(failing(resource.id, `Its snapshot was refused`));
}

/** All data volumes of an instance get the same instant, those left out excepted (EC2 API, CreateSnapshots). */
async function captureTogether(
  aws: Creating,
  instance: string,
  works: readonly CaptureWork[],
  scene: Scene,
): Promise<Item<Artifact>[]> {
  const [first] = works as [CaptureWork, ...CaptureWork[]];
  const attachments = works.map(({ resource }) => factsOf(resource).instance!);
  const others = attachments[0]!.others;
  const singly = () => allAnswered(works.map((work) => captureOne(aws, work)));
  return aws
    .createSnapshots({
      InstanceSpecification: {
        InstanceId: instance,
        ExcludeBootVolume: !attachments.some(({ boot }) => boot),
        ...(others.length > 0 ? { ExcludeDataVolumeIds: [...others] } : {}),
      },
      Description: describe(first),
      TagSpecifications: snapshotTags(stampOf(first, arnAt(scene.here, 'ec2', `instance/${instance}`))),
    })
    .then(({ Snapshots = [], asked }) => {
      const byVolume = new Map(Snapshots.map(({ VolumeId, SnapshotId }) => [VolumeId, SnapshotId]));
      // What was detached since the plan was made is not among the answers and is captured by itself.
      return allAnswered(
        works.map(async (work) => {
          const id = byVolume.get(work.resource.name);
          return id ? underWay(work, id, asked) : captureOne(aws, work);
        }),
      );
    })
    .catch(
      whenLost((lost) =>
        Promise.all(works.map(async (work) => underWay(work, lost.adopt(await ofCut(aws, work)).SnapshotId!, lost.asked))),
      ),
    )
    .catch(when(['InvalidInstanceID.NotFound', 'InvalidParameterValue', 'InvalidVolume.NotFound', 'IncorrectState'], singly));
}

const ofCut = (aws: Creating, { cut, resource }: CaptureWork) =>
  listSnapshots(aws, [...stamped({ cut: cut.id }), { Name: 'volume-id', Values: [resource.name] }]);

const stampOf = ({ point, cut }: CaptureWork, resource: string): Stamp => ({
  application: point.application,
  restorePoint: pointId(point),
  cut: cut.id,
  resource,
});

const describe = ({ point }: CaptureWork): string => `Stillpoint ${point.application} ${pointId(point)}`;

const underWay = ({ resource }: CaptureWork, id: string, interval: Interval): Item<Artifact> => {
  const facts = factsOf(resource);
  const artifact: Artifact = {
    kind: KIND,
    resource: resource.id,
    id,
    place: resource.place,
    interval,
    endurance: 'durable',
    bytes: bytesOf(facts),
    facts: { encrypted: facts.encrypted, kmsKeyId: facts.kmsKeyId },
  };
  return started(resource.id, asJson({ artifact } satisfies Handle));
};

const vanished = (volume: string): string =>
  `${volume} does not exist any more: it was deleted after the plan was made. The next attempt plans without it.`;
