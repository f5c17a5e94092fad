import type * as SDK from '@aws-sdk/client-efs';
import { Refusal, refuse, type StateContext } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import { givenId } from '../given-ids.ts';
import type { KmsState } from '../kms/state.ts';
import { Tree } from './tree.ts';

export type Tags = Record<string, string>;

export interface FileSystem {
  readonly id: string;
  readonly arn: string;
  readonly token: string;
  readonly createdAt: Date;
  readonly performanceMode: SDK.PerformanceMode;
  readonly encrypted: boolean;
  readonly key: string | undefined;
  /** One Zone file systems live in one zone. */
  readonly zone: string | undefined;
  readonly files: Tree;
  state: SDK.LifeCycleState;
  throughputMode: SDK.ThroughputMode;
  provisioned: number | undefined;
  lifecycle: SDK.LifecyclePolicy[];
  /** Whether AWS Backup's own default plan protects it. */
  backup: boolean;
  policy: string | undefined;
  tags: Tags;
}

export interface AccessPoint {
  readonly id: string;
  readonly arn: string;
  readonly fileSystem: string;
  readonly token: string;
  readonly user: SDK.PosixUser | undefined;
  readonly root: SDK.RootDirectory;
  state: SDK.LifeCycleState;
  tags: Tags;
}

export interface MountTarget {
  readonly id: string;
  readonly fileSystem: string;
  readonly subnet: string;
  readonly vpc: string;
  readonly zone: string;
  readonly address: string;
  readonly networkInterface: string;
  state: SDK.LifeCycleState;
  securityGroups: readonly string[];
}

/** What a new file system is made of; everything else has AWS's defaults. */
export type NewFileSystem = Pick<FileSystem, 'token'> &
  Partial<
    Pick<FileSystem, 'performanceMode' | 'throughputMode' | 'provisioned' | 'encrypted' | 'key' | 'zone' | 'backup' | 'tags'>
  >;

/** Seconds until a new file system, access point or mount target can be used: AWS promises nothing, the seed decides. */
const CREATING = [2, 30] as const;

export class EfsState {
  readonly fileSystems = new Map<string, FileSystem>();
  readonly accessPoints = new Map<string, AccessPoint>();
  readonly mountTargets = new Map<string, MountTarget>();
  readonly world: World;
  readonly account: string;
  readonly region: string;
  /** Every id that was ever given: a namesake of what is gone has another. */
  readonly #given = new Set<string>();

  constructor({ account, region, world }: StateContext) {
    this.account = account;
    this.region = region;
    this.world = world;
  }

  /** The files of a file system, as the hosts that mount it see them: no API of AWS offers this. */
  files(id: string): Tree {
    const found = this.fileSystems.get(id);
    if (!found) throw new Error(`There is no file system ${id} in ${this.account}/${this.region}.`);
    return found.files;
  }

  fileSystem(name: string | undefined): FileSystem {
    const id = name?.split('/').at(-1) ?? '';
    return this.fileSystems.get(id) ?? refused('FileSystemNotFound', `File system '${id}' does not exist.`);
  }

  /** One that can be used now. */
  available(name: string | undefined): FileSystem {
    const found = this.fileSystem(name);
    if (found.state === 'available' || found.state === 'updating') return found;
    return refused('IncorrectFileSystemLifeCycleState', `File system '${found.id}' is in the state '${found.state}'.`);
  }

  accessPoint(name: string | undefined): AccessPoint {
    const id = name?.split('/').at(-1) ?? '';
    return this.accessPoints.get(id) ?? refused('AccessPointNotFound', `Access point ${id} does not exist.`);
  }

  /** Makes a file system. One token makes one file system (EFS API, CreateFileSystem). */
  create({ token, encrypted = false, key, ...more }: NewFileSystem): FileSystem {
    const known = [...this.fileSystems.values()].find((one) => one.token === token);
    if (known)
      refused('FileSystemAlreadyExists', `File system '${known.id}' already exists with creation token '${token}'`, {
        FileSystemId: known.id,
      });
    if (key !== undefined && !encrypted) refused('BadRequest', 'KmsKeyId is given, so Encrypted must be true.');
    const id = givenId('fs', [this.account, this.region, token], (one) => this.#given.has(one));
    this.#given.add(id);
    const made: FileSystem = {
      id,
      arn: this.arn('file-system', id),
      token,
      createdAt: new Date(this.world.clock.now()),
      performanceMode: more.performanceMode ?? 'generalPurpose',
      encrypted,
      key: encrypted ? this.#usableKey(key ?? 'alias/aws/elasticfilesystem') : undefined,
      zone: more.zone,
      files: new Tree(() => this.world.clock.now()),
      state: 'creating',
      throughputMode: more.throughputMode ?? 'bursting',
      provisioned: more.provisioned,
      lifecycle: [],
      backup: more.backup ?? more.zone !== undefined, // One Zone file systems are backed up unless told otherwise (EFS API)
      policy: undefined,
      tags: more.tags ?? {},
    };
    this.fileSystems.set(id, made);
    this.soon(() => this.#become(made, 'available'));
    return made;
  }

  #become(made: FileSystem, state: SDK.LifeCycleState): void {
    if (made.state === 'creating') made.state = state;
  }

  #usableKey(name: string): string {
    const kms = this.world.state<KmsState>('kms', { account: this.account, region: this.region });
    try {
      return kms.usable(name).arn;
    } catch (error) {
      if (error instanceof Refusal) refused('BadRequest', `The key '${name}' cannot be used: ${error.message}`);
      throw error;
    }
  }

  soon(run: () => void): void {
    this.world.clock.after(this.world.random.between(...CREATING) * 1000, run);
  }

  arn(type: 'file-system' | 'access-point', id: string): string {
    return `arn:aws:elasticfilesystem:${this.region}:${this.account}:${type}/${id}`;
  }

  mountTargetsOf({ id }: Pick<FileSystem, 'id'>): MountTarget[] {
    return [...this.mountTargets.values()].filter(({ fileSystem }) => fileSystem === id);
  }

  /** What bears tags by its id or ARN. */
  tagged(name: string | undefined): { tags: Tags } {
    return name?.includes('fsap-') ? this.accessPoint(name) : this.fileSystem(name);
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return [...this.fileSystems.values(), ...this.accessPoints.values()].map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Tags>): boolean {
    const found = [...this.fileSystems.values(), ...this.accessPoints.values()].find((one) => one.arn === arn);
    if (found) Object.assign(found.tags, tags);
    return found !== undefined;
  }
}

/** EFS's errors say their name once more in `ErrorCode`. */
export function refused(code: string, message: string, fields: Record<string, unknown> = {}): never {
  return refuse(code, message, { ErrorCode: code, ...fields });
}

export const tagsOf = (tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Tags =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key as string, Value ?? '']));
export const tagList = (tags: Readonly<Tags>): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
