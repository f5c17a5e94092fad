import type { Context } from '../../world/service.ts';
import type { EventsState } from '../events/state.ts';
import type { Bucket, Version } from './bucket.ts';
import type { S3State } from './state.ts';

/** By what an object came to be or went, in S3's words. */
export type Reason = 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload' | 'DeleteObject';

/**
 * Tells the bucket's own EventBridge what happened, if its notification configuration says so (S3 guide, "Using EventBridge"). Other
 * destinations of notifications are not modelled.
 */
export function tell(bucket: Bucket, version: Version, reason: Reason, context: Context<S3State>): void {
  const { world, requestId, caller } = context;
  const notification = bucket.settings.get('notification') as { EventBridgeConfiguration?: object } | undefined;
  if (!notification?.EventBridgeConfiguration || !world.services.has('events')) return;
  const deletion = version.body ? 'Permanently Deleted' : 'Delete Marker Created';
  world.state<EventsState>('events', { account: bucket.owner, region: bucket.region }).emit({
    source: 'aws.s3',
    'detail-type': reason === 'DeleteObject' ? 'Object Deleted' : 'Object Created',
    resources: [`arn:aws:s3:::${bucket.name}`],
    detail: {
      version: '0',
      bucket: { name: bucket.name },
      object: {
        key: version.key,
        ...(version.body && reason !== 'DeleteObject' ? { size: version.body.length, etag: version.etag } : {}),
        ...(bucket.versioning ? { 'version-id': version.versionId } : {}),
        sequencer: version.sequence.toString(16).toUpperCase().padStart(18, '0'),
      },
      'request-id': requestId,
      requester: caller.account,
      reason,
      ...(reason === 'DeleteObject' ? { 'deletion-type': deletion } : {}),
    },
  });
}
