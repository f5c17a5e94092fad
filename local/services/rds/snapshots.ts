import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../world/service.ts';
import { withoutMember } from './clusters/members.ts';
import { isManaged, keyAt } from './encryption.ts';
import { optionGroupFor } from './groups/group.ts';
import { wrongState } from './instances.ts';
import { identifier, paged, passes } from './paging.ts';
import { beginSnapshot, describeSnapshot, refuseTaken, type Snapshot } from './snapshot.ts';
import type { RdsState } from './state.ts';
import { tagsOf } from './tags.ts';

const COPYING = [120, 1200] as const;
/** Copies from other regions in progress at a time (RDS guide, "Copying a DB snapshot", "Limitations"). */
const MOST_COPIES = 20;
/** Accounts that a manual snapshot can be shared with (RDS guide, "Sharing a DB snapshot"). */
const MOST_SHARES = 20;

/** The snapshot that a name or ARN says, of this region or, by its ARN, of another; one of another account must be shared. */
function sourceOf(
  name: string | undefined,
  { state, account, region, world }: Context<RdsState>,
): { source: Snapshot; owner: RdsState } {
  const [, , , sourceRegion = region, sourceAccount = account] = name?.startsWith('arn:') ? name.split(':') : [];
  if (sourceRegion !== region && world.dark.has(sourceRegion))
    refuse('ServiceUnavailable', `The source region ${sourceRegion} is not available.`, { status: 503 });
  const owner = world.state<RdsState>('rds', { account: sourceAccount, region: sourceRegion });
  const source = owner.snapshot(name);
  if (owner !== state && sourceAccount !== account && !source.sharedWith.includes(account) && !source.sharedWith.includes('all'))
    refuse('DBSnapshotNotFoundFault', `DBSnapshot ${name} not found.`, { status: 404 });
  return { source, owner };
}

/** The key of a copy. In another region, one of there must be named for what is encrypted (RDS guide, "Copying a DB snapshot", "Encryption"). */
function keyOfCopy(
  { source, owner }: ReturnType<typeof sourceOf>,
  wanted: string | undefined,
  context: Context<RdsState>,
): string | undefined {
  const { account, region, world } = context;
  if (source.key && isManaged(source.key, owner.place, world) && owner.place.account !== account)
    refuse(
      'InvalidDBSnapshotStateFault',
      `Snapshot ${source.id} is encrypted with the default key of its account, so it cannot be copied into another.`,
    );
  if (source.key) keyAt(source.key, owner.place, context);
  if (wanted) return keyAt(wanted, context, context);
  if (source.key && owner.place.region !== region)
    refuse('InvalidParameterCombination', 'KmsKeyId must be specified when copying an encrypted snapshot from another region.');
  return source.key;
}

