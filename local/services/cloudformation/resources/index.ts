import { backup } from './backup.ts';
import { cdk } from './cdk.ts';
import { cloudwatch } from './cloudwatch.ts';
import { ecr } from './ecr.ts';
import { eks } from './eks.ts';
import { events } from './events.ts';
import { iam } from './iam.ts';
import { kms } from './kms.ts';
import { lambda } from './lambda.ts';
import { logs } from './logs.ts';
import type { ResourceTypes } from './resource.ts';
import { s3 } from './s3.ts';
import { scheduler } from './scheduler.ts';
import { sns } from './sns.ts';
import { sqs } from './sqs.ts';
import { ssm } from './ssm.ts';
import { states } from './states.ts';

/** Every type of resource that stacks here may have. */
export const resourceTypes: ResourceTypes = {
  ...backup,
  ...cdk,
  ...cloudwatch,
  ...ecr,
  ...eks,
  ...events,
  ...iam,
  ...kms,
  ...lambda,
  ...logs,
  ...s3,
  ...scheduler,
  ...sns,
  ...sqs,
  ...ssm,
  ...states,
};
