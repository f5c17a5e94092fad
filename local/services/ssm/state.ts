import type { ParameterType } from '@aws-sdk/client-ssm';
import { refuse, type StateContext } from '../../world/service.ts';

export interface Stored {
  readonly name: string;
  readonly arn: string;
  readonly type: ParameterType;
  readonly value: string;
  readonly version: number;
  readonly changedAt: Date;
  readonly description: string | undefined;
  readonly tags: Record<string, string>;
}

/** Parameter Store of a place. */
export class SsmState {
  readonly parameters = new Map<string, Stored>();
  readonly #context: StateContext;

  constructor(context: StateContext) {
    this.#context = context;
  }

  /** By name or ARN (Systems Manager API, GetParameter). */
  peek(nameOrArn = ''): Stored | undefined {
    return this.parameters.get(nameOrArn) ?? [...this.parameters.values()].find(({ arn }) => arn === nameOrArn);
  }

  parameter(nameOrArn = ''): Stored {
    return this.peek(nameOrArn) ?? refuse('ParameterNotFound', `Parameter ${nameOrArn} not found.`);
  }

  /** A name in a hierarchy begins with its slash, which the ARN then does not repeat. */
  arn(name: string): string {
    const { account, region } = this.#context;
    return `arn:aws:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.parameters.values()].map(({ arn, tags }) => ({ arn, tags }));
  }
}
