import type { Rename } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { type AccessPointFacts, dnsNameOf, factsOf, fileSystemArn } from './file-system.ts';

/** What was made in place of a file system: by what names it is mounted now. */
export interface Made {
  readonly id: string;
  readonly accessPoints: readonly { readonly was: AccessPointFacts; readonly id: string; readonly arn: string }[];
  readonly mountTargets: readonly { readonly id: string; readonly zone: string; readonly address: string }[];
}

/** Persistent volumes name `fs-…` and `fsap-…`, hosts the DNS name, and some a mount target's address (EFS CSI driver, "Volume handle"). */
export function renamesOf({ resource, target }: RestoreWork, { id, accessPoints, mountTargets }: Made): Rename[] {
  const facts = factsOf(resource);
  const beside = (zone: string) =>
    mountTargets.find((one) => one.zone.at(-1) === zone.at(-1)) ?? (mountTargets[0] as Made['mountTargets'][number]);
  return [
    { was: resource.name, is: id, what: 'file system' },
    { was: resource.id, is: fileSystemArn(target.place, id), what: 'file system ARN' },
    { was: dnsNameOf(resource.name, resource.place), is: dnsNameOf(id, target.place), what: 'file system host' },
    ...accessPoints.flatMap(({ was, ...is }) => [
      { was: was.id, is: is.id, what: 'access point' },
      { was: was.arn, is: is.arn, what: 'access point ARN' },
    ]),
    ...(mountTargets.length === 0 ? [] : facts.mountTargets).flatMap(({ id: was, zone, address }) => [
      { was, is: beside(zone).id, what: 'mount target' },
      ...(address ? [{ was: address, is: beside(zone).address, what: 'mount target address' }] : []),
    ]),
  ];
}

const NOT_YET = 'known once made';

/** The same pairs before anything is made. */
export const renamesToCome = ({ resource }: RestoreWork): Rename[] => [
  { was: resource.name, is: NOT_YET, what: 'file system' },
  { was: resource.id, is: NOT_YET, what: 'file system ARN' },
  { was: dnsNameOf(resource.name, resource.place), is: NOT_YET, what: 'file system host' },
  ...factsOf(resource).accessPoints.flatMap(({ id, arn }) => [
    { was: id, is: NOT_YET, what: 'access point' },
    { was: arn, is: NOT_YET, what: 'access point ARN' },
  ]),
];
