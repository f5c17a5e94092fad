import type * as SDK from '@aws-sdk/client-eventbridge';
import { rfc3339 } from '../../world/clock.ts';
import { type Context, operations } from '../../world/service.ts';
import { parseArn } from '../deliveries.ts';
import { compiled, invalid } from './rules.ts';
import type { Event, EventsState } from './state.ts';

/** One request holds at most so many entries, and so many bytes (EventBridge API, PutEvents). */
const MAX_ENTRIES = 10;
const MAX_BYTES = 1024 * 1024;
/** What an event must have to be tested; AWS was seen to do without `resources` and `detail`. */
const ENVELOPE = ['id', 'source', 'detail-type', 'account', 'time', 'region'];

export const put = operations<typeof SDK, EventsState>()({
  /** Each entry is taken or refused by itself; one for a bus that is not there is taken and goes nowhere. */
  PutEvents({ Entries = [] }, context) {
    if (Entries.length === 0 || Entries.length > MAX_ENTRIES)
      invalid(`1 validation error detected: Value at 'entries' must have length from 1 to ${MAX_ENTRIES}`);
    if (Entries.reduce((sum, entry) => sum + size(entry), 0) > MAX_BYTES)
      invalid(`Total size of the entries in the request is over the limit.`);
    const results = Entries.map((entry) => problem(entry) ?? { EventId: publish(entry, context) });
    return { Entries: results, FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length };
  },

  TestEventPattern({ Event = '', EventPattern = '' }) {
    const matches = compiled(EventPattern);
    const event = parsed(Event);
    if (event === undefined) return invalid('Parameter Event is not valid. Reason: it is not a JSON object');
    const missing = ENVELOPE.filter((field) => !Object.hasOwn(event, field));
    if (missing.length > 0) invalid(`Parameter Event is not valid. Reason: ${missing.join(', ')} missing`);
    return { Result: matches(event) };
  },
});

/** As AWS counts an entry (EventBridge guide, "Calculating event entry size"). */
const size = ({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: SDK.PutEventsRequestEntry): number =>
  (Time ? 14 : 0) + [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);

function problem({ Source, DetailType, Detail }: SDK.PutEventsRequestEntry): SDK.PutEventsResultEntry | undefined {
  for (const [name, value] of Object.entries({ Source, DetailType, Detail })) {
    const ErrorMessage = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
    if (!value) return { ErrorCode: 'InvalidArgument', ErrorMessage };
  }
  if (Source!.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  if (parsed(Detail!) === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return undefined;
}

function publish(entry: SDK.PutEventsRequestEntry, { world, account, region, now }: Context<EventsState>): string {
  const { Source = '', DetailType = '', Detail = '', Resources = [], Time, EventBusName = 'default' } = entry;
  const id = world.random.uuid();
  const event: Event = {
    version: '0',
    id,
    'detail-type': DetailType,
    source: Source,
    account,
    time: rfc3339(Time ?? now()),
    region,
    resources: Resources,
    detail: parsed(Detail)!,
  };
  const owner = parseArn(EventBusName)?.place ?? { account, region };
  if (owner.region === region) {
    const state = world.state<EventsState>('events', owner);
    const bus = state.findBus(EventBusName);
    if (bus) state.publish(bus.name, event, owner.account !== account);
  }
  return id;
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
