import type * as SDK from '@aws-sdk/client-rds';
import type { Check } from '../../world/authorization/authorize.ts';
import { givingTags } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import { documentOf } from '../../world/authorization/document.ts';
import type { Context } from '../../world/service.ts';
import type { RdsState } from './state.ts';

const refuses = { code: 'AccessDenied', status: 403 } as const; // RDS API, "Common errors"

type Type = Parameters<RdsState['arn']>[0];

interface Tagging {
  readonly Tags?: readonly SDK.Tag[];
}

/** Tags that are given while something is made (RDS guide, "Tagging Amazon RDS resources": Permissions). */
const tagging =
  (member: string, type: Type) =>
  (input: Tagging & Record<string, any>, { state }: Context<RdsState>): Check[] =>
    givingTags('rds:AddTagsToResource', state.arn(type, input[member] ?? '*'), input.Tags);

const MADE: Readonly<Record<string, readonly [member: string, type: Type]>> = {
  CreateDBInstance: ['DBInstanceIdentifier', 'db'],
  CreateDBSnapshot: ['DBSnapshotIdentifier', 'snapshot'],
  CopyDBSnapshot: ['TargetDBSnapshotIdentifier', 'snapshot'],
  RestoreDBInstanceFromDBSnapshot: ['DBInstanceIdentifier', 'db'],
  RestoreDBInstanceToPointInTime: ['TargetDBInstanceIdentifier', 'db'],
  CreateDBCluster: ['DBClusterIdentifier', 'cluster'],
  CreateDBClusterSnapshot: ['DBClusterSnapshotIdentifier', 'cluster-snapshot'],
  CopyDBClusterSnapshot: ['TargetDBClusterSnapshotIdentifier', 'cluster-snapshot'],
  RestoreDBClusterFromSnapshot: ['DBClusterIdentifier', 'cluster'],
  RestoreDBClusterToPointInTime: ['DBClusterIdentifier', 'cluster'],
  CreateDBClusterParameterGroup: ['DBClusterParameterGroupName', 'cluster-pg'],
  CreateDBSubnetGroup: ['DBSubnetGroupName', 'subgrp'],
  CreateDBParameterGroup: ['DBParameterGroupName', 'pg'],
  CreateOptionGroup: ['OptionGroupName', 'og'],
};

const SNAPSHOT = /:(cluster-)?snapshot:/;
/** A snapshot of another account is open to whom it is shared with; that it is not is told as if it were not there, once it is looked for. */
const SHARED = documentOf(
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'rds:*', Resource: '*' }] }),
  'resource',
);

/** Service Authorization Reference, "Amazon RDS". */
export const authorization: Authorization<RdsState> = {
  refusing: refuses,
  members: {
    DBInstanceIdentifier: 'db',
    SourceDBInstanceIdentifier: 'db',
    TargetDBInstanceIdentifier: 'db',
    DBSnapshotIdentifier: 'snapshot',
    SourceDBSnapshotIdentifier: 'snapshot',
    TargetDBSnapshotIdentifier: 'snapshot',
    DBClusterIdentifier: 'cluster',
    SourceDBClusterIdentifier: 'cluster',
    DBClusterSnapshotIdentifier: 'cluster-snapshot',
    SourceDBClusterSnapshotIdentifier: 'cluster-snapshot',
    TargetDBClusterSnapshotIdentifier: 'cluster-snapshot',
    SnapshotIdentifier: 'cluster-snapshot',
    DBClusterParameterGroupName: 'cluster-pg',
    DBSubnetGroupName: 'subgrp',
    OptionGroupName: 'og',
    DBParameterGroupName: 'pg',
  },
  unnamed: {
    DescribeDBSnapshots: 'snapshot',
    DescribeDBInstanceAutomatedBackups: 'auto-backup',
    DescribeDBClusterSnapshots: 'cluster-snapshot',
    DescribeDBClusterAutomatedBackups: 'cluster-auto-backup',
    DescribeExportTasks: 'snapshot',
  },
  arnOf: (type, name, { state }) => state.arn(type as Type, name),
  guard: (resource, { account }) =>
    SNAPSHOT.test(resource) && resource.split(':')[4] !== account ? { policy: SHARED } : undefined,
  also: {
    ...Object.fromEntries(Object.entries(MADE).map(([operation, [member, type]]) => [operation, tagging(member, type)])),
    /** A last snapshot is a snapshot (RDS guide, "Deleting a DB instance": permissions since August 2024). */
    DeleteDBInstance: ({ DBInstanceIdentifier = '', FinalDBSnapshotIdentifier: last }, { state }) =>
      last === undefined
        ? []
        : [state.arn('db', DBInstanceIdentifier), state.arn('snapshot', last)].map((resource) => ({
            action: 'rds:CreateDBSnapshot',
            resource,
          })),
    StartExportTask: ({ IamRoleArn }) => passing(IamRoleArn, 'export.rds.amazonaws.com'),
    /** The same for a cluster (Service Authorization Reference: DeleteDBCluster needs rds:CreateDBClusterSnapshot). */
    DeleteDBCluster: ({ DBClusterIdentifier = '', FinalDBSnapshotIdentifier: last }, { state }) =>
      last === undefined
        ? []
        : [state.arn('cluster', DBClusterIdentifier), state.arn('cluster-snapshot', last)].map((resource) => ({
            action: 'rds:CreateDBClusterSnapshot',
            resource,
          })),
    /** The backups that come to be here (Service Authorization Reference: auto-backup). */
    StartDBInstanceAutomatedBackupsReplication: (_, { state }) => [
      { action: 'rds:StartDBInstanceAutomatedBackupsReplication', resource: state.arn('auto-backup', '*') },
    ],
  },
};
