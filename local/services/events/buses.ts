import type * as SDK from '@aws-sdk/client-eventbridge';
import { Malformed } from '../../world/authorization/conditions.ts';
import { type Document, documentOf } from '../../world/authorization/document.ts';
import { operations, refuse } from '../../world/service.ts';
import { invalid, paged } from './rules.ts';
import type { EventsState } from './state.ts';

type Bus = ReturnType<EventsState['bus']>;

const described = ({ name, arn, description, createdAt, policy }: Bus) => ({
  Name: name,
  Arn: arn,
  ...(description === undefined ? {} : { Description: description }),
  ...(policy === undefined ? {} : { Policy: policy.text }),
  CreationTime: createdAt,
  LastModifiedTime: createdAt,
});

interface Sided {
  readonly Sid?: string | undefined;
}
const statementsIn = ({ policy }: Bus): readonly Sided[] =>
  policy === undefined ? [] : [(JSON.parse(policy.text) as { Statement: Sided | Sided[] }).Statement].flat();
const policyOf = (Statement: readonly object[]): Document => policyIn(JSON.stringify({ Version: '2012-10-17', Statement }));

function policyIn(text: string): Document {
  try {
    return documentOf(text, 'resource');
  } catch (error) {
    if (error instanceof Malformed) return invalid(`The policy is not valid: ${error.message}`);
    throw error;
  }
}

export const buses = operations<typeof SDK, EventsState>()({
  CreateEventBus({ Name = '', EventSourceName, Description, Tags = [] }, { state }) {
    if (EventSourceName !== undefined)
      refuse('NotImplemented', 'The local EventBridge does not model partner event sources.', { status: 501 });
    if (!/^[\w.-]{1,256}$/.test(Name)) invalid(`Event bus name ${Name} is not valid.`);
    const bus = state.createBus(Name, Description, Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value ?? ''])));
    return { EventBusArn: bus.arn, ...(Description === undefined ? {} : { Description }) };
  },

  DescribeEventBus: ({ Name }, { state }) => described(state.bus(Name)),

  ListEventBuses({ NamePrefix = '', Limit, NextToken }, { state }) {
    const { page, more } = paged(
      [...state.buses.values()].filter(({ name }) => name.startsWith(NamePrefix)),
      Limit,
      NextToken,
    );
    return { EventBuses: page.map(described), ...more };
  },

  /** A whole policy, or one more statement for it (EventBridge API, PutPermission). */
  PutPermission({ EventBusName, Policy, Action = 'events:PutEvents', Principal, StatementId, Condition }, { state }) {
    const bus = state.bus(EventBusName);
    if (Condition) refuse('NotImplemented', 'The local EventBridge does not model conditions on organizations.', { status: 501 });
    if (Policy !== undefined) bus.policy = policyIn(Policy);
    else {
      const AWS = Principal === '*' ? '*' : { AWS: `arn:aws:iam::${Principal}:root` };
      const statement = { Sid: StatementId, Effect: 'Allow', Principal: AWS, Action, Resource: bus.arn };
      bus.policy = policyOf([...statementsIn(bus).filter(({ Sid }) => Sid !== StatementId), statement]);
    }
    return {};
  },

  RemovePermission({ EventBusName, StatementId, RemoveAllPermissions = false }, { state }) {
    const bus = state.bus(EventBusName);
    const left = RemoveAllPermissions ? [] : statementsIn(bus).filter(({ Sid }) => Sid !== StatementId);
    if (!RemoveAllPermissions && left.length === statementsIn(bus).length)
      refuse('ResourceNotFoundException', `Statement ${StatementId} does not exist on event bus ${bus.name}.`);
    bus.policy = left.length === 0 ? undefined : policyOf(left);
    return {};
  },

  /** The default bus stays, and so does one with rules (EventBridge API, DeleteEventBus). */
  DeleteEventBus({ Name = '' }, { state }) {
    if (Name === 'default') invalid('Cannot delete event bus default.');
    if ((state.findBus(Name)?.rules.size ?? 0) > 0) invalid(`Event bus ${Name} can't be deleted since it has rules.`);
    state.buses.delete(Name);
    return {};
  },
});
