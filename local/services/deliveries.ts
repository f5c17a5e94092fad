import { Refusal } from '../world/service.ts';
import { ConnectionLost, type Place, type World } from '../world/world.ts';

/** Something to be brought to a target: tried until it is taken, refused for good, or too old. */
export interface Delivery {
  /** Where whoever delivers works: while that region is dark nothing is tried. */
  readonly from: Place;
  readonly attempts: number;
  readonly seconds: number;
  /** Tries once, counted from 1. */
  readonly run: (attempt: number) => Promise<unknown>;
  /** Told why in the end it was not delivered. */
  readonly dropped: (why: Error) => void;
}

/** EventBridge and Scheduler try for 24 hours and up to 185 times, ever more slowly, unless told otherwise (their guides, "Retry policy"). */
export const RETRY_POLICY = { attempts: 185, seconds: 86_400 } as const;
const FIRST_PAUSE_SECONDS = 1;
const LONGEST_PAUSE_SECONDS = 600;
const DARK_MILLIS = 60_000;

export async function deliver(world: World, { from, attempts, seconds, run, dropped }: Delivery): Promise<void> {
  const deadline = world.clock.now() + seconds * 1000;
  for (let attempt = 1; ; attempt++) {
    while (world.dark.has(from.region)) await world.clock.sleep(DARK_MILLIS);
    if (world.clock.now() > deadline) return dropped(new Error('It is older than its retry policy allows.'));
    try {
      return void (await run(attempt));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof ConnectionLost)) throw error;
      const pause = Math.min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS) * 1000;
      if (!passing(error) || attempt > attempts || world.clock.now() + pause > deadline) return dropped(error);
      await world.clock.sleep(pause);
    }
  }
}

/** What may go better next time: silence, a fault of the other side, too much at once. */
const passing = (error: Refusal | ConnectionLost): boolean =>
  error instanceof ConnectionLost || (error.status ?? 400) >= 500 || /Throttl|TooManyRequests|LimitExceeded/.test(error.code);

/** The parts of an ARN that say where and what. */
export function parseArn(arn: string): { service: string; place: Place; resource: string } | undefined {
  const [, service = '', region = '', account = '', resource = ''] = /^arn:[^:]+:([^:]+):([^:]*):(\d{12}):(.+)$/.exec(arn) ?? [];
  return resource ? { service, place: { account, region }, resource } : undefined;
}

/**
 * Puts what could not be delivered into the dead-letter queue that was named, with why. Where that fails too it is lost, as with AWS
 * (EventBridge guide, "Using dead-letter queues").
 */
export async function toDeadLetters(
  world: World,
  arn: string,
  letter: { readonly body: string; readonly attributes: Readonly<Record<string, string>>; readonly service: string },
): Promise<void> {
  const queue = parseArn(arn);
  if (!queue) return;
  const { place, resource } = queue;
  const MessageAttributes = Object.fromEntries(
    Object.entries(letter.attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  const input = { QueueUrl: resource, MessageBody: letter.body, MessageAttributes };
  const caller = { account: place.account, arn: letter.service };
  try {
    await world.call({ place, service: 'sqs', operation: 'SendMessage', input, caller });
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ConnectionLost)) throw error;
  }
}
