import { defineService } from '../../world/service.ts';
import { buckets } from './buckets.ts';
import { listings } from './listings.ts';
import { objects } from './objects.ts';
import { settings } from './settings.ts';
import { S3State } from './state.ts';
import { uploads } from './uploads.ts';

export const service = defineService<S3State>({
  name: 's3',
  sdk: () => import('@aws-sdk/client-s3'),
  client: 'S3Client',
  scope: 'partition',
  state: (context) => new S3State(context),
  operations: { ...buckets, ...settings, ...objects, ...listings, ...uploads },
});
