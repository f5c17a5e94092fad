import { firstWhere } from '../../utf8.ts';
import { Database } from './database.ts';
import type { Statement } from './statement.ts';

/** What was committed at once, in the order of commits. */
export interface Commit {
  /** When, in whole virtual milliseconds. */
  readonly at: number;
  readonly statements: readonly Statement[];
}

interface Image {
  readonly at: number;
  /** How many commits it contains. */
  readonly commits: number;
  readonly bytes: Uint8Array;
}

/** After so many commits, or so large a part of all, a new image is taken: little is ever run again, and images do not outgrow what they are of. */
const COMMITS_AN_IMAGE = 500;
const PART_AN_IMAGE = 1 / 8;

/** The base image and the log of an instance: what it held at any time. Automated backups give access to a part of it. */
export class History {
  readonly #images: Image[];
  readonly #commits: Commit[] = [];

  constructor(image: Uint8Array, at: number) {
    this.#images = [{ at, commits: 0, bytes: image }];
  }

  note(commit: Commit, now: { image(): Uint8Array }): void {
    this.#commits.push(commit);
    const last = this.#images.at(-1) as Image;
    const count = this.#commits.length;
    if (count - last.commits >= Math.max(COMMITS_AN_IMAGE, count * PART_AN_IMAGE))
      this.#images.push({ at: commit.at, commits: count, bytes: now.image() });
  }

  /** The time of the last commit until then, or of the first image. */
  lastCommit(until: number): number {
    return this.#commits[this.commitsUntil(until) - 1]?.at ?? (this.#images[0] as Image).at;
  }

  /** What it held when everything committed at this millisecond and before had been. */
  at(time: number): Uint8Array {
    return this.#after(this.commitsUntil(time));
  }

  /**
   * What the log gives for a second: all that was committed before it, nothing after it, and of what was committed within it as much as the
   * dice say, in order: the grain of RestoreTime is a second (RDS API, RestoreDBInstanceToPointInTime). No commit is there in part.
   */
  asOfSecond(second: number, dice: { integer(from: number, to: number): number }): Uint8Array {
    return this.#after(dice.integer(this.commitsUntil(second - 1), this.commitsUntil(second + 999)));
  }

  /** How many commits there were at this millisecond and before: what it held follows from that. */
  commitsUntil(time: number): number {
    return firstWhere(this.#commits, ({ at }) => at > time);
  }

  #after(commits: number): Uint8Array {
    const from = this.#images.findLast((image) => image.commits <= commits) as Image;
    if (from.commits === commits) return from.bytes;
    const database = new Database(from.bytes);
    for (const { statements } of this.#commits.slice(from.commits, commits)) database.runTogether(statements);
    const image = database.image();
    database.close();
    return image;
  }
}
