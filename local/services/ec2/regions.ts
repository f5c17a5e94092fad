import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { passes } from './filters.ts';
import type { Ec2State } from './state.ts';

const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'ap-northeast-2',
];

/** `us-east-1a` is `use1-az1`, `ap-southeast-2c` is `apse2-az3`; which letter is which id differs by account at AWS, here it does not. */
export function zoneId(zone: string): string {
  const [, area, where, number, letter] = /^([a-z]+)-([a-z]+)-(\d)([a-z])$/.exec(zone) as unknown as string[];
  const short = where!.replaceAll(/north|south|east|west|central/g, (word) => word[0] as string);
  return `${area}${short}${number}-az${1 + (letter as string).charCodeAt(0) - 'a'.charCodeAt(0)}`;
}

export const regions = operations<typeof SDK, Ec2State>()({
  DescribeRegions({ RegionNames, Filters }) {
    for (const name of RegionNames ?? [])
      if (!REGIONS.includes(name)) refuse('InvalidParameterValue', `Invalid region provided: ${name}`);
    const names = RegionNames?.length ? RegionNames : REGIONS;
    return {
      Regions: names
        .map((RegionName) => ({
          RegionName,
          Endpoint: `ec2.${RegionName}.amazonaws.com`,
          OptInStatus: 'opt-in-not-required',
        }))
        .filter(({ RegionName, Endpoint, OptInStatus }) =>
          passes(Filters, { 'region-name': RegionName, endpoint: Endpoint, 'opt-in-status': OptInStatus }),
        ),
    };
  },

  DescribeAvailabilityZones({ ZoneNames, ZoneIds, Filters }, { state, region }) {
    const known = state.zones.map((ZoneName) => ({ ZoneName, ZoneId: zoneId(ZoneName) }));
    const find = (member: 'ZoneName' | 'ZoneId') => (value: string) =>
      known.find((zone) => zone[member] === value) ?? refuse('InvalidParameterValue', `Invalid availability zone: [${value}]`);
    const named = [...(ZoneNames ?? []).map(find('ZoneName')), ...(ZoneIds ?? []).map(find('ZoneId'))];
    return {
      AvailabilityZones: (named.length > 0 ? named : known)
        .map((zone) => ({
          ...zone,
          RegionName: region,
          GroupName: region,
          NetworkBorderGroup: region,
          State: 'available' as const,
          OptInStatus: 'opt-in-not-required' as const,
          ZoneType: 'availability-zone',
        }))
        .filter(({ ZoneName, ZoneId, State, ZoneType }) =>
          passes(Filters, {
            'zone-name': ZoneName,
            'zone-id': ZoneId,
            state: State,
            'zone-type': ZoneType,
            'region-name': region,
            'opt-in-status': 'opt-in-not-required',
          }),
        ),
    };
  },
});
