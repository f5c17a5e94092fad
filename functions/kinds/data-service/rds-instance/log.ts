import { DescribeDBInstanceAutomatedBackupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls, type Only } from '../../../aws/call.ts';
import { verb } from '../../../aws/verb.ts';
import { everyPage, logOf } from '../rds/databases.ts';

const { read } = calls('rds', RDSClient);

const finding = (only?: Only) =>
  verb({ backups: read(DescribeDBInstanceAutomatedBackupsCommand, only ? { only } : {}) }, async (aws, DbiResourceId: string) => {
    const found = await everyPage(async (marker) => {
      const { DBInstanceAutomatedBackups, Marker } = await aws.backups({ DbiResourceId, ...marker });
      return { found: DBInstanceAutomatedBackups, Marker };
    });
    return logOf(
      found,
      ({ DBInstanceAutomatedBackupsArn }) => DBInstanceAutomatedBackupsArn!,
      ({ Encrypted }) => Encrypted ?? false,
    );
  });

export const findLog = finding();
/** The same of what is replicated to a vault, as no log ever is into another account. */
export const findReplicatedLog = finding('in its account');
