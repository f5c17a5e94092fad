import { beforeEach, describe, expect, test } from 'vitest';
import { open, type Verb } from '../../functions/aws/verb.ts';
import type { Artifact, Item, Vault } from '../../functions/domain.ts';
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
} from '../../functions/kinds/laws/motions.ts';
import kind from '../../functions/kinds/storage/efs-file-system/index.ts';
import proof from '../../functions/kinds/storage/efs-file-system/proof.ts';
import { BACKUP_VAULT, DATA_KEY } from '../../functions/vault/layout.ts';
import type { BackupState } from '../../local/services/backup/state.ts';
import type { EfsState } from '../../local/services/elasticfilesystem/state.ts';
import { stage, type TestStage } from '../stage.ts';

/** What is peculiar to EFS; what it has in common with every kind, the laws hold it to. */
let at: TestStage;
let subject: Subject;

async function begin(lock?: Vault['lock']): Promise<void> {
  at = await stage({ seed: 'efs', ...(lock ? { lock } : {}) });
  subject = await at.settle(seeded(kind, proof, at));
}
beforeEach(() => begin());

const call = (operation: string, input: object, place = at.home.place, service = 'backup') =>
  at.settle(at.world.call({ place, service, operation, input }));
const backup = (place = at.home.place) => at.world.state<BackupState>('backup', place);
const files = (arn: string, place = at.home.place) =>
  at.world.state<EfsState>('elasticfilesystem', place).files(arn.split('/').at(-1)!);
const full = () => subject.resources.find(({ facts }) => (facts.accessPoints as unknown[]).length > 0)!;
const content = (arn: string, place = at.home.place) =>
  files(arn, place)
    .list()
    .map((path) => [path, Buffer.from(files(arn, place).read(path)!).toString()]);
const opened = <In, Out>(verb: Verb<any, In, Out>, place = at.home.place) =>
  open(verb, at.transport, at.clock, { here: place, home: at.home.place });
const drive = (works: ReturnType<typeof captureWorks>) =>
  at.settle(driveItems(kind.capture, works, at, at.home.place, at.transport));
const whyOf = (items: readonly Item<unknown>[], resource: string) => {
  const item = items.find((one) => one.resource === resource)!;
  return 'why' in item ? item.why! : item.state;
};

describe('capture', () => {
  test('brings back every file that was there before and did not change, byte for byte; of others, what was there within its interval', async () => {
    const { id } = full();
    const original = files(id);
    for (let i = 0; i < 30; i++) original.write(`/uploads/${i}`, `upload ${i}`);
    const begun = at.clock.now();
    let written = 0;
    let ends = false;
    const writer = (async () => {
      for (; !ends; written++) {
        original.write(`/uploads/late/${at.clock.now()}`, 'late');
        await at.clock.sleep(7000);
      }
    })();
    const { artifacts } = await at.settle(captured(subject));
    ends = true;
    await at.settle(writer);
    const { interval } = artifacts.find(({ resource }) => resource === id)!;
    expect(Date.parse(interval.from)).toBeGreaterThanOrEqual(begun);
    const back = await at.settle(restored(subject, restoreWorks(subject, artifacts, at.home), at.home));
    const found = content(back.find(({ resource }) => resource === id)!.id);
    for (let i = 0; i < 30; i++) expect(found).toContainEqual([`/uploads/${i}`, `upload ${i}`]);
    const late = found.flatMap(([path]) => (path!.startsWith('/uploads/late/') ? [Number(path!.split('/').at(-1))] : []));
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThan(written);
    for (const time of late) expect(time).toBeLessThanOrEqual(Date.parse(interval.to));
  });

  test('waits while another job is under way, with the reason, and begins when it is done', async () => {
    const { id } = full();
    backup().workSeconds = [1800, 1800];
    const asked = { BackupVaultName: BACKUP_VAULT, ResourceArn: id, IamRoleArn: 'arn:aws:iam::111122223333:role/theirs' };
    const { BackupJobId } = await call('StartBackupJob', asked);
    await at.settle(at.clock.sleep(60_000));
    const cut = newCut(at);
    const works = captureWorks(subject, cut);
    const first = await at.settle(opened(kind.capture.start)(works));
    expect(whyOf(first, id)).toBe(`Another AWS Backup job, ${BackupJobId}, is under way for it, and it has one at a time.`);
    const items = await at.settle(driveItems(kind.capture, works, at, at.home.place, at.transport, first));
    expect(items.every(({ state }) => state === 'done')).toBe(true);
  });

  test('fails with one sentence when its job never starts within its window', async () => {
    const [resource] = subject.resources;
    const works = captureWorks(subject, newCut(at)).slice(0, 1);
    backup().startSeconds = [7200, 7200];
    const items = await drive(works);
    expect(whyOf(items, resource!.id)).toMatch(
      /^Its AWS Backup job [0-9A-F-]+ never started within its window of 60 minutes, by 20\S+Z: .*\. See whether other jobs of it run at that time, or give it a cadence of its own\.$/,
    );
  });

  test('fails with AWS’s reason: a job that takes too long, a key that cannot be used, a vault that is not there', async () => {
    const [resource] = subject.resources;
    const one = () => captureWorks(subject, newCut(at)).slice(0, 1);
    backup().workSeconds = [20_000, 20_000];
    expect(whyOf(await drive(one()), resource!.id)).toMatch(/was not complete within its window of 270 minutes: .*[^.]\.$/);
    backup().workSeconds = [60, 60];
    await call('DisableKey', { KeyId: DATA_KEY }, at.home.place, 'kms');
    expect(whyOf(await drive(one()), resource!.id)).toMatch(/ended as FAILED: The key .* cannot be used/);
    backup().vaults.delete(BACKUP_VAULT);
    expect(whyOf(await drive(one()), resource!.id)).toMatch(
      /^There is no backup vault "stillpoint" in us-east-1; it comes with Stillpoint's deployment, so deploy again\./,
    );
  });
});

