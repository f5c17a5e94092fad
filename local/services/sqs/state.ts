import { refuse, type StateContext } from '../../world/service.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly sentAt: number;
  /** What a receiver says to delete it; each receipt has its own. */
  receipt?: string;
  /** From when on it is seen again. */
  visibleAt: number;
  receives: number;
}

export interface Queue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly attributes: Record<string, string>;
  readonly createdAt: number;
  messages: Message[];
}

/** SQS API, CreateQueue: what a queue has that nobody asked for. */
const DEFAULTS = {
  VisibilityTimeout: '30',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  DelaySeconds: '0',
  ReceiveMessageWaitTimeSeconds: '0',
  SqsManagedSseEnabled: 'true',
};

export class SqsState {
  readonly queues = new Map<string, Queue>();
  readonly #context: StateContext;
  readonly #random;

  constructor(context: StateContext) {
    this.#context = context;
    this.#random = context.world.random.stream(`sqs/${context.account}/${context.region}`);
  }

  get now(): number {
    return this.#context.world.clock.now();
  }

  create(name: string, attributes: Readonly<Record<string, string>>): Queue {
    const { account, region } = this.#context;
    const known = this.queues.get(name);
    if (known) return known;
    if (!/^[\w-]{1,80}$/.test(name))
      refuse('InvalidParameterValue', 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
    const queue: Queue = {
      name,
      url: `https://sqs.${region}.amazonaws.com/${account}/${name}`,
      arn: `arn:aws:sqs:${region}:${account}:${name}`,
      attributes: { ...DEFAULTS, ...attributes },
      createdAt: this.now,
      messages: [],
    };
    this.queues.set(name, queue);
    return queue;
  }

  /** By the last part of its URL, wherever the URL points to. */
  queue(url = ''): Queue {
    const found = this.queues.get(url.split('/').at(-1) ?? '');
    return found ?? refuse('QueueDoesNotExist', 'The specified queue does not exist.', { status: 400 });
  }

  send(queue: Queue, body: string, attributes: Readonly<Record<string, string>> = {}): Message {
    const visibleAt = this.now + Number(queue.attributes['DelaySeconds']) * 1000;
    const message: Message = { id: this.#random.uuid(), body, attributes, sentAt: this.now, visibleAt, receives: 0 };
    queue.messages.push(message);
    return message;
  }

  /** What is not deleted for longer than the queue keeps anything is gone. */
  kept(queue: Queue): Message[] {
    const oldest = this.now - Number(queue.attributes['MessageRetentionPeriod']) * 1000;
    queue.messages = queue.messages.filter(({ sentAt }) => sentAt >= oldest);
    return queue.messages;
  }

  receipt(): string {
    return this.#random.hex(32);
  }
}
