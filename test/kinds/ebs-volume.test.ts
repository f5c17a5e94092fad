import { beforeEach, describe, expect, test } from 'vitest';
import { open } from '../../functions/aws/verb.ts';
import type { Artifact, Item, Restored, Vault } from '../../functions/domain.ts';
import type { Passage } from '../../functions/kinds/kind.ts';
import { driveItems, driven } from '../../functions/kinds/laws/drive.ts';
import {
  captured,
  captureWorks,
  copied,
  copyWorks,
  expired,
  newCut,
  restored,
  restoreWorks,
  type Subject,
  seeded,
  straysAt,
} from '../../functions/kinds/laws/motions.ts';
import kind from '../../functions/kinds/storage/ebs-volume/index.ts';
import proof from '../../functions/kinds/storage/ebs-volume/proof.ts';
import { zoneFor } from '../../functions/kinds/storage/ebs-volume/zones.ts';
import { DATA_KEY } from '../../functions/vault/layout.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import { stage, type TestStage } from '../stage.ts';

/** What is peculiar to EBS; what it has in common with every kind, the laws hold it to. */
let at: TestStage;
let subject: Subject;

async function begin(lock?: Vault['lock']): Promise<void> {
  at = await stage({ seed: 'ebs', ...(lock ? { lock } : {}) });
  subject = await at.settle(seeded(kind, proof, at));
}
beforeEach(() => begin());

const call = (operation: string, input: object, place = at.home.place, service = 'ec2') =>
  at.settle(at.world.call({ place, service, operation, input }));
const ec2 = (place = at.home.place) => at.world.state<Ec2State>('ec2', place);
const attached = () =>
  subject.resources.flatMap(({ name, facts }) =>
    facts.instance ? [{ volume: name, instance: (facts.instance as { id: string }).id }] : [],
  );
const failures = (items: readonly Item<unknown>[]) => items.flatMap((item) => (item.state === 'failed' ? [item.why] : []));

describe('capture', () => {
  test('takes the volumes of one instance in one call and the others by themselves', async () => {
    at.world.journal.clear();
    await at.settle(captured(subject));
    const taken = at.world.journal.entries.filter(({ operation }) => /^CreateSnapshots?$/.test(operation));
    expect(taken.map(({ operation }) => operation).sort()).toEqual(['CreateSnapshot', 'CreateSnapshots']);
    const of = taken.find(({ operation }) => operation === 'CreateSnapshots')!.input as { InstanceSpecification: object };
    expect(of.InstanceSpecification).toMatchObject({ ExcludeBootVolume: true });
  });

  test('holds what was flushed when the call was accepted, and nothing that was flushed after it', async () => {
    const [first] = subject.resources;
    const disk = ec2().disk(first!.name);
    disk.write(4096, Buffer.from('before the cut'));
    disk.flush();
    const write = async () => {
      disk.write(4096, Buffer.from('after the cut!'));
      disk.flush();
    };
    const { artifacts } = await at.settle(captured(subject, { meanwhile: write }));
    const back = await at.settle(restored(subject, restoreWorks(subject, artifacts, at.home), at.home));
    const volume = back
      .find(({ resource }) => resource === first!.id)!
      .id.split('/')
      .at(-1)!;
    expect(Buffer.from(ec2().disk(volume).read(4096, 14)).toString()).toBe('before the cut');
    expect(Buffer.from(disk.read(4096, 14)).toString()).toBe('after the cut!');
  });

  test('leaves out the other volumes of the instance, and takes each alone where they are more than can be left out', async () => {
    const instance = attached()[0]!.instance;
    const attach = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const { VolumeId } = await call('CreateVolume', { AvailabilityZone: `${at.home.place.region}a`, Size: 1 });
        await at.settle(at.clock.sleep(20_000));
        await call('AttachVolume', { VolumeId, InstanceId: instance, Device: `/dev/sd${i}` });
      }
    };
    const operations = async () => {
      const { resources } = await at.settle(
        open(kind.discover, at.transport, at.clock, { here: at.home.place, home: at.home.place })(subject.application),
      );
      at.world.journal.clear();
      await at.settle(captured({ ...subject, resources }));
      return at.world.journal.entries
        .filter(({ operation }) => /^CreateSnapshots?$/.test(operation))
        .map(({ operation }) => operation)
        .sort();
    };
    await attach(2);
    expect(await operations()).toEqual(['CreateSnapshot', 'CreateSnapshots']);
    expect(await at.settle(straysAt(subject, at.home.place))).toHaveLength(3);
    await attach(39);
    expect(await operations()).toEqual(['CreateSnapshot', 'CreateSnapshot', 'CreateSnapshot']);
  });

  test('takes a volume by itself that was detached after the plan was made', async () => {
    await call('DetachVolume', { VolumeId: attached()[0]!.volume });
    const { artifacts } = await at.settle(captured(subject));
    expect(artifacts).toHaveLength(3);
  });

  test('an error of a snapshot is a failed item with its reason', async () => {
    const cut = newCut(at);
    const works = captureWorks(subject, cut);
    const start = open(kind.capture.start, at.transport, at.clock, { here: at.home.place, home: at.home.place });
    const begun = await at.settle(start(works));
    const doomed = [...ec2().snapshots.values()].find(({ volume }) => volume === works[0]!.resource.name)!;
    Object.assign(doomed, { state: 'error', message: 'Client.InvalidKey' });
    const items = await at.settle(driveItems(kind.capture, works, at, at.home.place, at.transport, begun));
    expect(failures(items)).toEqual([`Its snapshot ${doomed.id} is in state error: Client.InvalidKey.`]);
  });
});

