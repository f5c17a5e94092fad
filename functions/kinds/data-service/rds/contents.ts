import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { calls } from '../../../aws/call.ts';
import type { Door } from '../../../aws/verb.ts';

/** How a proof reaches what a database holds: by the Data API, which AWS serves for clusters only. Against an account a drill has to ask an instance in another way. */
export const contents = { execute: calls('rds-data', RDSDataClient).again(ExecuteStatementCommand) };
type Contents = Door<typeof contents>;

const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:none';

/** Runs one statement; its rows, each field as JSON. */
export const run = async (aws: Contents, resourceArn: string, text: string): Promise<string[][]> => {
  const { records = [] } = await aws.execute({ resourceArn, secretArn: SECRET, sql: text });
  return records.map((row) => row.map((field) => JSON.stringify(field)));
};