export const snapshots = operations<typeof SDK, RdsState>()({
  CreateDBSnapshot({ DBInstanceIdentifier, DBSnapshotIdentifier, Tags }, context) {
    const instance = context.state.instance(DBInstanceIdentifier);
    const id = identifier(DBSnapshotIdentifier, 'DBSnapshotIdentifier', 255);
    refuseTaken(id, context.state);
    withoutMember(instance, 'snapshotted');
    if (!['available', 'storage-optimization'].includes(instance.status)) wrongState(instance, 'a snapshot');
    return { DBSnapshot: describeSnapshot(beginSnapshot(instance, { id, tags: tagsOf(Tags) }, context), context.state) };
  },

  /** Called in the destination region, which pulls (RDS API, CopyDBSnapshot). */
  CopyDBSnapshot(input, context) {
    const { state, world, after, region } = context;
    const found = sourceOf(input.SourceDBSnapshotIdentifier, context);
    const { source, owner } = found;
    const id = identifier(input.TargetDBSnapshotIdentifier, 'TargetDBSnapshotIdentifier', 255);
    refuseTaken(id, state);
    if (source.status !== 'available')
      refuse('InvalidDBSnapshotStateFault', `DBSnapshot must have state available but actually has ${source.status}`);
    const abroad = owner.place.region !== region;
    const copying = [...state.snapshots.values()].filter(
      ({ status, copyOf }) => status === 'copying' && copyOf?.region !== region,
    );
    if (abroad && copying.length >= MOST_COPIES)
      refuse('SnapshotQuotaExceededFault', `Cannot create more than ${MOST_COPIES} cross-region snapshot copies in progress`);
    const copy: Snapshot = {
      ...source,
      id,
      key: keyOfCopy(found, input.KmsKeyId, context),
      settings: {
        ...source.settings,
        optionGroup: optionGroupFor(
          input.OptionGroupName ?? (abroad ? undefined : source.settings.optionGroup),
          source.settings,
          context,
        ),
      },
      takenAt: world.clock.now(),
      copyOf: { arn: owner.arn('snapshot', source.id), region: owner.place.region },
      status: 'copying',
      image: undefined,
      sharedWith: [],
      tags: { ...(input.CopyTags ? source.tags : {}), ...tagsOf(input.Tags) },
    };
    state.snapshots.set(id, copy);
    const { image } = source;
    after(COPYING, () => {
      const lost = abroad && world.dark.has(owner.place.region); // the bytes come from there while the copy is under way
      Object.assign(copy, lost ? { status: 'failed' } : { status: 'available', image });
    });
    return { DBSnapshot: describeSnapshot(copy, state) };
  },

  DescribeDBSnapshots(input, { state }) {
    const { DBSnapshotIdentifier, DBInstanceIdentifier, SnapshotType, DbiResourceId, Filters } = input;
    const all = DBSnapshotIdentifier ? [state.snapshot(DBSnapshotIdentifier)] : [...state.snapshots.values()];
    const matching = all.filter(
      ({ instance, id, settings }) =>
        (!DBInstanceIdentifier || instance.id === DBInstanceIdentifier.toLowerCase()) &&
        (!DbiResourceId || instance.resourceId === DbiResourceId) &&
        (!SnapshotType || SnapshotType === 'manual') &&
        passes(Filters, {
          'db-instance-id': [instance.id],
          'db-snapshot-id': [id],
          'dbi-resource-id': [instance.resourceId],
          'snapshot-type': ['manual'],
          engine: [settings.engine],
        }),
    );
    const { page, ...next } = paged(matching, input);
    return { DBSnapshots: page.map((snapshot) => describeSnapshot(snapshot, state)), ...next };
  },

  DeleteDBSnapshot({ DBSnapshotIdentifier }, { state }) {
    const snapshot = state.snapshot(DBSnapshotIdentifier);
    if (snapshot.status === 'creating' || snapshot.status === 'copying')
      refuse('InvalidDBSnapshotStateFault', `Snapshot ${snapshot.id} cannot be deleted while it is ${snapshot.status}.`);
    state.snapshots.delete(snapshot.id);
    return { DBSnapshot: { ...describeSnapshot(snapshot, state), Status: 'deleted' } };
  },

  ModifyDBSnapshotAttribute({ DBSnapshotIdentifier, AttributeName, ValuesToAdd = [], ValuesToRemove = [] }, { state, world }) {
    const snapshot = state.snapshot(DBSnapshotIdentifier);
    if (AttributeName !== 'restore') refuse('InvalidParameterValue', `Invalid attribute name: ${AttributeName}`);
    const shared = [...new Set([...snapshot.sharedWith, ...ValuesToAdd])].filter((account) => !ValuesToRemove.includes(account));
    if (ValuesToAdd.length > 0 && isManaged(snapshot.key, state.place, world))
      refuse(
        'InvalidDBSnapshotStateFault',
        `Snapshot ${snapshot.id} is encrypted with the default key of its account, so it cannot be shared.`,
      );
    if (ValuesToAdd.includes('all') && snapshot.key)
      refuse('InvalidParameterValue', 'An encrypted snapshot cannot be shared with everybody.');
    if (shared.length > MOST_SHARES)
      refuse('SharedSnapshotQuotaExceededFault', `A snapshot can be shared with ${MOST_SHARES} accounts.`);
    snapshot.sharedWith = shared;
    return { DBSnapshotAttributesResult: attributesOf(snapshot) };
  },

  DescribeDBSnapshotAttributes: ({ DBSnapshotIdentifier }, { state }) => ({
    DBSnapshotAttributesResult: attributesOf(state.snapshot(DBSnapshotIdentifier)),
  }),
});

const attributesOf = ({ id, sharedWith }: Snapshot) => ({
  DBSnapshotIdentifier: id,
  DBSnapshotAttributes: [{ AttributeName: 'restore', AttributeValues: [...sharedWith] }],
});
