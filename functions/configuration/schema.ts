import { z } from 'zod';
import { PERIODS } from '../decide/promise.ts';
import type { Application, Policy, Vault } from '../domain.ts';
import { arnProblem } from './arns.ts';
import { nearest } from './nearest.ts';
import { scheduleProblem, timezoneProblem } from './schedule.ts';

/** `stillpoint.yaml`, read and resolved. */
export interface Configuration {
  readonly applications: Readonly<Record<string, Application>>;
  readonly policies: Readonly<Record<string, Policy>>;
  readonly vaults: Readonly<Record<string, Vault>>;
}

/** Events that can ask for a restore point by name; `custom` brings its own pattern. */
export const EVENTS = [
  'codepipeline-started',
  'cloudformation-update',
  'eks-upgrade',
  'rds-maintenance',
  'guardduty-finding',
  'aws-health-region',
] as const;

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Text that must look like something; what it must be follows "must be" in the sentence that refuses it. */
const text = (pattern: RegExp, must: string, description: string) =>
  z.string().regex(pattern, `must be ${must}`).meta({ description });

/** Text that a function has a complaint about, or none. */
const checked = (complaint: (value: string) => string | undefined, description: string) =>
  z
    .string()
    .check(({ value, issues }) => {
      const message = complaint(value);
      if (message) issues.push({ code: 'custom', message, input: value });
    })
    .meta({ description });

/** A list in which nothing stands twice. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .check(({ value, issues }) => {
      value.forEach((one, index) => {
        const first = value.findIndex((other) => JSON.stringify(other) === JSON.stringify(one));
        if (first < index)
          issues.push({ code: 'custom', message: 'stands twice in this list; remove one', input: one, path: [index] });
      });
    })
    .meta({ uniqueItems: true });

const whole = (from: number, to: number, unit: string, description: string) => {
  const error = `must be a whole number of ${unit} from ${from} to ${to}`;
  return z.number().int({ error }).min(from, { error }).max(to, { error }).meta({ description });
};

const duration = (description: string) =>
  text(/^[1-9]\d{0,8}[smhd]$/, 'a duration: a whole number and s, m, h or d, such as 5s, 90m, 36h or 7d', description).transform(
    (written) => Number(written.slice(0, -1)) * SECONDS[written.at(-1) as keyof typeof SECONDS],
  );

const account = text(/^\d{12}$/, 'an account of 12 digits', 'The AWS account: 12 digits, in quotes.');
const region = text(/^[a-z]{2,3}(-[a-z]+)+-\d$/, 'an AWS region such as us-east-1', 'The AWS region.');
const cluster = text(
  /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/,
  'the name of an EKS cluster: up to 100 letters, digits, - and _',
  'The name of the EKS cluster.',
);
const namespace = text(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'the name of a namespace: up to 63 lower-case letters, digits and -',
  'A namespace of the cluster.',
);
const arn = checked(arnProblem, 'The ARN of something that can be protected.');

/** Applications, policies and vaults are named in keys of buckets and in names of functions, where the alphabet is small. */
export const NAME = text(
  /^[a-z][a-z0-9-]{0,30}$/,
  'a name of up to 31 lower-case letters, digits and -, beginning with a letter',
  'The name.',
);

const subnets = list(text(/^subnet-[0-9a-f]+$/, 'the id of a subnet such as subnet-0a1b2c3d', 'A subnet.'));
const securityGroups = list(text(/^sg-[0-9a-f]+$/, 'the id of a security group such as sg-0a1b2c3d', 'A security group.'));

const network = z
  .strictObject({
    subnets: subnets.min(1, 'is empty; name a subnet, or remove network'),
    securityGroups: securityGroups.min(1, 'is empty; name a security group, or remove network'),
  })
  .meta({
    description:
      'Where the functions run that talk to the cluster, if its endpoint is private: they need a way to AWS from there.',
  })
  .optional();

const slowMember = z.union(
  [
    z.enum(['accept', 'hold', 'cadence', 'refuse']),
    z.strictObject({ cadence: duration('How often it is captured.') }).transform(({ cadence }) => ({ cadenceSeconds: cadence })),
  ],
  { error: 'must be accept, hold, cadence or refuse, or { cadence: 12h } with how often it is captured' },
);

