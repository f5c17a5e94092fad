import { type Context, refuse } from '../../world/service.ts';
import type { Ec2State } from '../ec2/state.ts';
import type { Instance, Settings, Tags } from './instance.ts';
import { Store } from './sql/store.ts';
import type { RdsState } from './state.ts';

/** DB instances of an account in a region (RDS guide, "Quotas and constraints"). */
export const MOST_INSTANCES = 40;
/** Seconds that the first backup of an instance takes; only then can its log be asked. */
const FIRST_BACKUP = [60, 240] as const;

interface Making {
  readonly id: string;
  readonly settings: Settings;
  readonly tags: Tags;
  /** Seconds until it is there. */
  readonly seconds: readonly [number, number];
  /** What it holds in the beginning, asked for when it is there; throws where that cannot be had any more. */
  readonly content?: () => Uint8Array;
  readonly zone?: string | undefined;
  /** The cluster that it joins, and what that holds. */
  readonly member?: { readonly of: NonNullable<Instance['cluster']>; readonly store: Store };
}

/** A new instance, `creating` first; then its first backup, then `available` (RDS guide, "Viewing Amazon RDS DB instance status"). */
export function makeInstance(
  { id, settings, tags, seconds, content, zone, member }: Making,
  context: Context<RdsState>,
): Instance {
  const { state, world, after } = context;
  if (state.instances.has(id)) refuse('DBInstanceAlreadyExistsFault', 'DB instance already exists');
  if (state.instances.size >= MOST_INSTANCES)
    refuse(
      'InstanceQuotaExceededFault',
      `DB Instance quota exceeded. Current number of DB instances: ${MOST_INSTANCES}, quota: ${MOST_INSTANCES}`,
    );
  const dice = world.random.stream(`rds/${state.arn('db', id)}/${world.clock.now()}`);
  const instance: Instance = {
    id,
    ...(member ? { cluster: member.of } : {}),
    resourceId: `db-${dice.hex(26).toUpperCase()}`,
    createdAt: new Date(world.clock.now()),
    zone: zone ?? (context.peer<Ec2State>('ec2').zones[0] as string),
    store: member?.store ?? new Store(world.clock.now()),
    uploadsAt: dice.integer(0, 299),
    settings,
    status: 'creating',
    backedUpSince: undefined,
    backupId: `ab-${dice.hex(32)}`,
    pending: {},
    tags,
  };
  state.instances.set(id, instance);
  after(seconds, () => {
    if (instance.status !== 'creating') return;
    if (content) instance.store.fill(content(), world.clock.now());
    if (settings.retentionDays > 0 && !member) beginBackups(instance, context);
    else instance.status = 'available';
  });
  return instance;
}

/** Takes the backup from which on the log can be asked. */
export function beginBackups(instance: Instance, { world, after }: Context<RdsState>): void {
  const since = world.clock.now();
  instance.status = 'backing-up';
  after(FIRST_BACKUP, () => {
    if (instance.status !== 'backing-up') return;
    instance.backedUpSince = since;
    instance.status = 'available';
  });
}
