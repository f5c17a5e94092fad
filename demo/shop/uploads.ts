import { createHash } from 'node:crypto';
import type { Interval, Place } from '../../functions/domain.ts';
import type { EfsState } from '../../local/services/elasticfilesystem/state.ts';
import type { Tree } from '../../local/services/elasticfilesystem/tree.ts';
import type { Random } from '../../local/world/random.ts';
import { type Site, until } from './door.ts';
import type { Ground } from './region.ts';

/** What customers upload lies on EFS: each file is written once and never changed. */
export const uploadsArn = ({ account, region }: Place, fileSystem: string): string =>
  `arn:aws:elasticfilesystem:${region}:${account}:file-system/${fileSystem}`;

/** Files by their path, each as the digest of its bytes. */
export type Files = ReadonlyMap<string, string>;

const BYTES = [200, 2000] as const;

/** The files of a file system, as a host that mounts it has them: no API of AWS offers this. */
const treeOf = ({ world, place }: Site, fileSystem: string): Tree =>
  world.state<EfsState>('elasticfilesystem', place).files(fileSystem);

/** Makes the file system of the uploads, mounted in the shop's subnets, and waits until it can be used. */
export async function makeUploads({ aws, clock }: Site, { key, subnets }: Ground): Promise<string> {
  const { FileSystemId } = await aws.createFileSystem({
    CreationToken: 'shop-uploads',
    Encrypted: true,
    KmsKeyId: key,
    Tags: [
      { Key: 'app', Value: 'shop' },
      { Key: 'Name', Value: 'shop-uploads' },
    ],
  });
  await until(clock, 5, async () => {
    const { FileSystems = [] } = await aws.describeFileSystems({ FileSystemId: FileSystemId! });
    return FileSystems[0]?.LifeCycleState === 'available' || undefined;
  });
  await aws.createAccessPoint({
    ClientToken: 'shop-web',
    FileSystemId: FileSystemId!,
    PosixUser: { Uid: 1000, Gid: 1000 },
    RootDirectory: { Path: '/uploads', CreationInfo: { OwnerUid: 1000, OwnerGid: 1000, Permissions: '0750' } },
  });
  await Promise.all(subnets.map((SubnetId) => aws.createMountTarget({ FileSystemId: FileSystemId!, SubnetId })));
  await until(clock, 5, async () => {
    const { MountTargets = [] } = await aws.describeMountTargets({ FileSystemId: FileSystemId! });
    return MountTargets.every(({ LifeCycleState }) => LifeCycleState === 'available') || undefined;
  });
  return FileSystemId!;
}

/** The uploads that the shop's processes write. */
export class Uploads {
  readonly #tree: Tree;
  #count = 0;

  constructor(site: Site, fileSystem: string) {
    this.#tree = treeOf(site, fileSystem);
  }

  /** Writes a file that was not there before. */
  add(random: Random): void {
    this.#tree.write(`/uploads/${++this.#count}.webp`, random.bytes(random.integer(...BYTES)));
  }

  /** The same text twice if and only if nothing was uploaded in between. */
  position(): string {
    return `files ${this.#tree.list().length}`;
  }

  truthAt(at: number): Files {
    return filesIn(this.#tree, at);
  }
}

/** What a file system holds now, wherever it came from. */
export const readUploads = (site: Site, fileSystem: string): Files => {
  const tree = treeOf(site, fileSystem);
  return filesIn(tree, site.clock.now());
};

const filesIn = (tree: Tree, at: number): Files =>
  new Map(tree.list(at).map((path) => [path, createHash('sha256').update(tree.read(path, at)!).digest('hex')]));

/**
 * What is wrong with restored uploads, one sentence each. What was there at the instant of the point, and when the walk began, is there and
 * byte-equal; what is there besides came to be inside the interval that the artifact states.
 */
export function wrongUploads(held: Files, instant: number, { from, to }: Interval, uploads: Pick<Uploads, 'truthAt'>): string[] {
  const sure = uploads.truthAt(Math.max(instant, Date.parse(from)));
  const atMost = uploads.truthAt(Date.parse(to));
  return [
    ...[...sure].flatMap(([path, was]) => {
      const is = held.get(path);
      if (is === was) return [];
      return [is === undefined ? `uploads: ${path} is missing.` : `uploads: ${path} is not what it was.`];
    }),
    ...[...held].flatMap(([path, is]) =>
      sure.has(path) || atMost.get(path) === is ? [] : [`uploads: ${path} is there, and was not before ${to}.`],
    ),
  ];
}

/** The incident reaches them too: a clean-up deletes what it should not. */
export function eatUploads(site: Site, fileSystem: string): string {
  const tree = treeOf(site, fileSystem);
  const eaten = tree.list().filter((_, i) => i % 2 === 0);
  for (const path of eaten) tree.remove(path);
  return `${eaten.length} uploads on ${fileSystem} were deleted.`;
}
