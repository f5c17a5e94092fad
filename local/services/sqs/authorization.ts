import type { Authorization } from '../../world/authorization/declared.ts';

/** Service Authorization Reference, "Amazon SQS": a queue's URL ends in its name. */
export const authorization: Authorization = {
  members: { QueueUrl: 'queue', QueueName: 'queue' },
  arnOf: (_, name, { account, region }) => `arn:aws:sqs:${region}:${account}:${name.split('/').at(-1)}`,
};
