import type { Clock } from '../../functions/aws/clock.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import type { Random } from '../../local/world/random.ts';
import { balanceAfter, Database, type Disk, type Entry, type Frozen, inspect, writeHeader } from './database.ts';
import { type Site, until } from './door.ts';
import { type Making, type Reading, type Sort, type Store, sumOf, type Transfer } from './store.ts';
import type { Trace } from './traces.ts';

/** After how many milliseconds what was answered too early reaches the volume after all. */
const FORGETFUL = [500, 3000] as const;

/** The database on the volume: one process, one journal, one write at a time. */
class LedgerStore implements Store {
  /** When each entry was written and when it had reached the volume, in the journal's order: the truth about what the volume held when. */
  readonly #history: { readonly entry: Entry; readonly writtenAt: number; safeAt: number }[] = [];
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Whether each write is flushed before it is answered. A process that forgets this loses what it has promised. */
  readonly #flushes: boolean;
  #turn: Promise<unknown> = Promise.resolve();
  #dirty = false;
  #later: Promise<void> | undefined;

  constructor(options: { database: Database; clock: Clock; random: Random; flushes: boolean }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#flushes = options.flushes;
  }

  open(account: string, cents: number): void {
    this.#append({ does: 'open', account, cents });
    this.flush();
  }

  payer(random: Random, cents: number) {
    const payer = random.pick(this.#database.accounts);
    return this.#database.balance(payer) >= cents ? { payer, cents } : undefined;
  }

  debit({ id, payer, cents, to }: Transfer): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#database.has(id)) return true;
      if (this.#database.balance(payer) < cents) return false;
      await this.#write({ does: 'debit', account: payer, cents, transfer: id, other: to });
      return true;
    });
  }

  credit({ id, cents, from }: Transfer, random: Random): Promise<void> {
    const account = random.pick(this.#database.accounts);
    return this.#inTurn(async () => {
      if (!this.#database.has(id)) await this.#write({ does: 'credit', account, cents, transfer: id, other: from });
    });
  }

  async position(): Promise<string> {
    return this.#database.position;
  }

  /** Says on the disk that the shop holds still, or that it is awake. */
  async leave(frozen: Frozen | undefined): Promise<void> {
    this.#database.mark(frozen);
    this.#dirty = true;
    this.#soonOrLate();
  }

  truthAt(at: Date): Reading {
    return readEntries(this.#history.filter(({ safeAt }) => safeAt <= at.getTime()).map(({ entry }) => entry));
  }

  /** All that had reached the volume, and of what was written but not flushed any beginning, as the host's cache writes back when it likes. */
  *possibleBetween(from: Date, to: Date): Generator<Reading> {
    const least = this.#history.filter(({ safeAt }) => safeAt <= from.getTime()).length;
    const most = this.#history.filter(({ writtenAt }) => writtenAt <= to.getTime()).length;
    for (let count = least; count <= most; count++) yield readEntries(this.#history.slice(0, count).map(({ entry }) => entry));
  }

  /** Whether something was written that has not reached the volume. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** Brings everything that was written to the volume. */
  flush(): void {
    this.#database.flush();
    this.#dirty = false;
    this.#later = undefined;
    for (const one of this.#history.toReversed()) {
      if (Number.isFinite(one.safeAt)) break;
      one.safeAt = this.#clock.now();
    }
  }

  async #write(entry: Entry): Promise<void> {
    this.#append(entry);
    await this.#clock.sleep(this.#random.between(1, 4));
    this.#soonOrLate();
  }

  /** At once, as a database should; or some time later, for all that has come together until then. */
  #soonOrLate(): void {
    if (this.#flushes) this.flush();
    else this.#later ??= this.#clock.sleep(this.#random.between(...FORGETFUL)).then(() => this.flush());
  }

  #append(entry: Entry): void {
    this.#database.append(entry);
    this.#dirty = true;
    this.#history.push({ entry, writtenAt: this.#clock.now(), safeAt: Number.POSITIVE_INFINITY });
  }

  /** A second write begins when the first has reached the volume, so a crash tears at most the last record. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function readEntries(entries: readonly Entry[]): Reading {
  const balances = new Map<string, number>();
  for (const entry of entries) balances.set(entry.account, balanceAfter(balances.get(entry.account) ?? 0, entry));
  return {
    held: new Map(entries.map((entry, index) => [`entry ${String(index + 1).padStart(6, '0')}`, JSON.stringify(entry)])),
    halves: entries.flatMap((entry) => (entry.does === 'open' ? [] : [entry])),
    cents: sumOf(balances.values()),
  };
}

/** The bytes of a volume, as a process on the instance that mounts it reads and writes them. */
const diskOf = ({ world, place }: Site, volume: string): Disk => world.state<Ec2State>('ec2', place).disk(volume);

