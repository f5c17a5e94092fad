import { defineService, type Operation, refuse } from '../../world/service.ts';
import { buckets } from './buckets.ts';
import { copies } from './copies.ts';
import { listings } from './listings.ts';
import { locks } from './locks.ts';
import { objects } from './objects.ts';
import { defaults, settings } from './settings.ts';
import { S3State } from './state.ts';
import { uploads } from './uploads.ts';

const operations = { ...buckets, ...settings, ...defaults, ...objects, ...copies, ...locks, ...listings, ...uploads };

interface OwnerExpected {
  readonly Bucket?: string;
  readonly ExpectedBucketOwner?: string;
}

/** Any request may say whose bucket it expects, and touches no other's (S3 guide, "Verifying bucket ownership"). */
const ofExpectedOwner =
  (run: Operation<any, any, S3State>): Operation<OwnerExpected, any, S3State> =>
  (input, context) => {
    const { Bucket = '', ExpectedBucketOwner: expected } = input;
    const owner = context.state.peek(Bucket)?.owner;
    if (expected !== undefined && owner !== undefined && owner !== expected)
      refuse('AccessDenied', `The bucket ${Bucket} is not owned by ${expected}.`, { status: 403 });
    return run(input, context);
  };

/** Operations ask for what they need themselves (S3 guide, "Required permissions for Amazon S3 API operations"). */
export const service = defineService<S3State>({
  name: 's3',
  sdk: () => import('@aws-sdk/client-s3'),
  client: 'S3Client',
  scope: 'partition',
  state: (context) => new S3State(context),
  authorization: { itself: true },
  operations: Object.fromEntries(Object.entries(operations).map(([name, run]) => [name, ofExpectedOwner(run)])),
});
