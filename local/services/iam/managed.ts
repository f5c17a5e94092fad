import { documentOf } from '../../world/authorization/document.ts';
import type { ManagedPolicy } from './state.ts';

type Statement = Readonly<Record<string, unknown>>;

/**
 * AWS's own policies that templates here name, as the AWS Managed Policy Reference gives them. ReadOnlyAccess, which lists thousands of
 * actions, is given by its rule: reading and listing, of every service that is modelled.
 */
const DOCUMENTS: Readonly<Record<string, readonly Statement[]>> = {
  AdministratorAccess: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  ReadOnlyAccess: [
    {
      Effect: 'Allow',
      Action: [
        'backup:Describe*',
        'backup:Get*',
        'backup:List*',
        'cloudformation:Describe*',
        'cloudformation:Estimate*',
        'cloudformation:Get*',
        'cloudformation:List*',
        'cloudwatch:Describe*',
        'cloudwatch:Get*',
        'cloudwatch:List*',
        'dynamodb:BatchGet*',
        'dynamodb:Describe*',
        'dynamodb:Get*',
        'dynamodb:List*',
        'dynamodb:Query',
        'dynamodb:Scan',
        'ec2:Describe*',
        'ec2:Get*',
        'ec2:List*',
        'ec2:Search*',
        'ecr:BatchCheck*',
        'ecr:BatchGet*',
        'ecr:Describe*',
        'ecr:Get*',
        'ecr:List*',
        'eks:Describe*',
        'eks:List*',
        'elasticfilesystem:Describe*',
        'elasticfilesystem:List*',
        'events:Describe*',
        'events:List*',
        'events:Test*',
        'iam:Generate*',
        'iam:Get*',
        'iam:List*',
        'iam:Simulate*',
        'kms:Describe*',
        'kms:Get*',
        'kms:List*',
        'lambda:Get*',
        'lambda:List*',
        'logs:Describe*',
        'logs:FilterLogEvents',
        'logs:Get*',
        'logs:List*',
        'rds:Describe*',
        'rds:Download*',
        'rds:List*',
        's3:DescribeJob',
        's3:Get*',
        's3:List*',
        'scheduler:Get*',
        'scheduler:List*',
        'sns:Check*',
        'sns:Get*',
        'sns:List*',
        'sqs:Get*',
        'sqs:List*',
        'sqs:Receive*',
        'ssm:Describe*',
        'ssm:Get*',
        'ssm:List*',
        'states:Describe*',
        'states:GetExecutionHistory',
        'states:List*',
        'sts:GetAccessKeyInfo',
        'sts:GetCallerIdentity',
        'sts:GetSessionToken',
        'tag:Get*',
      ],
      Resource: '*',
    },
  ],
  AWSCloudFormationReadOnlyAccess: [
    {
      Effect: 'Allow',
      Action: [
        'cloudformation:Describe*',
        'cloudformation:EstimateTemplateCost',
        'cloudformation:Get*',
        'cloudformation:List*',
        'cloudformation:ValidateTemplate',
        'cloudformation:Detect*',
      ],
      Resource: '*',
    },
  ],
  'service-role/AWSLambdaBasicExecutionRole': [
    { Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' },
  ],
};

const MADE = new Date('2015-02-06T18:39:46Z');

/** By ARN, `arn:aws:iam::aws:policy/…`: the same in every account, and nobody's to change. */
export const AWS_MANAGED: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(DOCUMENTS).map(([pathAndName, Statement], i) => {
    const arn = `arn:aws:iam::aws:policy/${pathAndName}`;
    const [name, ...path] = pathAndName.split('/').reverse() as [string, ...string[]];
    const document = documentOf(JSON.stringify({ Version: '2012-10-17', Statement }), 'identity');
    return [
      arn,
      {
        id: `ANPAI${String(i).padStart(16, '0')}`,
        name,
        path: path.length > 0 ? `/${path.reverse().join('/')}/` : '/',
        arn,
        description: undefined,
        createdAt: MADE,
        updatedAt: MADE,
        tags: {},
        versions: new Map([['v1', { id: 'v1', document, createdAt: MADE }]]),
        inForce: 'v1',
        lastVersion: 1,
      },
    ];
  }),
);
