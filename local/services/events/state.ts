import { ACCESS_DENIED_EXCEPTION, authorize } from '../../world/authorization/authorize.ts';
import type { Document } from '../../world/authorization/document.ts';
import type { Guard } from '../../world/authorization/evaluate.ts';
import { assumed } from '../../world/authorization/trust.ts';
import { rfc3339 } from '../../world/clock.ts';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Caller, Place, World } from '../../world/world.ts';
import { deliver, parseArn, RETRY_POLICY, toDeadLetters } from '../deliveries.ts';
import type { Timetable } from '../timetables.ts';
import type { Pattern } from './pattern.ts';
import { shaped, type Target } from './target.ts';

/** An event as EventBridge passes it on (EventBridge guide, "Event structure"). */
export interface Event {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: object;
}

/** What a service of the world tells: who, what, and of which resources. */
export interface Told {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: object;
  readonly resources?: readonly string[];
  readonly time?: Date;
}

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  readonly targets: Map<string, Target>;
  readonly tags: Record<string, string>;
  description?: string | undefined;
  roleArn?: string | undefined;
  enabled: boolean;
  eventPattern?: { readonly text: string; readonly matches: Pattern } | undefined;
  schedule?: { readonly text: string; readonly timetable: Timetable } | undefined;
  /** Forgets when it would fire next. */
  disarm: () => void;
}

interface Bus {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly description: string | undefined;
  readonly tags: Record<string, string>;
  readonly rules: Map<string, Rule>;
  /** Who of other accounts may put events on it. */
  policy?: Document | undefined;
}

/** An event that a target never got, and why. */
export interface Undelivered {
  readonly rule: string;
  readonly target: string;
  readonly event: string;
  readonly why: string;
}

/** From an event's acceptance to a target's call it takes well under a second as a rule; the seed decides. */
const SECONDS = [0.1, 1] as const;
const SERVICE = 'events.amazonaws.com';
/** A second delivery of the same event comes within this. */
const AGAIN_SECONDS = [0, 60] as const;