describe('discovery', () => {
  test('says what is not protected, and whose copies cannot leave the account', async () => {
    const { VolumeId } = await call('CreateVolume', {
      AvailabilityZone: `${at.home.place.region}a`,
      Size: 1,
      Encrypted: true,
      TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'law', Value: subject.application.name }] }],
    });
    const discover = open(kind.discover, at.transport, at.clock, { here: at.home.place, home: at.home.place });
    const early = await at.settle(discover(subject.application));
    expect(early.notes).toEqual([
      `${VolumeId} is creating, so it is not protected; a volume can be captured when it is available or in use.`,
    ]);
    await at.settle(at.clock.sleep(60_000));
    const late = await at.settle(discover(subject.application));
    expect(late.resources).toHaveLength(4);
    expect(late.notes.join()).toMatch(new RegExp(`${VolumeId} is encrypted with the account's default key \\(alias/aws/ebs\\)`));
  });

  test('refuses an ARN that lies elsewhere than the application', async () => {
    const arn = `arn:aws:ec2:eu-west-1:${at.home.place.account}:volume/vol-0123456789abcdef0`;
    const discover = open(kind.discover, at.transport, at.clock, { here: at.home.place, home: at.home.place });
    const { refusals } = await at.settle(discover(at.application('other', { resources: { tags: {}, arns: [arn] } })));
    expect(refusals).toEqual([
      `${arn} does not lie in 111122223333/us-east-1, where "other" lives; take it out of applications.other.resources.arns, or make it an application of its own.`,
    ]);
  });
});