/** The header of a database on any disk, such as a restored one. */
function headerOn(site: Site, volume: string): Trace {
  const disk = diskOf(site, volume);
  const mark = async (frozen: Frozen | undefined) => {
    writeHeader(disk, frozen);
    disk.flush();
  };
  return {
    where: `the database on ${volume}`,
    leave: mark,
    undo: () => mark(undefined),
    stands: async () => inspect(disk).frozen !== undefined,
  };
}

/** A volume of the node on which the shop's database runs. */
async function make({ aws, clock, place }: Site, { key }: Making): Promise<string> {
  const zone = zoneOf(place);
  const [{ Instances = [] }, { VolumeId }] = await Promise.all([
    aws.runInstances({
      ImageId: 'ami-0a1b2c3d4e5f60718',
      InstanceType: 'm6i.large',
      MinCount: 1,
      MaxCount: 1,
      Placement: { AvailabilityZone: zone },
      ClientToken: 'shop-node',
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'shop-node' }] }],
    }),
    aws.createVolume({
      AvailabilityZone: zone,
      Size: 1,
      VolumeType: 'gp3',
      Encrypted: true,
      KmsKeyId: key,
      ClientToken: 'shop-ledger',
      TagSpecifications: [
        {
          ResourceType: 'volume',
          Tags: [
            { Key: 'app', Value: 'shop' },
            { Key: 'Name', Value: 'shop-ledger' },
          ],
        },
      ],
    }),
  ]);
  const InstanceId = Instances[0]!.InstanceId!;
  await available({ aws, clock }, VolumeId!);
  await until(clock, 5, async () => {
    const { Reservations = [] } = await aws.describeInstances({ InstanceIds: [InstanceId] });
    return Reservations[0]?.Instances?.[0]?.State?.Name === 'running' || undefined;
  });
  await aws.attachVolume({ InstanceId, VolumeId: VolumeId!, Device: '/dev/sdf' });
  return VolumeId!;
}

export const zoneOf = ({ region }: Site['place']): string => `${region}a`;

const available = ({ aws, clock }: Pick<Site, 'aws' | 'clock'>, volume: string): Promise<true> =>
  until(clock, 5, async () => {
    const { Volumes = [] } = await aws.describeVolumes({ VolumeIds: [volume] });
    return Volumes[0]?.State === 'available' || undefined;
  });

async function backUp({ aws, clock, place }: Site, VolumeId: string): Promise<() => Promise<string>> {
  const { SnapshotId } = await until(clock, 5, () => aws.createSnapshot({ VolumeId }).catch(unlessTooSoon));
  return async () => {
    await until(clock, 15, async () => {
      const { Snapshots = [] } = await aws.describeSnapshots({ SnapshotIds: [SnapshotId!] });
      return Snapshots[0]?.State === 'completed' || undefined;
    });
    const restored = await aws.createVolume({ SnapshotId: SnapshotId!, AvailabilityZone: zoneOf(place), VolumeType: 'gp3' });
    await available({ aws, clock }, restored.VolumeId!);
    return restored.VolumeId!;
  };
}

/** Whoever else takes snapshots of the volume may just have taken one (EC2 error codes, SnapshotCreationPerVolumeRateExceeded). */
const unlessTooSoon = (error: Error): undefined => {
  if (error.name !== 'SnapshotCreationPerVolumeRateExceeded') throw error;
};

export const ledgers: Sort<'volume'> = {
  word: 'volume',
  arn: ({ account, region }, name) => `arn:aws:ec2:${region}:${account}:volume/${name}`,
  make,
  async open(name, { site, stock, random, flushes }) {
    const store = new LedgerStore({ database: Database.format(diskOf(site, name)), clock: site.clock, random, flushes });
    for (let i = 1; i <= stock.accounts; i++) store.open(`customer-${i}`, ACCOUNT_CENTS);
    return store;
  },
  async read(site, name) {
    const { entries, frozen, damage } = inspect(diskOf(site, name));
    return { ...readEntries(entries), frozen: frozen !== undefined, damage };
  },
  trace: headerOn,
  async eat(site, name, random) {
    const disk = diskOf(site, name);
    const scribble = random.bytes(500);
    disk.write(4096 + 16 * random.integer(4, 24), scribble);
    disk.flush();
    return `${scribble.length} bytes of the database on ${name} were overwritten.`;
  },
  backUp,
};

const ACCOUNT_CENTS = 200_000;
