/** What an ARN of a service is of a kind, by the text that follows the account (Service Authorization Reference, "Resource types"). */
interface Shape {
  readonly service: string;
  readonly resource: RegExp;
  readonly kind: string;
  /** S3 alone names things without account and region. */
  readonly placeless?: true;
  /** Where what is kept of it is a promise of a log, unless a policy makes it durable: also in vaults, or at home alone. */
  readonly logged?: Logged;
}

export type Logged = 'in vaults' | 'at home';

const SHAPES: readonly Shape[] = [
  { service: 'ec2', resource: /^volume\/vol-[0-9a-f]+$/, kind: 'ebs-volume' },
  { service: 'elasticfilesystem', resource: /^file-system\/fs-[0-9a-f]+$/, kind: 'efs-file-system' },
  { service: 'fsx', resource: /^file-system\/fs-[0-9a-f]+$/, kind: 'fsx-file-system' },
  { service: 'rds', resource: /^db:[^:]+$/, kind: 'rds-instance', logged: 'in vaults' },
  { service: 'rds', resource: /^cluster:[^:]+$/, kind: 'rds-cluster', logged: 'at home' },
  { service: 'dynamodb', resource: /^table\/[A-Za-z0-9_.-]{3,255}$/, kind: 'dynamodb-table' },
  { service: 's3', resource: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, kind: 's3-bucket', placeless: true },
  { service: 'elasticache', resource: /^replicationgroup:[^:]+$/, kind: 'elasticache-group' },
  { service: 'memorydb', resource: /^cluster\/[^/]+$/, kind: 'memorydb-cluster' },
  { service: 'redshift', resource: /^cluster:[^:]+$/, kind: 'redshift-cluster' },
  { service: 'es', resource: /^domain\/[^/]+$/, kind: 'opensearch-domain' },
  { service: 'cassandra', resource: /^\/?keyspace\/[^/]+\/table\/[^/]+$/, kind: 'keyspaces-table' },
  { service: 'kafka', resource: /^cluster\/[^/]+\/[^/]+$/, kind: 'msk-cluster' },
  { service: 'mq', resource: /^broker:[^:]+:[^:]+$/, kind: 'mq-broker' },
  { service: 'sqs', resource: /^[A-Za-z0-9_-]{1,80}(\.fifo)?$/, kind: 'sqs-queue' },
  { service: 'secretsmanager', resource: /^secret:.+$/, kind: 'secret' },
  { service: 'ssm', resource: /^parameter\/.+$/, kind: 'ssm-parameter' },
];

/** What people name by ARN although it is said elsewhere. */
const ELSEWHERE: readonly { readonly service: string; readonly resource: RegExp; readonly fix: string }[] = [
  { service: 'eks', resource: /^cluster\//, fix: 'name clusters under `cluster` and `namespaces`' },
  { service: 'ec2', resource: /^instance\//, fix: 'an instance is made anew; name its volumes instead' },
  { service: 'ec2', resource: /^snapshot\//, fix: 'a snapshot is already a backup; name the volume' },
  { service: 'ecr', resource: /^repository\//, fix: 'images are found by the digests that run in the cluster' },
  { service: 's3', resource: /\//, fix: 'a bucket is protected as a whole; leave out what follows the slash' },
];

/** An ARN, or anything else, taken apart. `region` and `account` are empty for S3. */
export interface WrittenArn {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly kind?: string;
  readonly logged?: Logged;
}

export function readArn(text: string): WrittenArn | undefined {
  const [arn, partition, service, region, account, ...rest] = text.split(':');
  if (arn !== 'arn' || !partition || !service || region === undefined || account === undefined || rest.length === 0)
    return undefined;
  const shape = SHAPES.find((one) => one.service === service && one.resource.test(rest.join(':')));
  return { service, region, account, ...(shape ? { kind: shape.kind } : {}), ...(shape?.logged ? { logged: shape.logged } : {}) };
}

/** What is wrong with an ARN by itself, or nothing. */
export function arnProblem(text: string): string | undefined {
  const read = readArn(text);
  if (!read) return 'is not an ARN; write arn:aws:service:region:account:resource';
  const { service, region, account, kind } = read;
  const resource = text.split(':').slice(5).join(':');
  if (!kind) {
    const elsewhere = ELSEWHERE.find((one) => one.service === service && one.resource.test(resource));
    if (elsewhere) return `is nothing to protect by ARN: ${elsewhere.fix}`;
    const known = SHAPES.filter((one) => one.service === service).map((one) => one.kind);
    return known.length > 0
      ? `is not the ARN of any ${known.join(' or ')}; look at what follows the account`
      : `is of a kind that is not known ("${service}"); what is known: ${[...new Set(SHAPES.map((one) => one.kind))].join(', ')}`;
  }
  const placeless = SHAPES.some((one) => one.kind === kind && one.placeless);
  if (placeless) return region || account ? 'must name neither region nor account, as S3’s ARNs do' : undefined;
  if (!/^\d{12}$/.test(account)) return `names the account "${account}", which is not 12 digits`;
  return region ? undefined : 'names no region';
}
