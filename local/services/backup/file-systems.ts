import type * as SDK from '@aws-sdk/client-efs';
import type { Place, World } from '../../world/world.ts';
import type { EfsState, FileSystem } from '../elasticfilesystem/state.ts';

/** What a recovery point holds of a file system: its files and what it was made with; no access points, mount targets or policies. */
export interface SavedFileSystem {
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly encrypted: boolean;
  readonly performanceMode: SDK.PerformanceMode;
  readonly tags: Readonly<Record<string, string>>;
}

/** Files and bytes that a job takes in a second (AWS Backup guide, "Amazon EFS performance"). */
const FILES_A_SECOND = 500;
const BYTES_A_SECOND = 100_000_000;

const ARN = /^arn:aws:elasticfilesystem:[^:]*:[^:]*:file-system\/(fs-[0-9a-f]+)$/;
export const isFileSystem = (arn: string): boolean => ARN.test(arn);

export const sizeOf = (saved: SavedFileSystem | undefined): number =>
  [...(saved?.files.values() ?? [])].reduce((sum, bytes) => sum + bytes.length, 0);

const efs = (world: World, place: Place): EfsState => world.state<EfsState>('elasticfilesystem', place);

/** The file system that an ARN names, where it can be read. */
export const readable = (world: World, place: Place, arn: string): FileSystem | undefined => {
  const found = efs(world, place).fileSystems.get(ARN.exec(arn)?.[1] ?? '');
  return found?.state === 'available' || found?.state === 'updating' ? found : undefined;
};

export const walkSeconds = ({ files }: Pick<FileSystem, 'files'>): number =>
  files.list().length / FILES_A_SECOND + files.bytes / BYTES_A_SECOND;

/**
 * A live tree is read while it changes: each file is as it was at an instant of its own within the walk (AWS Backup guide: changes made
 * during a backup "may result in duplicated, skewed, or excluded data"). The seed chooses the instants.
 */
export function save(of: FileSystem, from: Date, to: Date, world: World): SavedFileSystem {
  return {
    id: of.id,
    files: of.files.walk(() => world.random.between(from.getTime(), to.getTime())),
    encrypted: of.encrypted,
    performanceMode: of.performanceMode,
    tags: { ...of.tags },
  };
}

/** What StartRestoreJob must be told for a file system, as text (AWS Backup API, StartRestoreJob). */
const NEEDED = ['file-system-id', 'newFileSystem', 'Encrypted', 'PerformanceMode'] as const;

export type RestoreMetadata = Readonly<Record<string, string>>;

export const restoreMetadataOf = ({ id, encrypted, performanceMode }: SavedFileSystem): RestoreMetadata => ({
  'file-system-id': id,
  Encrypted: String(encrypted),
  PerformanceMode: performanceMode,
  newFileSystem: 'false',
});

/** Why this metadata restores nothing, or nothing. */
export function metadataTrouble(metadata: RestoreMetadata): string | undefined {
  const missing = NEEDED.filter((name) => metadata[name] === undefined);
  if (missing.length > 0) return `Metadata lacks ${missing.join(', ')}.`;
  if (isTrue(metadata['newFileSystem']) && !metadata['CreationToken'])
    return 'Metadata lacks CreationToken, which a new file system needs.';
  if (metadata['KmsKeyId'] && !isTrue(metadata['Encrypted'])) return 'KmsKeyId is given, so Encrypted must be true.';
  return undefined;
}

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

/** Makes or finds the file system that a restore goes into. Refuses as EFS does. */
export function target(
  metadata: RestoreMetadata,
  tags: Readonly<Record<string, string>>,
  world: World,
  place: Place,
): FileSystem {
  if (!isTrue(metadata['newFileSystem'])) return efs(world, place).available(metadata['file-system-id']);
  return efs(world, place).create({
    token: metadata['CreationToken'] as string,
    encrypted: isTrue(metadata['Encrypted']),
    performanceMode: metadata['PerformanceMode'] as SDK.PerformanceMode,
    tags: { ...tags },
    ...(metadata['KmsKeyId'] ? { key: metadata['KmsKeyId'] } : {}),
  });
}

/**
 * Writes the files back: into the root of a new file system, else into a directory of its own, so that nothing is written over (AWS Backup
 * guide, "Restore an Amazon EFS file system"). `itemsToRestore` is JSON: paths of files or directories.
 */
export function writeBack(saved: SavedFileSystem, into: FileSystem, metadata: RestoreMetadata, at: Date): void {
  const root = isTrue(metadata['newFileSystem']) ? '' : `/aws-backup-restore_${at.toISOString().replaceAll(/[:.]/g, '-')}`;
  const wanted = metadata['itemsToRestore'] ?? metadata['ItemsToRestore'];
  const items = wanted === undefined ? undefined : (JSON.parse(wanted) as string[]);
  for (const [path, bytes] of saved.files) {
    if (items && !items.some((item) => path === item || path.startsWith(`${item.replace(/\/$/, '')}/`))) continue;
    into.files.write(`${root}${path}`, bytes);
  }
}
