import { DescribeVolumesCommand, EC2Client, type Volume } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import type { Door } from '../../../aws/verb.ts';
import { allAnswered, chunksOf } from '../../items.ts';

export const lookingAtDisks = { volumes: calls('ec2', EC2Client).read(DescribeVolumesCommand) };

/** A filter takes up to 200 values (EC2 API, "Using filtering"). */
const FILTER_VALUES = 200;

/** The EBS volumes of these ids that are there; a filter, unlike a list of ids, does not fail for one that is not. */
export async function findDisks(aws: Door<typeof lookingAtDisks>, ids: readonly string[]): Promise<Map<string, Volume>> {
  const found = await allAnswered(chunksOf(ids, FILTER_VALUES).map((Values) => describe(aws, Values)));
  return new Map(found.flat().map((volume) => [volume.VolumeId ?? '', volume]));
}

async function describe(aws: Door<typeof lookingAtDisks>, Values: string[]): Promise<Volume[]> {
  const volumes: Volume[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.volumes({
      Filters: [{ Name: 'volume-id', Values }],
      MaxResults: 500,
      ...(NextToken ? { NextToken } : {}),
    });
    volumes.push(...(page.Volumes ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return volumes;
}
