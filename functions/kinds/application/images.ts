import type { Place } from '../../domain.ts';
import { type Captured, type KubernetesObject, PODS, read, typeKey } from '../../kubernetes/object.ts';

/** What an image of a container was when it ran. */
export interface RunImage {
  /** As the Pod's specification names it. */
  readonly image: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** An image as something names it, and its digest where that is known. */
export type NamedImage = Pick<RunImage, 'image'> & Partial<RunImage>;

interface ContainerStatus {
  readonly name: string;
  readonly imageID?: string;
}

/**
 * Which bytes each image of a namespace's Pods was, by the digest that its node pulled (`containerStatuses[].imageID`). Where Pods disagree
 * the newest counts. Images that no node had pulled by digest are not in it.
 */
export function runImages(objects: readonly Captured[]): RunImage[] {
  const pods = objects
    .filter(({ type }) => typeKey(type) === typeKey(PODS))
    .map(({ raw }) => read(raw))
    .sort((a, b) => ((a.metadata?.creationTimestamp ?? '') < (b.metadata?.creationTimestamp ?? '') ? -1 : 1));
  const digests = new Map(
    pods.flatMap(pulledBy).flatMap(({ image, digest }) => (digest === undefined ? [] : [[image, digest] as const])),
  );
  return [...digests].map(([image, digest]) => ({ image, digest })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

/** The images that a Pod's specification names, with the digest that its node pulled for each, where one has. */
export function pulledBy({ spec, status }: KubernetesObject): NamedImage[] {
  return (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap((list) => {
    const statuses = (status?.[`${list.replace(/s$/, '')}Statuses`] ?? []) as readonly ContainerStatus[];
    const containers = (spec?.[list] ?? []) as readonly { name: string; image?: string }[];
    return containers.flatMap(({ name, image }) => {
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(statuses.find((one) => one.name === name)?.imageID ?? '')?.[1];
      return image === undefined ? [] : [{ image, ...(digest === undefined ? {} : { digest }) }];
    });
  });
}

/** An image's name taken apart (distribution, "reference"). */
export interface ImageName {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Present for a registry of ECR. */
  readonly registry?: Place;
}

export function parseImage(image: string): ImageName {
  const [, name = image, digest] = /^(.*?)(?:@(sha256:[0-9a-f]{64}))?$/.exec(image) ?? [];
  const [, path = name, tag] = /^(.*?)(?::([\w.-]+))?$/.exec(name.includes('/') ? name.slice(name.lastIndexOf('/')) : name) ?? [];
  const untagged = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) + path : path;
  const [, account, region, repository] =
    /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)\/(.+)$/.exec(untagged) ?? [];
  return {
    repository: repository ?? untagged,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    ...(account && region ? { registry: { account, region } } : {}),
  };
}
