import type * as SDK from '@aws-sdk/client-ecr';
import type { Place } from '../../world/world.ts';
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
  const known = repository.images.get(image.digest);
  const tags = new Set([...(known?.tags ?? []), ...image.tags]);
  for (const other of repository.images.values())
    for (const tag of image.tags) if (other.digest !== image.digest) other.tags.delete(tag);
  const pushedAt = known?.pushedAt ?? new Date(world.clock.now());
  repository.images.set(image.digest, { ...image, pushedAt, tags, replicas: new Map() });
  image.replicas.set(key, 'COMPLETE');
}

/** Another account's registry must say that it lets itself be written to. */
const isAllowed = ({ place, registryPolicy }: EcrState, from: Place): boolean =>
  place.account === from.account || (registryPolicy?.includes(from.account) ?? false);
