/** The regions that nothing reaches, and since when: what was on its way out of them stopped there. */
export class DarkRegions extends Set<string> {
  readonly #since = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  override add(region: string): this {
    if (!this.has(region)) this.#since.set(region, this.#now());
    return super.add(region);
  }

  /** When it went dark, in milliseconds since the epoch; undefined where it is not. */
  since(region: string): number | undefined {
    return this.has(region) ? this.#since.get(region) : undefined;
  }
}
