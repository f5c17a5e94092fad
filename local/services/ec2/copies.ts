import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { keyNameFor, keyOrTrouble, troubleReading } from './encryption.ts';
import { finishWithin, keep } from './snapshots.ts';
import type { Ec2State } from './state.ts';
import { tagList, tagsFor } from './tags.ts';

/** Seconds from acceptance to completion: AWS promises nothing, the seed decides. */
const COPYING = [60, 900] as const;
/** EBS quotas page: concurrent snapshot copies per destination region. */
const MOST_COPIES = 20;
/** EBS guide, "Time-based copies": minutes, in steps of 15. */
const SHORTEST = 15;
const LONGEST = 2880;
/** What a copy says of its volume: nothing that may be relied upon (EC2 API, CopySnapshot). */
const NO_VOLUME = 'vol-ffffffff';

function secondsFor(minutes: number | undefined): readonly [number, number] {
  if (minutes === undefined) return COPYING;
  if (minutes % SHORTEST !== 0 || minutes < SHORTEST || minutes > LONGEST)
    refuse('InvalidParameterValue', `CompletionDurationMinutes is a multiple of ${SHORTEST} up to ${LONGEST}, not ${minutes}.`);
  return [COPYING[0], minutes * 60];
}

export const copies = operations<typeof SDK, Ec2State>()({
  /**
   * Called in the destination region, which pulls (EC2 API, CopySnapshot). Tags are not copied, and a key that cannot be used, at either end,
   * lets the call succeed and the copy end in `error` (EBS guide, "Copy a snapshot").
   */
  CopySnapshot(input, context) {
    const { state, account, region, world } = context;
    const from = input.SourceRegion || refuse('MissingParameter', 'The request must contain the parameter SourceRegion');
    const seconds = secondsFor(input.CompletionDurationMinutes);
    if (input.Encrypted === false) refuse('InvalidParameterValue', 'The parameter Encrypted cannot be set to false.');
    if (inProgress(state) >= MOST_COPIES)
      refuse(
        'ResourceLimitExceeded',
        `The maximum number of concurrent snapshot copies (${MOST_COPIES}) to this region has been exceeded.`,
      );
    if (world.dark.has(from)) refuse('Unavailable', `The source region ${from} is not available.`, { status: 503 });
    const source = world.state<Ec2State>('ec2', { account, region: from }).visible(input.SourceSnapshotId);
    if (source.state !== 'completed') refuse('IncorrectState', `Snapshot '${source.id}' is in invalid state - ${source.state}`);
    const { key, trouble } = keysFor(input, source, from, context);
    const copy = keep(
      {
        volume: NO_VOLUME,
        size: source.size,
        description: input.Description ?? '',
        encrypted: source.encrypted || key !== undefined || trouble !== undefined,
        key,
        pages: source.pages,
        lineage: `${source.lineage}/${account}/${region}`,
        tags: tagsFor('snapshot', input.TagSpecifications),
        copy: true,
      },
      context,
    );
    // The bytes come from the source region while the copy is under way.
    finishWithin(seconds, copy, context, () => trouble ?? (world.dark.has(from) ? `${from} became unavailable` : undefined));
    return { SnapshotId: copy.id, Tags: tagList(copy.tags) };
  },
});

const inProgress = (state: Ec2State): number =>
  [...state.snapshots.values()].filter((one) => one.copy && one.state === 'pending').length;

/** The key of the copy, which is never the original's: keys do not leave their region. */
function keysFor(
  input: SDK.CopySnapshotCommandInput,
  { encrypted, key, owner }: { encrypted: boolean; key: string | undefined; owner: string },
  region: string,
  context: Context<Ec2State>,
): { key: string | undefined; trouble: string | undefined } {
  const name = keyNameFor(input, { encrypted, key: undefined, owner }, context);
  const target = keyOrTrouble(name, context);
  const unreadable = troubleReading(key, { ...context, region });
  const trouble = target.trouble ?? unreadable;
  return { key: target.key, trouble: trouble === undefined ? undefined : 'Given key ID is not accessible' };
}
