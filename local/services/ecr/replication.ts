import type * as SDK from '@aws-sdk/client-ecr';
import type { Place } from '../../world/world.ts';
import { review } from './lifecycle.ts';
import { blobsOf, listedIn, readManifest } from './manifests.ts';
import type { EcrState, Image, Repository } from './state.ts';

/** Seconds until a copy is there. AWS says that most images take less than 30 minutes (ECR guide, "Private image replication"); the seed decides. */
const COPYING = [1, 30] as const;
/** A registry that cannot be reached is tried again, each time twice as late, at most every hour. */
const FIRST_PAUSE = 60;
const LONGEST_PAUSE = 3600;

/** Copies a pushed image to wherever the rules say. What was pushed before a rule stays where it is; what is deleted here stays there. */
export function replicate(state: EcrState, { name }: Repository, image: Image): void {
  for (const place of destinations(state, name)) {
    const key = `${place.account}/${place.region}`;
    image.replicas.set(key, 'IN_PROGRESS');
    const { world } = state;
    world.clock.after(world.random.between(...COPYING) * 1000, () => arrive(state, { name, image, place, key }, FIRST_PAUSE));
  }
}

function destinations({ replication, place }: EcrState, repository: string): Place[] {
  const rules = (replication.rules ?? []).filter(({ repositoryFilters = [] }) => {
    return repositoryFilters.length === 0 || repositoryFilters.some(({ filter = '' }) => repository.startsWith(filter));
  });
  return rules
    .flatMap(({ destinations = [] }: SDK.ReplicationRule) => destinations)
    .map(({ registryId, region }) => ({ account: registryId ?? place.account, region: region ?? place.region }));
}

interface Copy {
  readonly name: string;
  readonly image: Image;
  readonly place: Place;
  readonly key: string;
}

function arrive(state: EcrState, copy: Copy, pause: number): void {
  const { world, place: from } = state;
  const { name, image, place, key } = copy;
  if ([from.region, place.region].some((region) => world.dark.has(region))) {
    world.clock.after(pause * 1000, () => arrive(state, copy, Math.min(pause * 2, LONGEST_PAUSE)));
    return;
  }
  const there = world.state<EcrState>('ecr', place);
  if (!isAllowed(there, from)) {
    image.replicas.set(key, 'FAILED');
    return;
  }
  // A repository that replication makes has default settings and no tags (ECR guide, "Considerations for private image replication").
  const repository = there.repositories.get(name) ?? there.create(name);
  bring(state.repositories.get(name), repository, image, new Date(world.clock.now()));
  const known = repository.images.get(image.digest)!;
  for (const tag of image.tags) {
    for (const other of repository.images.values()) other.tags.delete(tag);
    known.tags.add(tag);
  }
  image.replicas.set(key, 'COMPLETE');
  review(there, repository);
}

/** An image comes with its layers, and an index with the images that it lists. */
function bring(from: Repository | undefined, to: Repository, image: Image, pushedAt: Date): void {
  const manifest = readManifest(image.manifest);
  for (const { digest = '' } of blobsOf(manifest)) {
    const layer = from?.layers.get(digest);
    if (layer) to.layers.set(digest, layer);
  }
  for (const digest of listedIn(manifest)) {
    const listed = from?.images.get(digest);
    if (listed) bring(from, to, listed, pushedAt);
  }
  if (!to.images.has(image.digest)) to.images.set(image.digest, { ...image, pushedAt, tags: new Set(), replicas: new Map() });
}

/** Another account's registry must say that it lets itself be written to. */
const isAllowed = ({ place, registryPolicy }: EcrState, from: Place): boolean =>
  place.account === from.account || (registryPolicy?.includes(from.account) ?? false);
