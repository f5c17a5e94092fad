import { type Fault, noFaults } from '../../local/world/faults.ts';
import type { Stage } from '../world.ts';

/** What AWS says where there is no room for one more, by what is asked for (EC2, RDS and DynamoDB API: errors). */
const NO_ROOM: Readonly<Record<string, string>> = {
  CopySnapshot: 'ResourceLimitExceeded',
  CopyDBSnapshot: 'SnapshotQuotaExceededFault',
  CopyDBClusterSnapshot: 'SnapshotQuotaExceededFault',
  RestoreDBInstanceFromDBSnapshot: 'InstanceQuotaExceededFault',
  RestoreDBInstanceToPointInTime: 'InstanceQuotaExceededFault',
  RestoreDBClusterFromSnapshot: 'DBClusterQuotaExceededFault',
  RestoreDBClusterToPointInTime: 'DBClusterQuotaExceededFault',
  CreateTable: 'LimitExceededException',
  ImportTable: 'LimitExceededException',
  RestoreTableToPointInTime: 'LimitExceededException',
};

/** From now on there is room for each of these in a region only some seconds after it was asked for first. */
export function noRoomAtFirst({ world }: Stage): void {
  const since = new Map<string, number>();
  world.faults = ({ operation, place }): Fault | undefined => {
    const code = NO_ROOM[operation];
    if (code === undefined) return undefined;
    const what = `${operation} ${place.region}`;
    const first = since.get(what) ?? world.clock.now();
    since.set(what, first);
    if (world.clock.now() - first > 20_000) return undefined;
    return { when: 'before', answer: { code, message: 'The quota is exceeded.', status: 400 } };
  };
}

/** The API server of each cluster turns the first object away that is to be made from now on. */
export function busyAtFirst({ world }: Stage): void {
  const met = new Set<string>();
  world.faults = ({ service, operation, place }): Fault | undefined => {
    if (service !== 'kubernetes' || !operation.startsWith('create ') || met.has(place.region)) return undefined;
    met.add(place.region);
    return { when: 'before', answer: { code: 'ServiceUnavailable', message: 'The server is busy.', status: 503 } };
  };
}

export const allIsWell = ({ world }: Stage): void => {
  world.faults = noFaults;
};
