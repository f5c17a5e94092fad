import type { Site } from './door.ts';
import type { Reading, StoredHalf } from './store.ts';
import { everyStore, everyStoreSoon, STORES, type StoreName, type Word } from './stores.ts';

/** One half of a transfer, and in which store it is remembered. */
export interface Half extends StoredHalf {
  readonly store: StoreName;
}

/** What the shop's stores hold at one moment, in one canonical spelling. What a freeze leaves behind is not part of it, but told. */
export interface Content {
  /** Each thing that a store holds, by its name there. */
  readonly held: Readonly<Record<StoreName, ReadonlyMap<string, string>>>;
  readonly halves: readonly Half[];
  readonly cents: Readonly<Record<StoreName, number>>;
  /** Which stores still say that the shop is frozen. */
  readonly frozen: readonly StoreName[];
  /** What cannot be read, in sentences. */
  readonly damage: readonly string[];
}

export type Readings = Readonly<Record<StoreName, Reading>>;

export const contentOf = (readings: Readings): Content => ({
  held: everyStore((store) => readings[store].held),
  halves: STORES.flatMap((store) => readings[store].halves.map((half) => ({ ...half, store }))),
  cents: everyStore((store) => readings[store].cents),
  frozen: STORES.filter((store) => readings[store].frozen),
  damage: STORES.flatMap((store) => readings[store].damage ?? []),
});

/** Reads the stores that these names stand for. Changes nothing. */
export const readStores = async (site: Site, names: Readonly<Record<Word, string>>): Promise<Content> =>
  contentOf(await everyStoreSoon((_, { word, read }) => read(site, names[word])));

export const totalCents = ({ cents }: Content): number => STORES.reduce((sum, store) => sum + cents[store], 0);

/** Money that has left one store and not arrived in the other. */
export function centsInFlight({ halves }: Content): number {
  const sum = (does: Half['does']) => halves.reduce((cents, half) => cents + (half.does === does ? half.cents : 0), 0);
  return sum('debit') - sum('credit');
}

/** Where two contents differ, one sentence for each thing: `held` is what was found, `truth` what it should have been. */
export function mismatches(held: Content, truth: Content): string[] {
  return STORES.flatMap((store) => differences(held.held[store], truth.held[store]).map((what) => `${store}: ${what}`)).concat(
    held.damage,
  );
}

function differences(held: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...held.keys(), ...truth.keys()])].toSorted();
  return names.flatMap((name) => {
    const [is, was] = [held.get(name), truth.get(name)];
    if (is === was) return [];
    if (is === undefined) return [`${name} is missing.`];
    return [was === undefined ? `${name} should not be there.` : `${name} is ${is} and should be ${was}.`];
  });
}

/** What each thing held at any of these moments; a thing that matches none of them is explained by no instant in between. */
export function unexplained(held: Content, truths: readonly Content[]): string[] {
  return STORES.flatMap((store) => {
    const names = new Set([held, ...truths].flatMap((content) => [...content.held[store].keys()]));
    return [...names]
      .filter((name) => !truths.some((truth) => truth.held[store].get(name) === held.held[store].get(name)))
      .map((name) => `${store}: ${name} is what it was at none of these instants.`);
  }).concat(held.damage);
}

/**
 * Whether this is a consistent cut: nothing is there without what it followed from. A client's transfers follow each other, and a credit
 * follows its debit, so what is there of each client must be a beginning of its history. One sentence for each effect without its cause.
 */
export function tears({ halves }: Content): string[] {
  const seen = new Map(halves.map((half) => [`${half.transfer} ${half.does}`, half]));
  return halves.flatMap((half) => {
    const cause = causeOf(half);
    if (!cause || seen.has(cause)) return [];
    return [
      `The ${half.does} of ${half.transfer} is in the ${half.store}, and what it followed is not there: the ${cause.split(' ').reverse().join(' of ')}.`,
    ];
  });
}

/** A credit follows its own debit; a debit follows the credit of the client's transfer before. */
function causeOf({ transfer, does }: Half): string | undefined {
  if (does === 'credit') return `${transfer} debit`;
  const [client, count] = transfer.split('-');
  return count === '1' ? undefined : `${client}-${Number(count) - 1} credit`;
}
