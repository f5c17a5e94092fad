import { DescribeDBInstanceAutomatedBackupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { verb } from '../../../aws/verb.ts';
import { everyPage, logOf } from '../rds/databases.ts';

const { read } = calls('rds', RDSClient);

export const findLog = verb({ backups: read(DescribeDBInstanceAutomatedBackupsCommand) }, async (aws, DbiResourceId: string) => {
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
