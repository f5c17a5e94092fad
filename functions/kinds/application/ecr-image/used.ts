import { millis } from '../../../aws/clock.ts';
import type { Door } from '../../../aws/verb.ts';
import { type Instant, type Place, samePlace } from '../../../domain.ts';
import { inParallel } from '../../items.ts';
import { type NamedImage, parseImage } from '../images.ts';
import type { HeldImage } from './image.ts';
import { describeImage, type describingImages, findImages, type findingImages } from './registry.ts';

/** What workloads use, sorted by where it lies. */
export interface Used {
  /** Of the registry of this place, by repository. */
  readonly held: ReadonlyMap<string, readonly HeldImage[]>;
  /** Images that ran and are not in the registry any more: without them nothing starts again. */
  readonly gone: readonly { readonly repository: string; readonly image: string }[];
  /** Names in templates that the registry does not know: what they name did not run either. */
  readonly unknown: readonly string[];
  /** Names of images that another place's registry of ECR keeps. */
  readonly foreign: readonly string[];
  /** Names of images of other registries. */
  readonly elsewhere: readonly string[];
}

const WIDTH = 4;

/**
 * Finds every image in the registry of `here`: by the digest that a node pulled, by the digest that its name says, or, where nothing runs it, by
 * its tag. With an instant, a tag does not count that is on an image which was pushed after it.
 */
export async function usedHere(
  aws: Door<typeof findingImages & typeof describingImages>,
  images: readonly NamedImage[],
  here: Place,
  until?: Instant,
): Promise<Used> {
  const ran = new Set(images.flatMap(({ image, digest }) => (digest === undefined ? [] : [image])));
  const parsed = images
    .filter(({ image, digest }) => digest !== undefined || !ran.has(image))
    .map(({ image, digest }) => ({ image, name: parseImage(image), digest }));
  const mine = parsed.filter(({ name }) => name.registry && samePlace(name.registry, here));
  const names = (some: readonly { readonly image: string }[]) => [...new Set(some.map(({ image }) => image))].sort();
  const repositories = [...Map.groupBy(mine, ({ name }) => name.repository)].sort(([a], [b]) => (a < b ? -1 : 1));
  const looked = await inParallel(repositories, WIDTH, async ([repository, uses]) => {
    const wanted = uses.map((use) => ({ ...use, reference: use.digest ?? use.name.digest ?? use.name.tag ?? 'latest' }));
    const references = wanted.map(({ reference }) => reference);
    const found = await findImages(aws.images, repository, references);
    const later = until === undefined ? new Set() : await movedSince(aws, repository, references, until);
    const tags = Map.groupBy(
      wanted.filter(({ reference }) => found.has(reference) && !later.has(reference)),
      ({ reference }) => found.get(reference)!.digest,
    );
    const held = [...tags].map(([digest, some]): HeldImage => {
      const named = some.flatMap(({ name }) => (name.digest === undefined ? [name.tag ?? 'latest'] : []));
      return { digest, names: [...new Set(named)].sort() };
    });
    const absent = wanted.filter(({ reference }) => !found.has(reference));
    return { repository, held: held.sort((a, b) => (a.digest < b.digest ? -1 : 1)), absent };
  });
  const absent = looked.flatMap((one) => one.absent);
  return {
    held: new Map(looked.flatMap(({ repository, held }) => (held.length > 0 ? [[repository, held]] : []))),
    gone: absent.flatMap(({ image, name: { repository }, digest }) =>
      digest === undefined ? [] : [{ repository, image: `${image} (${digest})` }],
    ),
    unknown: names(absent.filter(({ digest }) => digest === undefined)),
    foreign: names(parsed.filter(({ name }) => name.registry && !samePlace(name.registry, here))),
    elsewhere: names(parsed.filter(({ name }) => !name.registry)),
  };
}

/** Those of the tags that came to where they are only after an instant, as far as the push of what they are on tells. */
async function movedSince(
  aws: Door<typeof describingImages>,
  repository: string,
  references: readonly string[],
  until: Instant,
): Promise<ReadonlySet<string>> {
  const tags = [...new Set(references)].filter((reference) => !reference.startsWith('sha256:'));
  const described = await inParallel(tags, WIDTH, async (tag) => ({ tag, image: await describeImage(aws, repository, tag) }));
  return new Set(described.flatMap(({ tag, image }) => (image && image.pushedAt > millis(until) ? [tag] : [])));
}

/** Both, each digest once, with all names that it goes by. */
export function union(a: readonly HeldImage[], b: readonly HeldImage[]): HeldImage[] {
  const names = new Map<string, Set<string>>();
  for (const image of [...a, ...b]) {
    const known = names.get(image.digest) ?? new Set();
    for (const name of image.names) known.add(name);
    names.set(image.digest, known);
  }
  return [...names].map(([digest, some]) => ({ digest, names: [...some].sort() })).sort((x, y) => (x.digest < y.digest ? -1 : 1));
}
