import { createHash } from 'node:crypto';
import type { World } from '../../world/world.ts';

/** What a registry's state answers to a node that pulls; ECR's does. */
export interface Registry {
  /** The digest of an image by its tag or digest; undefined where there is none. */
  digestOf(repository: string, reference: string): string | undefined;
}

export type Pulled = { readonly imageId: string } | { readonly why: string };

const ECR = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com\/(.+)$/;

/**
 * Pulls an image, as far as its name goes. One of ECR must be in that account and region, and the region alive; any other registry has
 * everything, and gives each name a digest of its own.
 */
export function pull(world: World, image: string): Pulled {
  const [, account, region, rest] = ECR.exec(image) ?? [];
  const { repository, reference, digest } = partsOf(rest ?? image);
  if (account === undefined || region === undefined) {
    const named = digest ?? `sha256:${createHash('sha256').update(image).digest('hex')}`;
    return { imageId: `${withRegistry(repository)}@${named}` };
  }
  const host = `${account}.dkr.ecr.${region}.amazonaws.com`;
  const failed = (why: string): Pulled => ({ why: `failed to pull and unpack image "${image}": ${why}` });
  if (world.dark.has(region)) return failed(`failed to resolve reference: dial tcp: ${host}: i/o timeout`);
  const registry = world.services.has('ecr') ? world.state<Registry>('ecr', { account, region }) : undefined;
  const found = registry?.digestOf(repository, digest ?? reference);
  return found
    ? { imageId: `${host}/${repository}@${found}` }
    : failed(`${host}/${repository}:${digest ?? reference}: not found`);
}

function partsOf(name: string): { repository: string; reference: string; digest: string | undefined } {
  const [tagged = '', digest] = name.split('@');
  const [, repository = tagged, reference = 'latest'] = /^(.*?)(?::([^:/]+))?$/.exec(tagged) ?? [];
  return { repository, reference, digest };
}

/** Docker Hub's short names (distribution/reference, "familiar names"). */
function withRegistry(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return repository;
  return rest.length > 0 ? `docker.io/${repository}` : `docker.io/library/${repository}`;
}
