import type { EVENTS } from './schema.ts';

/** What the events that a policy may name look like on EventBridge (EventBridge guide, "Events from AWS services"). */
export const PATTERNS: Readonly<Record<(typeof EVENTS)[number], object>> = {
  'codepipeline-started': {
    source: ['aws.codepipeline'],
    'detail-type': ['CodePipeline Pipeline Execution State Change'],
    detail: { state: ['STARTED'] },
  },
  'cloudformation-update': {
    source: ['aws.cloudformation'],
    'detail-type': ['CloudFormation Stack Status Change'],
    detail: { 'status-details': { status: ['UPDATE_IN_PROGRESS'] } },
  },
  'eks-upgrade': {
    source: ['aws.eks'],
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: { eventName: ['UpdateClusterVersion', 'UpdateNodegroupVersion'] },
  },
  'rds-maintenance': { source: ['aws.rds'], detail: { EventCategories: ['maintenance'] } },
  'guardduty-finding': {
    source: ['aws.guardduty'],
    'detail-type': ['GuardDuty Finding'],
    detail: { severity: [{ numeric: ['>=', 7] }] },
  },
  'aws-health-region': {
    source: ['aws.health'],
    'detail-type': ['AWS Health Event'],
    detail: { eventTypeCategory: ['issue'] },
  },
};

/** Where an event says who is behind it, as JSON paths; the others have no more than their own id. */
const ASKERS: Readonly<Partial<Record<string, string>>> = {
  'codepipeline-started': '$.detail.execution-id',
  'cloudformation-update': '$.detail.stack-id',
};

/** The JSON path to what the point records as having asked for it. */
export const askedByPath = (event: string): string => ASKERS[event] ?? '$.id';

const CUSTOM = 'custom:';

/** The pattern of an event as a resolved policy names it: one of ours by name, or `custom:` and its own pattern as JSON. */
export const patternOf = (event: string): object =>
  event.startsWith(CUSTOM) ? (JSON.parse(event.slice(CUSTOM.length)) as object) : PATTERNS[event as keyof typeof PATTERNS];

/** A short name for an event: its own, or for a custom one its place in the list that names it. */
export const eventName = (event: string, index: number): string => (event.startsWith(CUSTOM) ? `custom-${index + 1}` : event);
