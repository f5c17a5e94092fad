import { createHash } from 'node:crypto';

/**
 * An id that follows from what a thing is made with and not from the seed, so that a configuration can name the thing before it is there.
 * AWS chooses such ids by its own lights and gives none twice: what is made with the same once more gets the next one.
 */
export function givenId(prefix: string, madeWith: readonly string[], isTaken: (id: string) => boolean): string {
  for (let count = 0; ; count++) {
    const id = `${prefix}-0${createHash('sha256')
      .update([prefix, ...madeWith, count].join('\n'))
      .digest('hex')
      .slice(0, 16)}`;
    if (!isTaken(id)) return id;
  }
}
