import { classify, Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { placeRenames } from '../../../decide/rewire.ts';
import type { Preview } from '../../../domain.ts';
import { type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { discover, type Offered, serves } from '../../../kubernetes/discovery.ts';
import {
  type ApiType,
  apiVersionOf,
  type Captured,
  type KubernetesObject,
  NAMESPACES,
  pathOf,
  read,
  titleOf,
  typeKey,
} from '../../../kubernetes/object.ts';
import { RESTORE_LABEL } from '../../../kubernetes/transform.ts';
import { bundleReading, readBundle } from '../../../vault/bundles.ts';
import { allAnswered, inParallel, why } from '../../items.ts';
import type { RestoreWork } from '../../kind.ts';
import { isShared } from './apply.ts';
import { unpackObjects } from './bundle.ts';
import { classesOf } from './gather.ts';
import { findImages, lookingAtImages } from './images.ts';
import { factsOf, KIND, namespaceId } from './namespace.ts';
import { type Preparation, type Prepared, prepare } from './prepare.ts';
import { clusterOf, preparingOf } from './restore.ts';

const looking = { ...connecting, ...bundleReading, ...lookingAtImages };
type Looking = Door<typeof looking>;

/** What restoring would make and bind, and what the target lacks for it. Secrets stay sealed: they are counted, not read. */
export const preview = verb(
  looking,
  (aws, works: readonly RestoreWork[], scene): Promise<Preview[]> =>
    allAnswered(works.map((work) => foresee(aws, work, scene).catch((error) => lacking(work, error)))),
);

function lacking({ resource }: RestoreWork, error: unknown): Preview {
  const classified = classify(error);
  if (!(classified instanceof Permanent)) throw classified;
  return {
    resource: resource.id,
    kind: KIND,
    creates: [],
    binds: [],
    renames: [],
    lacks: [`${resource.name}: ${classified.message}`],
    notes: [],
    minutes: 0,
  };
}

async function foresee(aws: Looking, work: RestoreWork, scene: Scene): Promise<Preview> {
  const { resource, artifact, target, vault } = work;
  const facts = factsOf(artifact);
  const objects = unpackObjects(await readBundle(aws, vault.place, facts.manifests).catch(unreadable(vault.place.region)));
  const images = await findImages(aws, facts.images, resource.place, target.place);
  const preparation = prepare(objects, { ...preparingOf(work), disks: new Map(), pins: images.pins, foreseen: true });
  const sealed = facts.counts['secrets'] ?? 0;
  const namespace = work.namespaces[resource.name] ?? resource.name;
  const common = {
    resource: resource.id,
    kind: KIND,
    creates: [...created(preparation), ...(sealed > 0 ? [`${sealed} Secrets, sealed until then`] : [])],
    binds: preparation.binds,
    notes: [...notesBefore(preparation), ...images.notes, ...facts.fallbacks.map((one) => `not of the instant: ${one}`)],
    minutes: minutesFor(preparation),
  };
  const lacks = [...preparation.problems, ...images.lacks];
  try {
    const cluster = await connect(aws, clusterOf(work), scene);
    const offered = await discover(cluster);
    const is = namespaceId(cluster.arn, namespace);
    return {
      ...common,
      renames: [
        ...(is === resource.id ? [] : [{ was: resource.id, is, what: 'namespace' }]),
        ...placeRenames(resource.place, target.place).filter(({ was }) => objects.some(({ raw }) => raw.includes(was))),
      ],
      lacks: [
        ...lacks,
        ...(is === resource.id ? [`Namespace ${namespace} would be restored over itself; map it to another name.`] : []),
        ...unserved(offered, objects, preparation),
        ...(await absentClasses(cluster, offered, objects)),
        ...(is === resource.id ? [] : await inTheWay(cluster, preparation, namespace, work.restore)),
      ],
    };
  } catch (error) {
    const classified = classify(error);
    if (!(classified instanceof Permanent)) throw classified;
    return { ...common, renames: [], lacks: [...lacks, classified.message] };
  }
}

const unreadable =
  (region: string) =>
  (error: unknown): never => {
    throw new Permanent(`${why(`Its manifests cannot be read in ${region}`)(error)} It is not restored from this point.`);
  };

/** What still looks lost is only told once everything has its new name. */
const notesBefore = ({ notes }: Preparation): string[] => notes.filter((note) => !note.startsWith('suspicious:'));

/** `workloads: 3 Deployment, 1 StatefulSet`. */
const created = ({ waves }: Preparation): string[] =>
  [...Map.groupBy(waves, ({ name }) => name)].map(([name, parts]) => {
    const kinds = Map.groupBy(
      parts.flatMap(({ objects }) => objects),
      ({ type }) => type.kind,
    );
    return `${name}: ${[...kinds].map(([kind, some]) => `${some.length} ${kind}`).join(', ')}`;
  });

/** Types that the target does not serve, and whose definitions the point does not hold either. */
function unserved(offered: Offered, objects: readonly Captured[], { waves }: Preparation): string[] {
  const defined = new Set(
    objects.filter(({ type }) => typeKey(type) === 'apiextensions.k8s.io/customresourcedefinitions').map(({ name }) => name),
  );
  const types = new Map<string, ApiType>(
    waves.flatMap(({ objects }) => objects).map(({ type }) => [`${typeKey(type)}/${type.version}`, type]),
  );
  return [...types.values()]
    .filter((type) => !serves(offered, type) && !defined.has(`${type.resource}.${type.group}`))
    .map(
      (type) => `The cluster does not serve ${apiVersionOf(type)} ${type.resource}; install what defines it, in that version.`,
    );
}

/** Classes that are named, are neither there nor in the point, and that a cluster does not bring by itself. */
async function absentClasses(cluster: Cluster, offered: Offered, objects: readonly Captured[]): Promise<string[]> {
  const held = new Set(objects.map(({ type, name }) => `${typeKey(type)}/${name}`));
  const named = classesOf(objects.map(({ raw }) => read(raw))).filter(([key, name]) => !held.has(`${key}/${name}`));
  const absent = await inParallel(named, 8, async ([key, name]) => {
    const type = offered.types.find((one) => typeKey(one) === key);
    const there = type && (await cluster.find(pathOf(type, undefined, name)));
    return there || name.startsWith('system-')
      ? []
      : [`The cluster has no ${type?.kind ?? key} ${name}, and the point does not hold it; create it.`];
  });
  return absent.flat();
}

/** Objects of the same names that are there already and are not of this restore. */
async function inTheWay(cluster: Cluster, { waves }: Preparation, namespace: string, restore: string): Promise<string[]> {
  if (!(await cluster.find(pathOf(NAMESPACES, undefined, namespace)))) return [];
  const wanted = waves.flatMap(({ objects }) => objects).filter((object) => !isShared(object) && object.name !== 'default');
  const byType = [...Map.groupBy(wanted, ({ type }) => `${typeKey(type)}/${type.version}`).values()];
  const found = await inParallel(byType, 8, async (group) => {
    const there = await namesThere(cluster, group[0]!, restore);
    return group.filter(({ name }) => there.has(name));
  });
  const names = found.flat().map(titleOf);
  if (names.length === 0) return [];
  const shown = names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
  return [
    `Namespace ${namespace} holds ${shown} already, and a restore overwrites nothing; delete them, or restore into another namespace.`,
  ];
}

async function namesThere(cluster: Cluster, { type, namespace }: Prepared, restore: string): Promise<Set<string>> {
  const reply = await cluster.find(
    `${pathOf(type, namespace)}?labelSelector=${encodeURIComponent(`${RESTORE_LABEL}!=${restore}`)}`,
  );
  const items = ((reply && read(reply.text)['items']) ?? []) as readonly KubernetesObject[];
  return new Set(items.map(({ metadata }) => metadata?.name ?? ''));
}

/** A minute to make objects (some thousand a second), a binder's round for claims, and the time that images take to be pulled. */
const minutesFor = ({ waves, binds, expected }: Preparation): number => {
  const objects = waves.reduce((sum, wave) => sum + wave.objects.length, 0);
  return Math.ceil(objects / 30_000) + (binds.length > 0 ? 1 : 0) + (expected.length > 0 ? 2 : 0);
};
