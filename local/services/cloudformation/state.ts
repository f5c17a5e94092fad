import type * as SDK from '@aws-sdk/client-cloudformation';
import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Parameters } from './parameters.ts';
import type { Made } from './resources/resource.ts';
import type { ShownOutput } from './scope.ts';
import { type Definition, invalid, type Template } from './template.ts';

/** What a stack shall be. */
export interface Wanted {
  readonly text: string;
  readonly template: Template;
  readonly parameters: Parameters;
  readonly tags: readonly SDK.Tag[];
}

/** A resource of a stack, as it was last made. */
export interface Kept {
  readonly id: string;
  readonly definition: Definition;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Its physical id and attributes; absent where it could not be made. */
  readonly made?: Made;
  readonly status: SDK.ResourceStatus;
  readonly reason?: string | undefined;
  readonly at: Date;
}

export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  is: Wanted | undefined;
  status: SDK.StackStatus;
  reason?: string | undefined;
  updatedAt?: Date | undefined;
  deletedAt?: Date | undefined;
  roleArn?: string | undefined;
  capabilities: readonly SDK.Capability[];
  terminationProtection: boolean;
  outputs: readonly ShownOutput[];
  readonly resources: Map<string, Kept>;
  /** The oldest first; what a resource was made with is written out only for whoever looks. */
  readonly events: Event[];
  readonly changeSets: Map<string, ChangeSet>;
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly type: SDK.ChangeSetType;
  readonly createdAt: Date;
  readonly wanted: Wanted;
  readonly changes: readonly SDK.Change[];
  readonly capabilities: readonly SDK.Capability[];
  readonly roleArn: string | undefined;
  status: SDK.ChangeSetStatus;
  reason?: string | undefined;
  executionStatus: SDK.ExecutionStatus;
}

export type Event = Omit<SDK.StackEvent, 'ResourceProperties'> & { readonly properties?: Readonly<Record<string, unknown>> };

const STACK = 'AWS::CloudFormation::Stack';

export class CloudFormationState {
  /** Deleted ones too: they are found by their id for 90 days (CloudFormation API, DescribeStacks). */
  readonly stacks = new Map<string, Stack>();
  readonly place: Place;
  readonly #world: World;
  readonly #random;

  constructor({ account, region, world }: StateContext) {
    this.place = { account, region };
    this.#world = world;
    this.#random = world.random.stream(`cloudformation/${account}/${region}`);
  }

  now(): Date {
    return new Date(this.#world.clock.now());
  }

  uuid(): string {
    return this.#random.uuid();
  }

  /** Twelve letters and digits at the end of the names that CloudFormation makes. */
  suffix(): string {
    return this.#random.hex(12);
  }

  seconds(from: number, to: number): number {
    return this.#random.between(from, to);
  }

  arn(resource: string): string {
    return `arn:aws:cloudformation:${this.place.region}:${this.place.account}:${resource}`;
  }

  create(name: string, status: SDK.StackStatus): Stack {
    if (!/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(name))
      invalid(
        `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
      );
    const stack: Stack = {
      id: this.arn(`stack/${name}/${this.uuid()}`),
      name,
      createdAt: this.now(),
      is: undefined,
      status,
      capabilities: [],
      terminationProtection: false,
      outputs: [],
      resources: new Map(),
      events: [],
      changeSets: new Map(),
    };
    this.stacks.set(stack.id, stack);
    return stack;
  }

  /** By id, or by the name of one that is not deleted. */
  peek(nameOrId = ''): Stack | undefined {
    return (
      this.stacks.get(nameOrId) ??
      [...this.stacks.values()].find(({ name, status }) => name === nameOrId && status !== 'DELETE_COMPLETE')
    );
  }

  stack(nameOrId = ''): Stack {
    return this.peek(nameOrId) ?? invalid(`Stack with id ${nameOrId} does not exist`);
  }

  /** By its ARN alone, or by its name and its stack's. */
  changeSet(nameOrId = '', stackName?: string): { stack: Stack; changeSet: ChangeSet } {
    const stacks = stackName ? [this.stack(stackName)] : [...this.stacks.values()];
    for (const stack of stacks) {
      const changeSet = [...stack.changeSets.values()].find(({ id, name }) => nameOrId === id || nameOrId === name);
      if (changeSet) return { stack, changeSet };
    }
    return refuse('ChangeSetNotFound', `ChangeSet [${nameOrId}] does not exist`, { status: 404 });
  }

  /** Notes what a stack has become. */
  turn(stack: Stack, status: SDK.StackStatus, reason?: string): void {
    stack.status = status;
    stack.reason = reason;
    if (status === 'DELETE_COMPLETE') stack.deletedAt = this.now();
    this.#tell(stack, { LogicalResourceId: stack.name, PhysicalResourceId: stack.id, ResourceType: STACK }, status, reason);
  }

  /** Notes what a resource has become. */
  note(stack: Stack, kept: Omit<Kept, 'at'>): void {
    const { id, definition, status, reason, made, properties } = kept;
    stack.resources.set(id, { ...kept, at: this.now() });
    const about = {
      LogicalResourceId: id,
      PhysicalResourceId: made?.id ?? '',
      ResourceType: definition.Type,
      properties,
    };
    this.#tell(stack, about, status, reason);
  }

  #tell(stack: Stack, about: object, status: string, reason: string | undefined): void {
    stack.events.push({
      StackId: stack.id,
      StackName: stack.name,
      EventId: this.uuid(),
      Timestamp: this.now(),
      ResourceStatus: status as SDK.ResourceStatus,
      ...about,
      ...(reason === undefined ? {} : { ResourceStatusReason: reason }),
    });
  }
}
