import { describe, expect, test } from 'vitest';
import { uploadsArn } from '../demo/shop/uploads.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Application, SlowMember } from '../functions/domain.ts';
import { listAttempts } from '../functions/vault/ledger.ts';
import { reasonOf } from '../functions/workflows/protect/abandon.ts';
import type { BackupState } from '../local/services/backup/state.ts';
import type { EfsState } from '../local/services/elasticfilesystem/state.ts';
import { comeToRest, nobodyFrozen, nothingLeaks, whole } from './invariants.ts';
import { HOME, type Stage, stage, WEST } from './world.ts';

/** The shop keeps its uploads on a file system, which has no instant: what an application may say of such a member, and what it gets. */
interface Stand extends Stage {
  uploads: string;
}

let made = 0;

async function withUploads(member?: SlowMember, more: Partial<Application> & { maxSkewSeconds?: number } = {}): Promise<Stand> {
  let uploads = '';
  const { maxSkewSeconds, ...changed } = more;
  const configuration = (of: Configuration): Configuration => ({
    ...of,
    applications: {
      shop: {
        ...of.applications['shop']!,
        ...changed,
        get slow() {
          return member === undefined ? {} : { [uploads]: member };
        },
      },
    },
    policies: { hourly: { ...of.policies['hourly']!, ...(maxSkewSeconds === undefined ? {} : { maxSkewSeconds }) } },
  });
  const stand = (await stage({ seed: `slow/${++made}`, configuration })) as Stand;
  uploads = uploadsArn(HOME, stand.shop.names.uploads!);
  return Object.assign(stand, { uploads });
}

const files = (stand: Stage, arn: string, place = HOME) =>
  stand.world.state<EfsState>('elasticfilesystem', place).files(arn.split('/').at(-1)!);
const backup = (stand: Stage) => stand.world.state<BackupState>('backup', HOME);
const slotAfter = async (stand: Stage, seconds: number) => {
  await stand.advance(seconds);
  const execution = stand.startProtect({ asker: `after-${seconds}` });
  await stand.settle(execution.ended);
  return execution;
};
const reason = ({ error, cause }: { error?: string | undefined; cause?: string | undefined }) =>
  reasonOf({ Error: error ?? '', Cause: cause ?? '' });
const artifactIn = async (stand: Stand, at = -1) => {
  const point = (await stand.sealed(HOME)).at(at)!;
  return { point, artifact: point.artifacts.find(({ resource }) => resource === stand.uploads)! };
};

