import { type Call, operationOf } from '../../aws/call.ts';
import type { Transport } from '../../aws/transport.ts';

/** What happens to a call, or to a request to a cluster, for which there is none. */
export type Disturb = (call?: Call) => 'refuse' | 'lose' | undefined;

/** A way to AWS on which some answers are errors (nothing happened) or never come (it happened all the same). */
export function disturbed(transport: Transport, disturb: Disturb, error: () => Error): Transport {
  const through = async <T>(how: ReturnType<Disturb>, ask: () => Promise<T>): Promise<T> => {
    if (how === 'refuse') throw error();
    const answer = await ask();
    if (how === 'lose') throw error();
    return answer;
  };
  return {
    send: (request) => through(disturb(request.call), () => transport.send(request)),
    fetch: (request) => through(disturb(), () => transport.fetch(request)),
    clusterToken: (cluster, place) => transport.clusterToken(cluster, place),
  };
}

export const silence = (): Error => Object.assign(new Error('socket hang up'), { name: 'ConnectionLost' });
export const answerOf = (name: string, status: number) => (): Error =>
  Object.assign(new Error('a law says so'), { name, $metadata: { httpStatusCode: status } });

/** The smallest pages that AWS gives: whoever stops after the first finds too little. */
const SMALLEST: Readonly<Record<string, readonly [string, number]>> = {
  DescribeDBSnapshots: ['MaxRecords', 20],
  DescribeDBInstanceAutomatedBackups: ['MaxRecords', 20],
  DescribeDBClusterSnapshots: ['MaxRecords', 20],
  DescribeDBClusterAutomatedBackups: ['MaxRecords', 20],
  DescribeVolumes: ['MaxResults', 5],
  DescribeSnapshots: ['MaxResults', 5],
  DescribeInstances: ['MaxResults', 5],
  DescribeFileSystems: ['MaxItems', 1],
  DescribeAccessPoints: ['MaxResults', 1],
  DescribeMountTargets: ['MaxItems', 1],
  ListBackupJobs: ['MaxResults', 1],
  ListRecoveryPointsByBackupVault: ['MaxResults', 1],
  ListTags: ['MaxResults', 2],
  GetResources: ['ResourcesPerPage', 1],
  ListBuckets: ['MaxBuckets', 1],
  ListMultipartUploads: ['MaxUploads', 1],
  ListObjectsV2: ['MaxKeys', 2],
  ListObjectVersions: ['MaxKeys', 2],
};
/** EC2 answers whole what is asked for by id, and takes no page size beside ids. */
const BY_ID = ['VolumeIds', 'SnapshotIds', 'InstanceIds'];

export function inSmallPages(transport: Transport): Transport {
  return {
    send(request) {
      const smallest = SMALLEST[operationOf(request.call)];
      const whole = BY_ID.some((member) => member in request.input);
      const input = smallest && !whole ? { ...request.input, [smallest[0]]: smallest[1] } : request.input;
      return transport.send({ ...request, input });
    },
    fetch: (request) => transport.fetch(request),
    clusterToken: (cluster, place) => transport.clusterToken(cluster, place),
  };
}
