import { type Call, operationOf } from './call.ts';

/** The signing names that are not the prefix of their IAM actions (Service Authorization Reference). */
const PREFIXES: Readonly<Record<string, string>> = { tagging: 'tag' };

const READ_OBJECT = ['s3:GetObject', 's3:GetObjectVersion'];

/**
 * The operations whose IAM actions are not named like them (S3 guide, "Required permissions for Amazon S3 API operations"; Lambda and S3 in
 * the Service Authorization Reference). Asking for a version is an action of its own, and one function may do both.
 */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'lambda:Invoke': ['lambda:InvokeFunction'],
  's3:ListBuckets': ['s3:ListAllMyBuckets'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  's3:ListObjectVersions': ['s3:ListBucketVersions'],
  's3:ListMultipartUploads': ['s3:ListBucketMultipartUploads'],
  's3:ListParts': ['s3:ListMultipartUploadParts'],
  's3:HeadBucket': ['s3:ListBucket'],
  's3:HeadObject': READ_OBJECT,
  's3:GetObject': READ_OBJECT,
  's3:GetObjectTagging': ['s3:GetObjectVersionTagging'], // each of ours is of a version
  's3:CopyObject': ['s3:PutObject', ...READ_OBJECT],
  's3:CreateMultipartUpload': ['s3:PutObject'],
  's3:UploadPart': ['s3:PutObject'],
  's3:UploadPartCopy': ['s3:PutObject', ...READ_OBJECT],
  's3:CompleteMultipartUpload': ['s3:PutObject'],
  's3:DeleteObjects': ['s3:DeleteObjectVersion'], // each of ours by its version
  's3:GetBucketEncryption': ['s3:GetEncryptionConfiguration'],
  's3:PutBucketEncryption': ['s3:PutEncryptionConfiguration'],
  's3:GetPublicAccessBlock': ['s3:GetBucketPublicAccessBlock'],
  's3:PutPublicAccessBlock': ['s3:PutBucketPublicAccessBlock'],
  's3:GetBucketCors': ['s3:GetBucketCORS'],
  's3:PutBucketCors': ['s3:PutBucketCORS'],
  's3:GetBucketLifecycleConfiguration': ['s3:GetLifecycleConfiguration'],
  's3:PutBucketLifecycleConfiguration': ['s3:PutLifecycleConfiguration'],
};

/** The IAM actions that a call needs by its own name; what AWS checks besides stands in `call.also`. */
export function actionsOf(call: Pick<Call, 'service' | 'command' | 'instead'>): readonly string[] {
  if (call.instead) return call.instead;
  const operation = operationOf(call);
  return ACTIONS[`${call.service}:${operation}`] ?? [`${PREFIXES[call.service] ?? call.service}:${operation}`];
}