describe('discovery', () => {
  const discovered = () => at.settle(opened(kind.discover)(subject.application));

  test('refuses where AWS Backup is turned off for EFS, and says how to turn it on', async () => {
    await call('UpdateRegionSettings', { ResourceTypeOptInPreference: { EFS: false } });
    expect((await discovered()).refusals).toEqual([
      expect.stringMatching(
        /^AWS Backup is turned off for EFS in 111122223333\/us-east-1, so arn:.* cannot be captured; turn it on \(/,
      ),
    ]);
  });

  test('notes what cannot be captured yet, and what comes back otherwise', async () => {
    const Tags = [{ Key: 'law', Value: subject.application.name }];
    const input = { CreationToken: 'zonal', AvailabilityZoneName: 'us-east-1c', Tags };
    const { FileSystemId } = await call('CreateFileSystem', input, at.home.place, 'elasticfilesystem');
    expect((await discovered()).notes).toEqual([
      expect.stringMatching(new RegExp(`^File system ${FileSystemId} is creating, so .* is not protected`)),
    ]);
    await at.settle(at.clock.sleep(60_000));
    expect((await discovered()).notes).toEqual([
      `File system ${FileSystemId} is in the one zone us-east-1c; a restore makes a Regional one.`,
    ]);
  });
});

describe('copy', () => {
  test('is pushed by home, bears the copy’s own stamp, and says why it failed', async () => {
    const { artifacts, cut } = await at.settle(captured(subject));
    at.world.journal.clear();
    const copies = await at.settle(copied(subject, cut, artifacts));
    const asked = at.world.journal.entries.filter(({ operation }) => operation === 'StartCopyJob');
    expect(asked.map(({ place }) => place.region)).toEqual(asked.map(() => at.home.place.region));
    expect(copies.every(({ facts }) => facts.copyOf !== undefined)).toBe(true);
    await call('DisableKey', { KeyId: DATA_KEY }, at.vault.place, 'kms');
    const works = copyWorks(subject, cut, artifacts, 2);
    const items = await at.settle(driveItems(kind.copy, works, at, at.vault.place, at.transport));
    expect(items.map((item) => 'why' in item && item.why)).toEqual(
      items.map(() => expect.stringMatching(/^Its copy job [0-9A-F-]+ ended as FAILED: The key .* cannot be used/)),
    );
  });

  test('in a locked vault is kept as long as the policy may keep it, and cannot be deleted before', async () => {
    await begin({ mode: 'compliance', days: 7 });
    const { artifacts, cut } = await at.settle(captured(subject));
    const keepUntil = new Date(at.clock.now() + 7 * 86_400_000).toISOString();
    const works = copyWorks(subject, cut, artifacts).map((work) => ({ ...work, keepUntil, keepDays: 31 }));
    const copies: Artifact[] = await at.settle(driven(kind.copy, works, at, at.vault.place));
    for (const { restorableUntil, facts } of copies) {
      const days = (Date.parse(restorableUntil!) - at.clock.now()) / 86_400_000;
      expect(days).toBeGreaterThan(30.9);
      expect(facts.lockedUntil).toBe(restorableUntil);
    }
    const early = await at.settle(expired(subject, at.vault.place, copies));
    expect(early.every(({ gone, why }) => !gone && /locked until/.test(why!))).toBe(true);
    await at.settle(at.clock.sleep(32 * 86_400_000));
    const late = await at.settle(expired(subject, at.vault.place, copies));
    expect(late.every(({ gone }) => gone)).toBe(true);
  });
});

describe('restore', () => {
  test('makes access points and mount targets in the target’s subnets, under the vault’s key, and says every new name', async () => {
    const { id, name, facts } = full();
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    const back = await at.settle(restored(subject, restoreWorks(subject, copies, at.vault), at.vault));
    const made = back.find(({ resource }) => resource === id)!;
    const efs = at.world.state<EfsState>('elasticfilesystem', at.vault.place);
    const found = efs.fileSystem(made.id);
    expect(
      efs
        .mountTargetsOf(found)
        .map(({ subnet }) => subnet)
        .sort(),
    ).toEqual([...at.vault.target.subnets].sort());
    expect(found.policy).not.toContain(name);
    expect(found.key).toBe((await call('DescribeKey', { KeyId: DATA_KEY }, at.vault.place, 'kms')).KeyMetadata.Arn);
    const points = facts.accessPoints as { id: string }[];
    for (const was of [name, id, `${name}.efs.us-east-1.amazonaws.com`, ...points.map((point) => point.id)]) {
      expect(made.renames.map((rename) => rename.was)).toContain(was);
    }
    const host = made.renames.find(({ what }) => what === 'file system host')!.is;
    expect(host).toBe(`${found.id}.efs.eu-west-1.amazonaws.com`);
    const address = made.renames.find(({ what }) => what === 'mount target address')!.is;
    expect(efs.mountTargetsOf(found).map((target) => target.address)).toContain(address);
  });

  test('its plan names what is lacking: a recovery point that is gone, a key that is disabled, subnets', async () => {
    const { id, name } = full();
    const { artifacts, cut } = await at.settle(captured(subject));
    const copies = await at.settle(copied(subject, cut, artifacts));
    const lacking = async (target: Partial<Vault['target']>) => {
      const vault = { ...at.vault, target: { ...at.vault.target, ...target } };
      const previews = await at.settle(opened(kind.preview, at.vault.place)(restoreWorks(subject, copies, vault)));
      return previews.find(({ resource }) => resource === id)!.lacks;
    };
    expect(await lacking({})).toEqual([]);
    expect(await lacking({ subnets: [] })).toEqual([
      `${name} was mounted, and the target names no subnets to mount it in; name them under vaults.west.target.subnets.`,
    ]);
    expect(await lacking({ subnets: ['subnet-0123'] })).toEqual([
      expect.stringMatching(/not all of them exist .*name those that do under vaults\.west/),
    ]);
    const copy = copies.find(({ resource }) => resource === id)!;
    await call('DeleteRecoveryPoint', { BackupVaultName: BACKUP_VAULT, RecoveryPointArn: copy.id }, at.vault.place);
    await call('DisableKey', { KeyId: DATA_KEY }, at.vault.place, 'kms');
    await at.settle(at.clock.sleep(60_000));
    expect(await lacking({})).toEqual([
      `Recovery point ${copy.id} of ${name} is not in backup vault "stillpoint" of eu-west-1; choose another restore point.`,
      `The key ${DATA_KEY} cannot be used in 111122223333/eu-west-1 (Disabled); enable it, or restore access to it.`,
    ]);
  });

  test('at home mounts where the original was mounted, with its security groups', async () => {
    const { id, facts } = full();
    const { artifacts } = await at.settle(captured(subject));
    const back = await at.settle(restored(subject, restoreWorks(subject, artifacts, at.home), at.home));
    const efs = at.world.state<EfsState>('elasticfilesystem', at.home.place);
    const targets = efs.mountTargetsOf(efs.fileSystem(back.find(({ resource }) => resource === id)!.id));
    const originals = facts.mountTargets as unknown as { subnet: string; securityGroups: string[] }[];
    expect(targets.map(({ subnet, securityGroups }) => [subnet, securityGroups]).sort()).toEqual(
      originals.map(({ subnet, securityGroups }) => [subnet, securityGroups]).sort(),
    );
  });
});
