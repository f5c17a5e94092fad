import { DescribeSnapshotsCommand, EC2Client, type Filter, type Snapshot } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Stamp, stamp } from '../../../aws/tags.ts';
import type { Door } from '../../../aws/verb.ts';
import { chunksOf } from '../../items.ts';

/** What EC2 does with keys in the caller's name when an encrypted snapshot is copied or becomes a volume (EBS guide, "Requirements for Amazon EBS encryption"). */
export const ENCRYPTING = [
  'kms:CreateGrant',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

export const describing = { snapshots: calls('ec2', EC2Client).read(DescribeSnapshotsCommand) };
type Describing = Door<typeof describing>;

/**
 * Snapshots by their ids; those that are not there are not among the answers. By id, and not by filter, because a new snapshot shows up
 * sooner so (EC2 API, "Eventual consistency").
 */
export async function findSnapshots(aws: Describing, ids: readonly string[]): Promise<Map<string, Snapshot>> {
  const found = await Promise.all(chunksOf([...new Set(ids)], 200).map((SnapshotIds) => describeAll(aws, SnapshotIds)));
  return new Map(found.flat().map((snapshot) => [snapshot.SnapshotId!, snapshot]));
}

/** One id that is not there fails the whole call, so then they are asked for one by one. */
async function describeAll(aws: Describing, SnapshotIds: string[]): Promise<Snapshot[]> {
  const gone = ['InvalidSnapshot.NotFound', 'InvalidSnapshotID.Malformed'];
  return aws.snapshots({ SnapshotIds }).then(
    ({ Snapshots = [] }) => Snapshots,
    when(gone, async () =>
      SnapshotIds.length === 1 ? [] : (await Promise.all(SnapshotIds.map((id) => describeAll(aws, [id])))).flat(),
    ),
  );
}

/** This account's snapshots that a filter lets through, page by page to the end. */
export async function listSnapshots(aws: Describing, Filters: Filter[]): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.snapshots({ OwnerIds: ['self'], Filters, MaxResults: 1000, ...(NextToken ? { NextToken } : {}) });
    snapshots.push(...(page.Snapshots ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return snapshots;
}

export const snapshotTags = (of: Stamp) => [{ ResourceType: 'snapshot' as const, Tags: stamp(of) }];
