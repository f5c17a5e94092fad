import type { Place } from '../domain.ts';

/** The parts of an ARN; `resource` is everything after the account. */
export interface Arn extends Place {
  readonly partition: string;
  readonly service: string;
  readonly resource: string;
}

export function parseArn(text: string): Arn {
  const [arn, partition, service, region, account, ...rest] = text.split(':');
  if (arn !== 'arn' || !partition || !service || region === undefined || account === undefined || rest.length === 0) {
    throw new RangeError(`"${text}" is not an ARN (arn:partition:service:region:account:resource).`);
  }
  return { partition, service, region, account, resource: rest.join(':') };
}

/** The ARN of something in a place: `arnAt(place, 'ec2', 'volume/vol-1')`. */
export const arnAt = ({ region, account }: Place, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
