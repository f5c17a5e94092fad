import { type App, Validations } from 'aws-cdk-lib';
import type { NagPack } from 'cdk-nag';

/** A finding of cdk-nag that we answer instead of following, and why. */
export interface Acknowledgement {
  readonly rule: RegExp;
  readonly reason: string;
}

const ARN = 'AwsSolutions-IAM5\\[Resource::arn:aws:';
const iam5 = (rest: string): RegExp => new RegExp(`^${ARN}${rest}\\]$`);

/**
 * Every finding that stands, with its reason. A finding that none of these names fails the synthesis, and a test fails where one of these
 * answers nothing any more.
 */
export const ACKNOWLEDGED: readonly Acknowledgement[] = [
  {
    rule: iam5('s3:::stillpoint-(ledger|data|staging)-[^/]+/([a-z]+/)?\\*'),
    reason:
      'Objects of our own buckets: keys are made of the names of applications, slots and digests, which nobody knows at synthesis.',
  },
  {
    rule: iam5('kms:[^:]+:\\d+:key/\\*'),
    reason:
      'Our keys go by alias, as a condition (kms:ResourceAliases); keys of the application’s own resources only through the service that holds the data (kms:ViaService), or to be described.',
  },
  {
    rule: iam5('(?!kms|states|logs|s3)[a-z][a-z0-9-]+:[a-z0-9-]+:\\d*:[a-z-]+[:/]\\*(/(stream|index|export|import)/\\*)?'),
    reason:
      'The application’s resources are found by its tags and have names that nobody knows at synthesis, as have their copies: each statement names the type, the region and the account, what is made must bear our tag, and what is deleted must bear it already.',
  },
  {
    rule: iam5('states:[^:]+:\\d+:(stateMachine|execution):stillpoint-\\*'),
    reason: 'Our own state machines and their executions by name.',
  },
  {
    rule: iam5('logs:[^:]+:\\d+:log-group:/aws/lambda/stillpoint-[a-z-]+:\\*'),
    reason: 'The streams of the function’s own log, which Lambda names.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    reason:
      'Describing, listing, log delivery and tracing have no resources in IAM (Service Authorization Reference); they are held to their region where they have one.',
  },
  {
    rule: /^NIST\.800\.53\.R5-IAMNoInlinePolicy$|^Serverless-LambdaStarPermissions$/,
    reason:
      'Each function has a role of its own whose policy is derived from the calls that it declares: it is read as one piece with its role and shared with nobody. Wildcards in it are acknowledged one by one.',
  },
  {
    rule: /^AwsSolutions-S1$|^NIST\.800\.53\.R5-S3BucketLoggingEnabled$/,
    reason:
      'Data events of CloudTrail tell the same with identities, and an organisation has its trail; a log bucket in the same stack would be one more that needs guarding.',
  },
  {
    rule: /^NIST\.800\.53\.R5-S3BucketReplicationEnabled$/,
    reason:
      'Copies in other regions are what this stack makes: a vault pulls points as wholes and signs them. Replication would carry torn states and deletions.',
  },
  {
    rule: /^NIST\.800\.53\.R5-S3DefaultEncryptionKMS$/,
    reason:
      'Ledger and staging are under S3’s own key, so that a ledger can be read when a key is lost and a vault needs no key of home’s; secrets in them are enveloped, data lies under our KMS key.',
  },
  {
    rule: /^NIST\.800\.53\.R5-CloudWatchLogGroupEncrypted$/,
    reason:
      'Logs are encrypted with CloudWatch’s own key; lines say what was done and never what was in it, executions log no data.',
  },
  {
    rule: /^NIST\.800\.53\.R5-LambdaConcurrency$/,
    reason:
      'Reserved concurrency takes from the account’s pool for good; a step runs as often as there are executions, which schedules bound.',
  },
  {
    rule: /^NIST\.800\.53\.R5-LambdaDLQ$|^Serverless-LambdaDLQ$/,
    reason:
      'Only state machines invoke these functions, synchronously: an error goes to the machine, which retries, catches and alarms. No event waits in a queue.',
  },
  {
    rule: /^NIST\.800\.53\.R5-LambdaInsideVPC$/,
    reason:
      'The functions talk to AWS’s public endpoints under IAM and to clusters under TLS; inside a VPC a lost NAT gateway would stop restores.',
  },
  {
    rule: /^Serverless-LambdaTracing$/,
    reason: 'The state machine traces every execution with its tasks; a function adds nothing but more permissions.',
  },
  {
    rule: /^AwsSolutions-SQS3$|^Serverless-SQSRedrivePolicy$/,
    reason: 'This queue is the dead-letter queue, of schedules and rules; an alarm watches it.',
  },
];

/** Answers what the packs find with the reasons above, finding by finding; what is not among them is left to fail. */
export function acknowledge(app: App, packs: readonly NagPack[], table: readonly Acknowledgement[] = ACKNOWLEDGED): void {
  const constructs = new Map(app.node.findAll().map((construct) => [construct.node.path, construct]));
  for (const { ruleName, violatingResources } of packs.flatMap((pack) => pack.validateScope(app).violations)) {
    const reason = table.find(({ rule }) => rule.test(ruleName))?.reason;
    if (reason === undefined) continue;
    for (const { constructPath } of violatingResources) {
      const construct = constructs.get(constructPath as string);
      if (construct) Validations.of(construct).acknowledge({ id: ruleName, reason });
    }
  }
}
