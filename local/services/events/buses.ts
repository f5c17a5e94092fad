import type * as SDK from '@aws-sdk/client-eventbridge';
import { operations, refuse } from '../../world/service.ts';
import { invalid, paged } from './rules.ts';
import type { EventsState } from './state.ts';

type Bus = ReturnType<EventsState['bus']>;

const described = ({ name, arn, description, createdAt }: Bus) => ({
  Name: name,
  Arn: arn,
  ...(description === undefined ? {} : { Description: description }),
  CreationTime: createdAt,
  LastModifiedTime: createdAt,
});

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

  /** The default bus stays, and so does one with rules (EventBridge API, DeleteEventBus). */
  DeleteEventBus({ Name = '' }, { state }) {
    if (Name === 'default') invalid('Cannot delete event bus default.');
    if ((state.findBus(Name)?.rules.size ?? 0) > 0) invalid(`Event bus ${Name} can't be deleted since it has rules.`);
    state.buses.delete(Name);
    return {};
  },
});