describe('a slow member that is accepted', () => {
  test('does not spoil the label: it is listed beside it with its own interval, which begins after the instant', async () => {
    const stand = await withUploads('accept', { maxSkewSeconds: 5 });
    files(stand, stand.uploads).write('/a', 'there before');
    expect((await slotAfter(stand, 10)).status).toBe('SUCCEEDED');
    const { point, artifact } = await artifactIn(stand);
    expect(point.consistency).toBe('application-consistent');
    expect(point.skewSeconds).toBeLessThanOrEqual(5);
    expect(artifact.interval.from >= point.instant).toBe(true);
    expect(point.notes.at(-1)).toMatch(
      new RegExp(
        `^${stand.uploads} has no instant: each of its parts is as it was at some time from ${artifact.interval.from} to ${artifact.interval.to}, up to .* after the instant; the application accepts that\\.$`,
      ),
    );
  });

  test('comes back in the vault with home dark, every file that was there at the instant equal to the byte', async () => {
    const stand = await withUploads();
    const original = files(stand, stand.uploads);
    for (let i = 0; i < 20; i++) original.write(`/uploads/${i}`, `upload ${i}`);
    const protecting = stand.startProtect();
    for (let i = 0; i < 60; i++) {
      original.write(`/late/${i}`, 'late');
      await stand.advance(20);
    }
    await stand.settle(protecting.ended);
    const { point, artifact } = await artifactIn(stand);
    expect(point.notes.at(-1)).toMatch(/accepts that, as it says nothing of it\.$/);
    const [copy] = await stand.replicated(WEST);
    expect(copy!.notes).toEqual(point.notes);
    stand.world.dark.add(HOME.region);
    const { report } = await stand.restore(WEST, 'r1');
    expect(report!.status).toBe('restored');
    const restored = report!.restored.find(({ resource }) => resource === stand.uploads)!;
    const there = files(stand, restored.id, WEST);
    const at = Date.parse(point.instant);
    for (const path of original.list(at)) expect(there.read(path), path).toEqual(original.read(path, at));
    const extras = there.list().filter((path) => !original.list(at).includes(path));
    for (const path of extras) expect(original.read(path, Date.parse(artifact.interval.to)), path).toBeDefined();
    expect(report!.renames).toContainEqual({ was: stand.uploads, is: restored.id, what: 'file system ARN' });
  });

  test('waits its turn while another job is under way, and the point with it', async () => {
    const stand = await withUploads('accept');
    backup(stand).workSeconds = [3600, 3600];
    const first = stand.startProtect({ asker: 'first' });
    await stand.advance(900);
    backup(stand).workSeconds = [60, 60];
    const second = stand.startProtect({ asker: 'second' });
    await stand.settle(Promise.all([first.ended, second.ended]));
    expect([first.status, second.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    const artifacts = (await stand.sealed(HOME)).map(
      ({ artifacts }) => artifacts.find(({ resource }) => resource === stand.uploads)!,
    );
    const [one, two] = artifacts.sort((a, b) => (a.interval.from < b.interval.from ? -1 : 1));
    expect(two!.interval.from >= one!.interval.to).toBe(true);
  });

  test('whose job never starts within its window abandons the point with one sentence, and leaves nothing', async () => {
    const stand = await withUploads('accept');
    backup(stand).startSeconds = [7200, 7200];
    const execution = await slotAfter(stand, 10);
    expect(execution.status).toBe('FAILED');
    expect(reason(execution)).toMatch(
      /file-system\/fs-\w+ failed: Its AWS Backup job .* never started within its window of 60 minutes, by /,
    );
    expect(await stand.sealed(HOME)).toEqual([]);
    backup(stand).startSeconds = [60, 60];
    await comeToRest(stand);
    expect([...(await nothingLeaks(stand, HOME)), ...(await whole(stand)), ...nobodyFrozen(stand)]).toEqual([]);
  });

  test('whose job is still under way when the point is given up leaves nothing in the end', async () => {
    const stand = await withUploads('accept');
    backup(stand).workSeconds = [5 * 3600, 5 * 3600];
    const execution = await slotAfter(stand, 10);
    expect(reason(execution)).toMatch(/was not complete within its window of 270 minutes/);
    expect(
      backup(stand)
        .points()
        .map(({ status }) => status),
    ).toEqual(['PARTIAL']);
    await comeToRest(stand);
    expect(await nothingLeaks(stand, HOME)).toEqual([]);
    expect(backup(stand).points()).toEqual([]);
  });
});

describe('a slow member that is refused', () => {
  test('is refused before anything is frozen or made', async () => {
    const stand = await withUploads('refuse');
    stand.world.journal.clear();
    const execution = await slotAfter(stand, 10);
    expect(reason(execution)).toMatch(
      /fs-\w+ \(efs-file-system\) has no instant, and "shop" refuses points with such a member; say accept, hold or cadence of it under applications\.shop\.slow, or take it out of the application\./,
    );
    expect(stand.world.journal.count(({ operation }) => /^(CreateSnapshot|StartBackupJob)/.test(operation))).toBe(0);
    expect(nobodyFrozen(stand)).toEqual([]);
    expect(await stand.open(listAttempts, HOME)({ application: 'shop' })).toEqual([]);
  });
});

describe('a slow member that is held', () => {
  const freeze = (leaseSeconds: number) => ({ freeze: { function: 'shop-freeze', leaseSeconds } });
  const quick = (stand: Stage) => Object.assign(backup(stand), { startSeconds: [20, 30], workSeconds: [60, 90] });

  test('is captured inside the freeze, which lasts so long, and counts like all others', async () => {
    const stand = await withUploads('hold', { ...freeze(300), maxSkewSeconds: 5 });
    quick(stand);
    expect((await slotAfter(stand, 10)).status).toBe('SUCCEEDED');
    const { point, artifact } = await artifactIn(stand);
    const { freeze: evidence } = point.cut;
    expect(artifact.interval.from >= evidence!.asked.to && artifact.interval.to <= evidence!.released!.from).toBe(true);
    expect(point.consistency).toMatch(/^application-consistent/);
    expect(point.skewSeconds).toBeLessThanOrEqual(5);
    expect(point.notes.at(-1)).toMatch(/all through the freeze\.$/);
    expect(nobodyFrozen(stand)).toEqual([]);
  });

  test('is refused where there is no freeze, or the lease cannot last so long', async () => {
    const none = await withUploads('hold', { freeze: undefined as never });
    expect(reason(await slotAfter(none, 10))).toMatch(
      /is to be captured while "shop" is held still, and it has no freeze hook; add applications\.shop\.freeze/,
    );
    const short = await withUploads('hold', freeze(20));
    expect(reason(await slotAfter(short, 10))).toMatch(
      /that takes 120 s at the least, and the lease lasts 20 s: raise applications\.shop\.freeze\.leaseSeconds/,
    );
  });

  test('gives the point up when the lease ends first, lets go in time, and leaves nothing', async () => {
    const stand = await withUploads('hold', freeze(150));
    Object.assign(backup(stand), { startSeconds: [100, 100], workSeconds: [600, 600] });
    const execution = await slotAfter(stand, 10);
    expect(reason(execution)).toMatch(
      /fs-\w+ \(Its job [0-9A-F-]+ is \w+\.\) was not captured within the lease of 150 s for which the application was held still; raise freeze\.leaseSeconds, or say accept or cadence/,
    );
    expect(nobodyFrozen(stand)).toEqual([]);
    expect(await stand.sealed(HOME)).toEqual([]);
    await comeToRest(stand);
    expect(await nothingLeaks(stand, HOME)).toEqual([]);
  });
});

describe('a slow member with a cadence of its own', () => {
  test('is captured when its last capture has grown old; points in between take what there is, its age stated', async () => {
    const stand = await withUploads({ cadenceSeconds: 6 * 3600 });
    expect((await slotAfter(stand, 10)).status).toBe('SUCCEEDED');
    const first = await artifactIn(stand);
    expect((await slotAfter(stand, 3600)).status).toBe('SUCCEEDED');
    const second = await artifactIn(stand);
    expect(second.artifact).toEqual(first.artifact);
    expect(second.point.notes.at(-1)).toMatch(/it keeps a cadence of its own \(6 h\) and is 1 h.* older than this point\.$/);
    expect((await slotAfter(stand, 6 * 3600)).status).toBe('SUCCEEDED');
    const third = await artifactIn(stand);
    expect(third.artifact.id).not.toBe(first.artifact.id);
    expect(third.artifact.interval.from >= third.point.instant).toBe(true);
    await comeToRest(stand);
    expect([...(await nothingLeaks(stand, HOME)), ...(await whole(stand))]).toEqual([]);
    expect(backup(stand).points().length).toBe(2);
  });

  test('is skipped with the reason when a new capture is due and cannot begin, or fails', async () => {
    const stand = await withUploads({ cadenceSeconds: 3600 });
    await slotAfter(stand, 10);
    const first = await artifactIn(stand);
    await stand.advance(2 * 3600);
    backup(stand).workSeconds = [7200, 7200];
    const theirs = {
      BackupVaultName: 'stillpoint',
      ResourceArn: stand.uploads,
      IamRoleArn: 'arn:aws:iam::111122223333:role/theirs',
    };
    await stand.settle(stand.world.call({ place: HOME, service: 'backup', operation: 'StartBackupJob', input: theirs }));
    expect((await slotAfter(stand, 60)).status).toBe('SUCCEEDED');
    const skipped = await artifactIn(stand);
    expect(skipped.artifact).toEqual(first.artifact);
    expect(skipped.point.notes.at(-1)).toMatch(
      /^A new capture of arn:.* was skipped, and its last one taken: Another AWS Backup job, .*, is under way for it/,
    );
    backup(stand).startSeconds = [7200, 7200];
    expect((await slotAfter(stand, 4 * 3600)).status).toBe('SUCCEEDED');
    expect((await artifactIn(stand)).point.notes.at(-1)).toMatch(
      /its last one taken: Its AWS Backup job .* never started within its window/,
    );
  });

  test('is captured anew when what earlier points have is gone', async () => {
    const stand = await withUploads('cadence');
    await slotAfter(stand, 10);
    const first = await artifactIn(stand);
    backup(stand).vault('stillpoint').points.clear();
    expect((await slotAfter(stand, 600)).status).toBe('SUCCEEDED');
    const second = await artifactIn(stand);
    expect(second.artifact.id).not.toBe(first.artifact.id);
    expect(second.point.notes.at(-1)).toMatch(/up to .* after the instant; the application accepts that\.$/);
  });
});
