import { objection } from '../../world/authorization/authorize.ts';
import type { Guard } from '../../world/authorization/evaluate.ts';
import { refuse, type StateContext } from '../../world/service.ts';
import type { Caller, World } from '../../world/world.ts';
import { type Grant, Key } from './key.ts';
import { accountDecides, namesOf, policyIn, throughService } from './policy.ts';

/** Who asks for a key to be used, through which service if any, and bound to which encryption context. */
export interface Asking {
  readonly caller: Caller;
  /** As `ec2.eu-west-1.amazonaws.com`. */
  readonly via?: string | undefined;
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
}

/** The keys of one region of an account. */
export class KmsState {
  readonly keys = new Map<string, Key>();
  readonly aliases = new Map<string, { target: string; readonly createdAt: Date; updatedAt: Date }>();
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
    return this.#keep(
      new Key({
        id,
        arn: this.arn('key', id),
        createdAt: this.#now(),
        spec: 'SYMMETRIC_DEFAULT',
        usage: 'ENCRYPT_DECRYPT',
        manager: 'CUSTOMER',
        description: '',
        policy: accountDecides(this.#account),
        tags: {},
        ...options,
        multiRegion,
      }),
    );
  }

  /** Keeps a replica here of a key of another region: id and material are the same, all else is its own (KMS guide, "Multi-Region keys"). */
  replicate(original: Key, options: Partial<Pick<Key, 'description' | 'policy' | 'tags'>>): Key {
    const { id, spec, usage } = original;
    const own = { description: '', policy: accountDecides(this.#account), tags: {}, ...options };
    const arn = this.arn('key', id);
    return this.#keep(
      new Key({ id, arn, createdAt: this.#now(), spec, usage, manager: 'CUSTOMER', multiRegion: true, ...own }, original),
    );
  }

  #keep(key: Key): Key {
    this.keys.set(key.id, key);
    return key;
  }

  /** A key that is deleted takes its aliases with it (KMS guide, "Deleting KMS keys"). */
  remove(key: Key): void {
    this.keys.delete(key.id);
    for (const [name, { target }] of this.aliases) if (target === key.id) this.aliases.delete(name);
  }

  /** By id, ARN, alias or alias ARN. Keys of AWS's own come to be when they are first used (KMS guide, "AWS managed keys"). */
  find(name: string | undefined): Key {
    const text = name ?? '';
    const local = text.startsWith(`arn:aws:kms:${this.#region}:${this.#account}:`) ? text.split(':').slice(5).join(':') : text;
    const alias = local.startsWith('alias/') ? local : undefined;
    if (alias?.startsWith('alias/aws/') && !this.aliases.has(alias)) {
      const key = this.create({
        manager: 'AWS',
        policy: throughService(this.#account, this.#region, alias),
        description: `Default key that protects my ${alias.slice(10)} data when no other key is defined`,
      });
      this.aliases.set(alias, { target: key.id, createdAt: key.createdAt, updatedAt: key.createdAt });
    }
    const id = alias ? this.aliases.get(alias)?.target : local.replace(/^key\//, '');
    const found = this.keys.get(id ?? '');
    if (found) return found;
    if (alias) return refuse('NotFoundException', `Alias ${this.arn('alias', alias)} is not found.`);
    return refuse('NotFoundException', `Key '${text.startsWith('arn:') ? text : this.arn('key', text)}' does not exist`);
  }

  /**
   * The key that a request names: of this account or, by its ARN, of another account in this region, whose policy or grants must let the
   * caller do all of `operations` (KMS guide, "Allowing users in other accounts to use a KMS key").
   */
  reach(name: string | undefined, operations: readonly string[], asking: Asking): Key {
    const [, , , region, owner] = name?.startsWith('arn:') ? name.split(':') : [];
    if (region !== undefined && region !== this.#region) refuse('NotFoundException', `Invalid arn ${region}`);
    const key = (owner === undefined ? this : this.#of(owner)).find(name);
    for (const operation of operations) {
      const sentence = this.objection(key, operation, asking);
      if (sentence !== undefined) refuse('AccessDeniedException', sentence);
    }
    return key;
  }

  /** The key in this region that a key's ARN names, whoever owns it; for a multi-Region key, its replica here. */
  here(arn: string): Key | undefined {
    const [, , , region, owner, resource] = arn.split(':');
    const id = resource?.replace(/^key\//, '') ?? '';
    return owner && (region === this.#region || id.startsWith('mrk-')) ? this.#of(owner).keys.get(id) : undefined;
  }

  /** Why a caller may not use a key; undefined where it may. */
  objection(key: Key, operation: string, asking: Asking): string | undefined {
    const { caller, via, encryptionContext = {} } = asking;
    const keys = {
      ...this.keysOf(key, caller),
      'kms:viaservice': via,
      'kms:grantisforawsresource': operation === 'CreateGrant' ? String(via !== undefined) : undefined,
      'kms:encryptioncontextkeys': Object.keys(encryptionContext),
      ...Object.fromEntries(
        Object.entries(encryptionContext).map(([name, value]) => [`kms:encryptioncontext:${name.toLowerCase()}`, value]),
      ),
    };
    return objection(
      {
        action: `kms:${operation}`,
        resource: key.arn,
        keys,
        tags: () => key.tags,
        guard: { ...this.guardOf(key), grants: isGranted(key, operation, asking) },
      },
      { world: this.#world, caller, region: this.#region },
    );
  }

  /** Nobody may use a key whom its policy does not let, or let its account decide on (KMS guide, "Key policies"). */
  guardOf = (key: Key): Guard => ({ policy: policyIn(key.policy), decides: true });

  /** KMS guide, "Condition keys for AWS KMS". */
  keysOf = (key: Key, caller: Caller): Record<string, string | readonly string[]> => ({
    'kms:calleraccount': caller.account,
    'kms:keyspec': key.spec,
    'kms:keyusage': key.usage,
    'kms:multiregion': String(key.multiRegion),
    'kms:resourcealiases': [...this.#of(key.owner).aliases].filter(([, { target }]) => target === key.id).map(([name]) => name),
  });

  /** A key that can encrypt and decrypt now; for other services, which encrypt on a caller's behalf. */
  usable(name: string): Key {
    return this.find(name).usable('ENCRYPT_DECRYPT');
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.keys.values()].filter(({ manager }) => manager === 'CUSTOMER').map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    return this.#retag(arn, (before) => ({ ...before, ...tags }));
  }

  untagResource(arn: string, keys: readonly string[]): boolean {
    return this.#retag(arn, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))));
  }

  #retag(arn: string, change: (before: Record<string, string>) => Record<string, string>): boolean {
    const key = [...this.keys.values()].find((one) => one.arn === arn);
    if (key) key.tags = change(key.tags);
    return key !== undefined;
  }

  #of(account: string): KmsState {
    return account === this.#account ? this : this.#world.state<KmsState>('kms', { account, region: this.#region });
  }

  #now(): Date {
    return new Date(this.#world.clock.now());
  }
}

function isGranted(key: Key, operation: string, { caller, encryptionContext }: Asking): boolean {
  const names = namesOf(caller);
  return [...key.grants.values()].some(
    ({ GranteePrincipal = '', Operations = [], Constraints }) =>
      names.includes(GranteePrincipal) &&
      (Operations as readonly string[]).includes(operation) &&
      meets(Constraints, encryptionContext),
  );
}

/** A grant may be bound to an encryption context (KMS API, GrantConstraints). */
function meets(constraints: Grant['Constraints'], context: Readonly<Record<string, string>> = {}): boolean {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  const holds = (wanted: Readonly<Record<string, string>> = {}) =>
    Object.entries(wanted).every(([name, value]) => context[name] === value);
  return holds(subset) && holds(equals) && (!equals || Object.keys(equals).length === Object.keys(context).length);
}
