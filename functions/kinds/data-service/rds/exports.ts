import { DescribeExportTasksCommand, RDSClient, StartExportTaskCommand } from '@aws-sdk/client-rds';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { verb } from '../../../aws/verb.ts';
import { type Artifact, type Item, pointId } from '../../../domain.ts';
import { type Keeping, retention } from '../../../vault/bundles.ts';
import { DATA_KEY, dataBucket, databaseExportPrefix, roleArn, stagingBucket } from '../../../vault/layout.ts';
import { asJson } from '../../items.ts';
import { type CaptureWork, type CopyWork, done, failed, type Started, started } from '../../kind.ts';
import { copyObject, current, LOCKING, objectCopying, objectListing, withinBudget } from '../../objects.ts';
import { type ArtifactFacts, artifactFacts, type Files } from './facts.ts';
import { nameIn } from './names.ts';

const { read, again } = calls('rds', RDSClient);

const exporting = {
  ...objectListing,
  exportTasks: read(DescribeExportTasksCommand),
  /** Repeatable by its name. RDS writes with the role's rights and a grant on the key (RDS guide, "Exporting DB snapshot data"). */
  startExport: again(StartExportTaskCommand, {
    also: ['kms:CreateGrant', 'kms:DescribeKey'],
    passes: {
      name: 'export',
      service: 'export.rds.amazonaws.com',
      does: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:ListBucket', 's3:GetBucketLocation'],
    },
  }),
};

/** As many exports run as the account may have, or one of this snapshot that is not known yet: it is asked for again later. */
const BUSY = ['LimitExceededException', 'InvalidExportSourceStateFault'];

/** Exports a snapshot that is there, as files into the staging bucket; goes on with what an earlier settle began. */
export const exportOn = verb(
  exporting,
  async (aws, of: { work: Started<CaptureWork>; artifact: Artifact }, { here }): Promise<Item<Artifact>> => {
    const { work, artifact } = of;
    const { resource, point } = work;
    const name = nameIn(artifact.id);
    const bucket = stagingBucket(here);
    const prefix = databaseExportPrefix(name, point.application, pointId(point));
    const task = await aws.exportTasks({ ExportTaskIdentifier: name }).then(
      ({ ExportTasks }) => ExportTasks?.[0],
      when('ExportTaskNotFoundFault', () => undefined),
    );
    if (!task) {
      await aws
        .startExport({
          ExportTaskIdentifier: name,
          SourceArn: artifact.id,
          S3BucketName: bucket,
          S3Prefix: prefix,
          IamRoleArn: roleArn('export', here),
          KmsKeyId: DATA_KEY,
        })
        .catch(when([...BUSY, 'ExportTaskAlreadyExistsFault'], () => undefined));
      return started(resource.id, work.handle, 'Its snapshot is being exported.');
    }
    if (task.Status === 'FAILED' || task.Status === 'CANCELED')
      return failed(
        resource.id,
        `Its export ended as ${task.Status}: ${task.FailureCause ?? 'AWS gives no reason'}; look at ${roleArn('export', here)} and at what ${bucket} and ${DATA_KEY} allow it.`,
      );
    if (task.Status !== 'COMPLETE')
      return started(resource.id, work.handle, `Its export is ${task.Status}, ${task.PercentProgress ?? 0} %.`);
    const objects = [...(await current(aws, bucket, `${prefix}/`)).values()];
    const files: Files = {
      bucket,
      prefix,
      snapshotTime: task.SnapshotTime!.toISOString(),
      objects: objects.length,
      bytes: objects.reduce((sum, { size }) => sum + size, 0),
    };
    return done(resource.id, withFiles(artifact, files));
  },
);

const withFiles = (artifact: Artifact, files: Files): Artifact => ({
  ...artifact,
  facts: asJson({ ...artifactFacts(artifact), files } as ArtifactFacts),
});

const pulling = {
  ...objectCopying('home', LOCKING),
  ...objectListing,
  homesVersions: calls('s3', S3Client).read(ListObjectVersionsCommand, { at: 'home' }),
};

/** Pulls the files of a copied snapshot's export out of home's staging bucket; what is there already tells how far it got. */
export const pullFiles = verb(
  pulling,
  async (aws, of: { work: Started<CopyWork>; copy: Artifact }, { clock }): Promise<Item<Artifact>> => {
    const { work, copy } = of;
    const { resource, vault, point, artifact, keepUntil } = work;
    const facts = artifactFacts(artifact);
    if (facts.by !== 'snapshot' || !facts.files) return done(resource.id, copy);
    const { files } = facts;
    const keeping: Keeping = { vault, ...(keepUntil ? { keepUntil } : {}) };
    const bucket = dataBucket(vault.place);
    const prefix = databaseExportPrefix(nameIn(copy.id), point.application, pointId(point));
    const source = [...(await current({ versions: aws.homesVersions }, files.bucket, `${files.prefix}/`)).values()];
    if (source.length !== files.objects)
      return failed(
        resource.id,
        `Of the ${files.objects} files of its export ${source.length} are left in ${files.bucket}/${files.prefix}; staged files are kept for a few days only.`,
      );
    const there = await current(aws, bucket, `${prefix}/`);
    const renamed = (key: string) => `${prefix}${key.slice(files.prefix.length)}`;
    const missing = source.filter(({ key, size }) => there.get(renamed(key))?.size !== size);
    const copied = await withinBudget(missing, clock, ({ key, versionId, size }) =>
      copyObject(aws, {
        from: { Bucket: files.bucket, Key: key, ...(versionId === 'null' ? {} : { VersionId: versionId }) },
        size,
        to: { Bucket: bucket, Key: renamed(key), ...retention(keeping) },
      }),
    );
    if (copied > 0)
      return started(
        resource.id,
        work.handle,
        `${source.length - missing.length + copied} of ${source.length} files of its export are copied.`,
      );
    return done(resource.id, withFiles(copy, { ...files, bucket, prefix }));
  },
);
