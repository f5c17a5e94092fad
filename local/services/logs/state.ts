import type { MetricFilter, OutputLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import { refuse, type StateContext } from '../../world/service.ts';

export interface Stream {
  readonly name: string;
  readonly createdAt: number;
  /** In the order in which they came. */
  readonly events: OutputLogEvent[];
}

export interface Group {
  readonly name: string;
  readonly createdAt: number;
  retentionDays: number | undefined;
  readonly keyId: string | undefined;
  readonly tags: Record<string, string>;
  readonly filters: Map<string, MetricFilter>;
  readonly streams: Map<string, Stream>;
}

/** CloudWatch Logs of a place: groups, what was written into them, and filters, of which no metric comes here. */
export class LogsState {
  readonly groups = new Map<string, Group>();
  readonly #context: StateContext;

  constructor(context: StateContext) {
    this.#context = context;
  }

  arn(name: string): string {
    const { account, region } = this.#context;
    return `arn:aws:logs:${region}:${account}:log-group:${name}`;
  }

  create(name: string, { keyId, tags = {} }: { keyId?: string | undefined; tags?: Record<string, string> | undefined }): Group {
    if (!/^[\w./#-]{1,512}$/.test(name)) refuse('InvalidParameterException', `Log group name ${name} is not valid.`);
    if (this.groups.has(name)) refuse('ResourceAlreadyExistsException', 'The specified log group already exists');
    const createdAt = this.#context.world.clock.now();
    const group: Group = { name, createdAt, retentionDays: undefined, keyId, tags, filters: new Map(), streams: new Map() };
    this.groups.set(name, group);
    return group;
  }

  group(name = ''): Group {
    return this.groups.get(name) ?? refuse('ResourceNotFoundException', 'The specified log group does not exist.');
  }

  /** Writes lines at this moment, as services do whose group is there; without a group nothing is kept. */
  write(group: string, stream: string, lines: readonly string[]): void {
    const found = this.groups.get(group);
    if (!found) return;
    const time = Math.floor(this.#context.world.clock.now());
    this.streamOf(found, stream).events.push(...lines.map((message) => ({ message, timestamp: time, ingestionTime: time })));
  }

  streamOf({ streams }: Group, name: string): Stream {
    const known = streams.get(name);
    if (known) return known;
    const stream: Stream = { name, createdAt: Math.floor(this.#context.world.clock.now()), events: [] };
    streams.set(name, stream);
    return stream;
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.groups.values()].map(({ name, tags }) => ({ arn: this.arn(name), tags }));
  }
}