export const application = z
  .strictObject({
    account,
    region,
    cluster: cluster.optional(),
    namespaces: list(namespace).default([]),
    resources: z
      .strictObject({
        tags: z.record(z.string(), z.string()).default({}).meta({ description: 'Resources that bear all of these tags.' }),
        arns: list(arn).default([]).meta({ description: 'Resources by ARN.' }),
      })
      .prefault({}),
    freeze: z
      .strictObject({
        function: text(
          /^[A-Za-z0-9_-]{1,64}$/,
          'the name (not the ARN) of a Lambda function in the application’s own account and region',
          'The name of the Lambda function that makes the application hold still.',
        ),
        leaseSeconds: whole(
          5,
          840,
          'seconds',
          'After this long the application lets go by itself, whoever died; up to 120, unless a slow member is held.',
        ),
      })
      .optional(),
    network,
    slow: z.record(arn, slowMember).default({}).meta({ description: 'What to do with members that have no instant, by ARN.' }),
  })
  .meta({ description: 'A named set of resources that must be restored together.' });

const event = z
  .union([z.enum(EVENTS), z.strictObject({ custom: z.strictObject({ pattern: z.record(z.string(), z.json()) }) })], {
    error: ({ input }) => {
      const meant = typeof input === 'string' && nearest(input, EVENTS);
      const words = `must be one of ${EVENTS.join(', ')}, or { custom: { pattern: … } } with an EventBridge event pattern`;
      return meant ? `${words}; did you mean ${meant}?` : words;
    },
  })
  .meta({ description: 'An event that asks for a restore point.' });

const kept = (period: string) => whole(1, 10_000, 'restore points', `How many ${period} points to keep.`).optional();

export const policy = z
  .strictObject({
    applications: list(z.string()).min(1, 'is empty; name an application'),
    schedule: checked(scheduleProblem, 'cron(…) or rate(…), as EventBridge Scheduler writes them.').optional(),
    timezone: checked(timezoneProblem, 'An IANA time zone; UTC unless given.').default('UTC'),
    window: duration('How late after its time a point may begin, so that many do not begin at once.').optional(),
    on: list(event).default([]),
    vaults: list(z.string()).default([]).meta({ description: 'The vaults that keep copies.' }),
    keep: z
      .strictObject({
        hourly: kept('hourly'),
        daily: kept('daily'),
        weekly: kept('weekly'),
        monthly: kept('monthly'),
        yearly: kept('yearly'),
      })
      .refine(
        (keep) => Object.values(keep).some((count) => count !== undefined),
        'keeps nothing; say how many, such as { daily: 14 }',
      ),
    materialise: z.enum(PERIODS).optional().meta({
      description:
        'The first point of each period outlasts the logs of its databases: restored at its instant, snapshotted and removed again.',
    }),
    snapshot: z.enum(PERIODS).optional().meta({
      description:
        'The first point of each period outlasts the logs of its databases: by plain snapshots, each of an instant of its own.',
    }),
    export: z.boolean().default(false).meta({
      description: 'Points that outlast logs keep their databases as Parquet files too.',
    }),
    maxSkew: duration('A point with more skew than this is abandoned.').optional(),
    rpo: duration('How old the newest point may be.').optional(),
    rto: duration('How long a restore may take.').optional(),
    onRegionLoss: z.enum(['propose', 'restore']).optional().meta({
      description: 'What the vaults do when AWS Health reports trouble in the home region: plan a restore, or begin it.',
    }),
  })
  .meta({ description: 'When to take restore points, where to keep copies and how long.' });

export const vault = z
  .strictObject({
    account,
    region,
    lock: z
      .strictObject({
        mode: z.enum(['governance', 'compliance']),
        days: whole(
          1,
          36_500,
          'days',
          'For how many days nobody may delete a copy (S3 Object Lock and EBS snapshot lock end at 100 years).',
        ),
      })
      .optional(),
    target: z
      .strictObject({
        cluster: cluster.optional(),
        subnets: subnets.default([]),
        securityGroups: securityGroups.default([]),
        zones: list(text(/^[a-z0-9-]+-\d[a-z]$/, 'an availability zone such as eu-west-1a', 'An availability zone.')).default([]),
      })
      .prefault({}),
    network,
  })
  .meta({ description: 'A region (and account) that keeps copies of restore points.' });

export type WrittenApplication = z.output<typeof application>;
export type WrittenPolicy = z.output<typeof policy>;
export type WrittenVault = z.output<typeof vault>;

export const document = z
  .strictObject({
    applications: z.record(NAME, application),
    policies: z.record(NAME, policy).prefault({}),
    vaults: z.record(NAME, vault).prefault({}),
  })
  .meta({ title: 'stillpoint.yaml' });

/** The shape of `stillpoint.yaml` as JSON Schema (draft 2020-12), for editors. */
export const jsonSchema = (): object => z.toJSONSchema(document, { io: 'input' });
