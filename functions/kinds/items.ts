import { classify, Permanent } from '../aws/errors.ts';
import type { Json } from '../domain.ts';
import { failed } from './kind.ts';

/**
 * What a call's error means for one item: what may pass is thrown, so that all of it is asked again later; what will not pass is this
 * item's failure, in one sentence that begins with what was being done.
 */
export const failing =
  (resource: string, doing: string) =>
  (error: unknown): ReturnType<typeof failed> =>
    failed(resource, why(doing)(error));

/** The same for answers that are not items: the sentence, or the error thrown if it may pass. */
export const why =
  (doing: string) =>
  (error: unknown): string => {
    const classified = classify(error);
    if (!(classified instanceof Permanent)) throw classified;
    return `${doing}: ${classified.message}`;
  };

/** Waits for every answer before the first error is thrown, so that nothing is under way any more when the caller goes on. */
export async function allAnswered<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  const answers = await Promise.allSettled(asked);
  return answers.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  });
}

/** Runs `run` for every item, no more than `width` at a time; answers in the order of the items. Stops starting others when one throws. */
export async function inParallel<T, R>(items: readonly T[], width: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const answers = new Array<R>(items.length);
  let next = 0;
  let broken = false;
  const lane = async () => {
    while (next < items.length && !broken) {
      const mine = next++;
      try {
        answers[mine] = await run(items[mine] as T);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  await allAnswered(Array.from({ length: Math.min(width, items.length) }, lane));
  return answers;
}

export const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

/** A kind's own view of what it carries as JSON: handles and facts that only it writes and reads. */
export const handleOf = <Handle>({ handle }: { readonly handle: Json }): Handle => handle as unknown as Handle;
export const asJson = (value: object): { readonly [key: string]: Json } => value as unknown as { readonly [key: string]: Json };
