/** The tags that everything we make bears, in the creating call itself, so that a lost answer can be found again and a leftover deleted. */
export const TAG = {
  application: 'stillpoint:application',
  restorePoint: 'stillpoint:restore-point',
  cut: 'stillpoint:cut',
  resource: 'stillpoint:resource',
  restore: 'stillpoint:restore',
} as const;

/** What was made, for whom: the values of our tags. */
export interface Stamp {
  readonly application: string;
  /** `<slot>/<attempt>`. */
  readonly restorePoint: string;
  readonly resource: string;
  readonly cut?: string;
  readonly restore?: string;
}

/** Our tags as AWS's `[{ Key, Value }]`. Values are cut to the 256 characters that AWS allows. */
export const stamp = (of: Stamp): { Key: string; Value: string }[] =>
  Object.entries(TAG).flatMap(([part, Key]) => {
    const Value = of[part as keyof Stamp];
    return Value === undefined ? [] : [{ Key, Value: Value.slice(0, 256) }];
  });

/** EC2 filters that find what bears these tags. */
export const stamped = (of: Partial<Stamp>): { Name: string; Values: string[] }[] =>
  Object.entries(of).map(([part, value]) => ({
    Name: `tag:${TAG[part as keyof Stamp]}`,
    Values: [(value as string).slice(0, 256)],
  }));
