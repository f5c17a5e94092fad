import { DescribeAvailabilityZonesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import type { Door } from '../../../aws/verb.ts';
import type { Target } from '../../../domain.ts';

export const zoning = { zones: calls('ec2', EC2Client).read(DescribeAvailabilityZonesCommand) };

/** The zones that volumes may be restored into: those that the target names, else the region's own, in order. */
export async function zonesOf(aws: Door<typeof zoning>, { zones }: Target): Promise<readonly string[]> {
  if (zones.length > 0) return zones;
  const { AvailabilityZones = [] } = await aws.zones({
    Filters: [
      { Name: 'state', Values: ['available'] },
      { Name: 'zone-type', Values: ['availability-zone'] },
    ],
  });
  return AvailabilityZones.flatMap(({ ZoneName }) => (ZoneName ? [ZoneName] : [])).sort();
}

/**
 * Zone for zone, by letter: volumes that lay together lie together again, whichever of them is restored first, and a zone that is among the
 * target's stays itself.
 */
export function zoneFor(was: string, zones: readonly string[]): string | undefined {
  if (zones.includes(was)) return was;
  const letter = was.charCodeAt(was.length - 1) - 'a'.charCodeAt(0);
  return zones[Math.max(0, letter) % zones.length];
}
