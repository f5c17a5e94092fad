import type * as SDK from '@aws-sdk/client-kms';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import { Key } from './key.ts';

export class KmsState {
  readonly keys = new Map<string, Key>();
  readonly aliases = new Map<string, { readonly target: string; readonly createdAt: Date }>();
  readonly grants = new Map<string, SDK.GrantListEntry & { readonly GrantToken: string }>();
  readonly #account: string;
  readonly #region: string;
  readonly #world: World;

  constructor({ account, region, world }: StateContext) {
    this.#account = account;
    this.#region = region;
    this.#world = world;
  }

  arn(kind: 'key' | 'alias', name: string): string {
    return `arn:aws:kms:${this.#region}:${this.#account}:${kind === 'key' ? `key/${name}` : name}`;
  }

  create(
    options: Partial<Pick<Key, 'spec' | 'usage' | 'description' | 'policy' | 'tags' | 'manager' | 'multiRegion'>> = {},
  ): Key {
    const multiRegion = options.multiRegion ?? false;
    const id = multiRegion ? `mrk-${this.#world.random.hex(32)}` : this.#world.random.uuid();
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${this.#account}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    });
    const key = new Key({
      id,
      arn: this.arn('key', id),
      createdAt: new Date(this.#world.clock.now()),
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      manager: 'CUSTOMER',
      description: '',
      policy,
      tags: {},
      ...options,
      multiRegion,
    });
    this.keys.set(id, key);
    return key;
  }

  /** By id, ARN, alias or alias ARN. Keys of AWS's own come to be when they are first used (KMS guide, "AWS managed keys"). */
  find(name: string | undefined): Key {
    const text = name ?? '';
    const local = text.startsWith(`arn:aws:kms:${this.#region}:${this.#account}:`) ? text.split(':').slice(5).join(':') : text;
    const alias = local.startsWith('alias/') ? local : undefined;
    if (alias?.startsWith('alias/aws/') && !this.aliases.has(alias)) {
      const key = this.create({
        manager: 'AWS',
        description: `Default key that protects my ${alias.slice(10)} data when no other key is defined`,
      });
      this.aliases.set(alias, { target: key.id, createdAt: key.createdAt });
    }
    const id = alias ? this.aliases.get(alias)?.target : local.replace(/^key\//, '');
    const found = this.keys.get(id ?? '');
    if (found) return found;
    if (alias) return refuse('NotFoundException', `Alias ${this.arn('alias', alias)} is not found.`);
    return refuse('NotFoundException', `Key '${text.startsWith('arn:') ? text : this.arn('key', text)}' does not exist`);
  }

  /** A key that can encrypt and decrypt now; for other services, which encrypt on a caller's behalf. */
  usable(name: string): Key {
    return this.find(name).usable('ENCRYPT_DECRYPT');
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.keys.values()].map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const key = [...this.keys.values()].find((one) => one.arn === arn);
    if (key) Object.assign(key.tags, tags);
    return key !== undefined;
  }
}