describe('copy', () => {
  test('waits where the quota of concurrent copies is full, and is done all the same', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const many = Array.from({ length: 8 }, () => artifacts).flat();
    const resources = many.map((artifact, i) => ({
      ...subject.resources.find(({ id }) => id === artifact.resource)!,
      id: `${artifact.resource}-${i}`,
    }));
    const works = copyWorks(
      { ...subject, resources },
      cut,
      many.map((artifact, i) => ({ ...artifact, resource: resources[i]!.id })),
    );
    const start = open(kind.copy.start, at.transport, at.clock, { here: at.vault.place, home: at.home.place });
    const first = await at.settle(start(works));
    const waiting = first.filter(({ state }) => state === 'waiting');
    expect(first.filter(({ state }) => state === 'started')).toHaveLength(20);
    expect(waiting).toHaveLength(4);
    expect(waiting[0]).toMatchObject({
      why: 'As many snapshots are being copied into eu-west-1 as its quota allows (20 unless raised).',
    });
    expect(await at.settle(driven(kind.copy, works, at, at.vault.place, at.transport, first))).toHaveLength(24);
  });

  test('is encrypted with the vault’s key, and fails with AWS’s reason where that cannot be used', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    await call('DisableKey', { KeyId: DATA_KEY }, at.vault.place, 'kms');
    const items = await at.settle(driveItems(kind.copy, copyWorks(subject, cut, artifacts), at, at.vault.place, at.transport));
    expect(failures(items)).toHaveLength(3);
    expect(failures(items)[0]).toMatch(/^Its copy snap-\w+ failed: Given key ID is not accessible\.$/);
  });

  test('is locked in a locked vault, and cannot be deleted before its time', async () => {
    await begin({ mode: 'compliance', days: 7 });
    const keepUntil = new Date(at.clock.now() + 7 * 86_400_000).toISOString();
    const { artifacts, cut } = await at.settle(captured(subject));
    const works = copyWorks(subject, cut, artifacts).map((work) => ({ ...work, keepUntil }));
    const copies = await at.settle(driven(kind.copy as Passage<(typeof works)[number], Artifact>, works, at, at.vault.place));
    for (const { id } of copies) expect(ec2(at.vault.place).snapshots.get(id)!.lock?.expiresAt.toISOString()).toBe(keepUntil);
    const early = await at.settle(expired(subject, at.vault.place, copies));
    expect(early.every(({ gone, why }) => !gone && /locked until/.test(why!))).toBe(true);
    await at.settle(at.clock.sleep(8 * 86_400_000));
    const late = await at.settle(expired(subject, at.vault.place, copies));
    expect(late.every(({ gone }) => gone)).toBe(true);
  });
});

describe('restore', () => {
  const restoredWith = async (works: ReturnType<typeof restoreWorks>, vault: Vault): Promise<Restored[]> =>
    at.settle(restored(subject, works, vault));

  test('keeps performance, tags and zone by letter, under the vault’s key', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    const back = await restoredWith(restoreWorks(subject, copies, at.vault), at.vault);
    for (const { id, renames } of back) {
      const volume = ec2(at.vault.place).volume(id.split('/').at(-1));
      expect(volume).toMatchObject({ zone: 'eu-west-1a', iops: 4000, throughput: 200, encrypted: true });
      expect(renames).toContainEqual({ was: 'us-east-1a', is: 'eu-west-1a', what: 'zone' });
      expect(renames).toContainEqual({ was: expect.stringMatching(/^vol-/), is: volume.id, what: 'volume' });
    }
  });

  test('its plan names what is lacking: a snapshot that is gone, a key that is disabled', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    await call('DeleteSnapshot', { SnapshotId: copies[0]!.id }, at.vault.place);
    await call('DisableKey', { KeyId: DATA_KEY }, at.vault.place, 'kms');
    const preview = open(kind.preview, at.transport, at.clock, { here: at.vault.place, home: at.home.place });
    const [first, second] = await at.settle(preview(restoreWorks(subject, copies, at.vault)));
    expect(first!.lacks).toEqual([
      `Snapshot ${copies[0]!.id} of ${subject.resources[0]!.name} is not in eu-west-1; choose another restore point.`,
      `The key ${DATA_KEY} cannot be used in 111122223333/eu-west-1 (Disabled); enable it, or restore access to it.`,
    ]);
    expect(second!.lacks).toHaveLength(1);
  });

  test('goes into the zones that the target names', async () => {
    const { artifacts } = await at.settle(captured(subject));
    const target = { ...at.home.target, zones: ['us-east-1c'] };
    const [one] = await restoredWith(restoreWorks(subject, artifacts, { ...at.home, target }), at.home);
    expect(ec2().volume(one!.id.split('/').at(-1)).zone).toBe('us-east-1c');
  });
});

test('zones go by letter, and what lay together lies together', () => {
  const three = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];
  expect(zoneFor('us-east-1b', three)).toBe('eu-west-1b');
  expect(zoneFor('us-east-1f', three)).toBe('eu-west-1c');
  expect(zoneFor('eu-west-1c', three)).toBe('eu-west-1c');
  expect(zoneFor('us-east-1a', ['eu-west-1b'])).toBe('eu-west-1b');
  expect(zoneFor('us-east-1a', [])).toBeUndefined();
});