export class EventsState {
  readonly buses = new Map<string, Bus>();
  /** How likely an event reaches a target twice: delivery is at least once (EventBridge guide, "Event delivery"). */
  duplicates = 0;
  readonly undelivered: Undelivered[] = [];
  readonly #place: Place;
  readonly #world: World;
  readonly #random;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.#world = world;
    this.#random = world.random.stream(`events/${account}/${region}`);
    this.createBus('default', undefined, {});
  }

  createBus(name: string, description: string | undefined, tags: Record<string, string>): Bus {
    const arn = `arn:aws:events:${this.#place.region}:${this.#place.account}:event-bus/${name}`;
    if (this.buses.has(name)) refuse('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    const bus: Bus = { name, arn, createdAt: this.#now(), description, tags, rules: new Map() };
    this.buses.set(name, bus);
    return bus;
  }

  /** By name or ARN. */
  findBus(nameOrArn = 'default'): Bus | undefined {
    return this.buses.get(parseArn(nameOrArn)?.resource.replace('event-bus/', '') ?? nameOrArn);
  }

  bus(nameOrArn = 'default'): Bus {
    return this.findBus(nameOrArn) ?? refuse('ResourceNotFoundException', `Event bus ${nameOrArn} does not exist.`);
  }

  rule(name: string, bus?: string): Rule {
    const found = this.bus(bus);
    return (
      found.rules.get(name) ??
      refuse('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${found.name}.`, { status: 404 })
    );
  }

  ruleArn(name: string, bus: string): string {
    const path = bus === 'default' ? name : `${bus}/${name}`;
    return `arn:aws:events:${this.#place.region}:${this.#place.account}:rule/${path}`;
  }

  /** What another service of this place tells, on the default bus. Answers the event's id. */
  emit({ source, detail, resources = [], time = this.#now(), ...rest }: Told): string {
    const { account, region } = this.#place;
    const id = this.#random.uuid();
    const instant = rfc3339(time);
    this.publish('default', {
      version: '0',
      id,
      'detail-type': rest['detail-type'],
      source,
      account,
      time: instant,
      region,
      resources,
      detail,
    });
    return id;
  }

  /** Brings an event to the targets of all rules that it matches. One that came from another bus goes to no further one. */
  publish(bus: string, event: Event, forwarded = false): void {
    for (const rule of this.findBus(bus)?.rules.values() ?? []) {
      if (rule.enabled && rule.eventPattern?.matches(event)) this.#trigger(rule, event, forwarded);
    }
  }

  /** Has a rule fire by its schedule from now on, if it has one and is enabled. */
  arm(rule: Rule): void {
    rule.disarm();
    const time = rule.enabled ? rule.schedule?.timetable.next(this.#world.clock.now()) : undefined;
    if (time === undefined) return;
    rule.disarm = this.#world.clock.at(time, () => {
      if (this.#world.state('events', this.#place) !== this) return; // the world was reset
      this.arm(rule);
      this.#trigger(rule, this.#scheduled(rule, new Date(time)), false);
    });
  }

  #scheduled(rule: Rule, time: Date): Event {
    const { account, region } = this.#place;
    return {
      version: '0',
      id: this.#random.uuid(),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account,
      time: rfc3339(time),
      region,
      resources: [rule.arn],
      detail: {},
    };
  }

  #trigger(rule: Rule, event: Event, forwarded: boolean): void {
    for (const target of rule.targets.values()) {
      if (forwarded && parseArn(target.arn)?.service === 'events') continue;
      this.#later(SECONDS, () => this.#bring(rule, target, event));
      if (this.#random.chance(this.duplicates)) this.#later(AGAIN_SECONDS, () => this.#bring(rule, target, event));
    }
  }

  async #bring(rule: Rule, target: Target, event: Event): Promise<void> {
    const { attempts = RETRY_POLICY.attempts, seconds = RETRY_POLICY.seconds } = target.retry;
    const input = shaped(target, event, { rule: { name: rule.name, arn: rule.arn }, ingested: this.#now() });
    await deliver(this.#world, {
      from: this.#place,
      attempts,
      seconds,
      run: () => this.#send(rule, target, event, input),
      dropped: ({ message }) => {
        this.undelivered.push({ rule: rule.name, target: target.arn, event: event.id, why: message });
        if (!target.deadLetterArn) return;
        const attributes = { RULE_ARN: rule.arn, TARGET_ARN: target.arn, ERROR_MESSAGE: message };
        void toDeadLetters(this.#world, target.deadLetterArn, {
          body: JSON.stringify(event),
          attributes,
          service: `arn:aws:iam::${this.#place.account}:service/${SERVICE}`,
        });
      },
    });
  }

  async #send(rule: Rule, { arn, roleArn }: Target, event: Event, input: string): Promise<void> {
    const { service, place, resource } = parseArn(arn)!;
    const caller = this.#callerFor(rule, roleArn);
    if (service === 'lambda') {
      const request = { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(input) };
      await this.#world.call({ place, service, operation: 'Invoke', input: request, caller });
    } else if (service === 'states') {
      const request = { stateMachineArn: arn, name: `${event.id}_${this.#random.uuid()}`, input };
      await this.#world.call({ place, service, operation: 'StartExecution', input: request, caller });
    } else if (service === 'sns') {
      await this.#world.call({ place, service, operation: 'Publish', input: { TopicArn: arn, Message: input }, caller });
    } else if (service === 'sqs') {
      const request = { QueueUrl: resource, MessageBody: input };
      await this.#world.call({ place, service, operation: 'SendMessage', input: request, caller });
    } else {
      if (roleArn !== undefined) {
        const asked = {
          action: 'events:PutEvents',
          resource: arn,
          keys: { 'events:source': event.source, 'events:detail-type': event['detail-type'] },
        };
        authorize(
          [{ ...asked, guard: guardOf(arn, this.#world) }],
          { world: this.#world, caller, region: place.region },
          ACCESS_DENIED_EXCEPTION,
        );
      }
      await this.#forward(place, resource.replace('event-bus/', ''), event);
    }
  }

  /** Under the target's role, else in EventBridge's own name, which the target's own policy must let in (EventBridge guide, "Using IAM roles"). */
  #callerFor(rule: Rule, roleArn: string | undefined): Caller {
    const { account } = this.#place;
    const service = 'events.amazonaws.com';
    if (roleArn === undefined) return { account, arn: service, service };
    return assumed(this.#world, { service, roleArn, session: 'events', for: this.#place, resource: rule.arn });
  }

  /** To a bus in this or another region or account. As long as that region is dark it is tried again, and nobody is told. */
  async #forward(place: Place, bus: string, event: Event): Promise<void> {
    await this.#world.clock.sleep(this.#random.between(...SECONDS) * 1000);
    if (this.#world.dark.has(place.region)) refuse('ServiceUnavailable', `${place.region} does not answer.`, { status: 503 });
    const there = this.#world.state<EventsState>('events', place);
    there.publish(there.bus(bus).name, event, true);
  }

  #later([from, to]: readonly [number, number], run: () => Promise<void>): void {
    this.#world.clock.after(this.#random.between(from, to) * 1000, () => void run());
  }

  #now(): Date {
    return new Date(this.#world.clock.now());
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.buses.values()].flatMap((bus) => [bus, ...bus.rules.values()].map(({ arn, tags }) => ({ arn, tags })));
  }
}

/** A bus's own policy, wherever the bus is. */
export function guardOf(busArn: string, world: World): Guard {
  const { place, resource } = parseArn(busArn) ?? {};
  const bus = place && world.state<EventsState>('events', place).findBus(resource?.replace('event-bus/', ''));
  return { policy: bus?.policy };
}
