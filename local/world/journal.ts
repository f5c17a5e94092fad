import { createHash } from 'node:crypto';
import type { Place } from './world.ts';

/** One request, as the world saw it. Inputs may hold secrets and are kept in memory only. */
export interface Entry {
  readonly number: number;
  readonly at: number;
  readonly place: Place;
  readonly service: string;
  readonly operation: string;
  readonly input: object;
  readonly caller: string;
  /** When it was answered; absent while under way, or where no answer ever came. */
  answered?: number;
  /** `ok`, the code of the error, or `lost`. */
  outcome?: string;
}

/** What was asked of the world, in order: all of it or, where the world may live long, the last of it. */
export class Journal {
  readonly entries: Entry[] = [];
  /** How often each operation was asked for, `service:operation`, also by what is no longer remembered. */
  readonly counts = new Map<string, number>();
  readonly accounts = new Set<string>();
  readonly regions = new Set<string>();
  readonly #remembered: number;

  constructor(remembered = Number.POSITIVE_INFINITY) {
    this.#remembered = remembered;
  }

  begin(entry: Entry): { done(at: number): void; refused(at: number, code: string): void; lost<E extends Error>(error: E): E } {
    const { service, operation, place } = entry;
    const name = `${service}:${operation}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.accounts.add(place.account);
    this.regions.add(place.region);
    this.entries.push(entry);
    if (this.entries.length >= 2 * this.#remembered) this.entries.splice(0, this.entries.length - this.#remembered);
    return {
      done: (at) => void Object.assign(entry, { answered: at, outcome: 'ok' }),
      refused: (at, code) => void Object.assign(entry, { answered: at, outcome: code }),
      lost: (error) => {
        entry.outcome = 'lost';
        return error;
      },
    };
  }

  count(matches: (entry: Entry) => boolean = () => true): number {
    return this.entries.reduce((sum, entry) => sum + (matches(entry) ? 1 : 0), 0);
  }

  /** Equal for two runs that did the same at the same virtual times. */
  digest(): string {
    const hash = createHash('sha256');
    for (const { at, place, service, operation, outcome } of this.entries) {
      hash.update(`${at} ${place.account}/${place.region} ${service}:${operation} ${outcome}\n`);
    }
    return hash.digest('hex');
  }

  clear(): void {
    this.entries.length = 0;
    this.counts.clear();
    this.accounts.clear();
    this.regions.clear();
  }
}
