import { lostBy, placeRenames, type Rewire, rewiring } from '../../../decide/rewire.ts';
import type { Place } from '../../../domain.ts';
import { Document } from '../../../kubernetes/document.ts';
import { moveNamespaces, type NamespaceMap, serviceRenames } from '../../../kubernetes/namespaces.ts';
import {
  type ApiType,
  type Captured,
  type KubernetesObject,
  type OwnerReference,
  pathOf,
  read,
  titleOf,
  typeKey,
} from '../../../kubernetes/object.ts';
import { type Finding, rewireDocument } from '../../../kubernetes/strings.ts';
import { nameType, pauseReconciler, RESTORE_LABEL, strip } from '../../../kubernetes/transform.ts';
import { rebindClaim, rebindVolume } from '../../../kubernetes/volumes.ts';
import { type Wave, waves } from '../../../kubernetes/waves.ts';
import { chosen } from './chosen.ts';
import { isRelease, moveRelease } from './helm.ts';
import { type Disks, type VolumePlan, volumePlan } from './rebinding.ts';
import { type Expected, expectedOf } from './workloads.ts';

/** What decides how captured objects are written anew. */
export interface Preparing extends Disks {
  readonly namespaces: NamespaceMap;
  readonly home: Place;
  readonly target: Place;
  /** Images whose tag means something else at the target, by name, and what to run instead. */
  readonly pins: ReadonlyMap<string, string>;
}

/** An owner that is restored too. */
export interface RestoredOwner {
  /** The uid that it had. */
  readonly uid: string;
  /** Where it is found at the target. */
  readonly path: string;
}

/** An object as it is to be made. */
export interface Prepared {
  readonly type: ApiType;
  readonly namespace?: string;
  readonly name: string;
  readonly text: string;
  readonly uid?: string;
  /** In the text they still have their old uids. */
  readonly owners: readonly RestoredOwner[];
}

export interface Preparation {
  readonly waves: readonly Wave<Prepared>[];
  /** What must have come up at the end. */
  readonly expected: readonly Expected[];
  /** `claim → volume → disk`. */
  readonly binds: readonly string[];
  /** Volumes whose reclaim policy is held back, by their new names. */
  readonly reclaims: readonly { readonly name: string; readonly policy: string }[];
  /** For the report. What still names the lost place begins with `suspicious:`. */
  readonly notes: readonly string[];
  /** Why this cannot be restored. */
  readonly problems: readonly string[];
}

/** Turns what a server once sent into what the target's server is asked to make: pure, and the same each time. */
export function prepare(objects: readonly Captured[], options: Preparing): Preparation {
  const { kept, notes: leftOutNotes } = chosen(objects);
  const byUid = new Map(kept.map((object) => [read(object.raw).metadata?.uid, object]));
  const plan = volumePlan(kept, options);
  const services = kept.filter(({ type }) => typeKey(type) === 'services').map(({ name }) => name);
  const renames = [
    ...options.renames,
    ...placeRenames(options.home, options.target),
    ...serviceRenames(services, options.namespace, options.namespaces),
  ];
  const writing: Writing = {
    options,
    plan,
    rewire: rewiring(renames),
    lost: lostBy(options.home, options.target, renames),
    restoredOf: (uid) => byUid.get(uid),
    notes: [...leftOutNotes, ...plan.notes],
  };
  const prepared = kept.filter((object) => !plan.dropped.has(object)).map((object) => write(object, writing));
  return {
    waves: waves(prepared),
    expected: kept.flatMap((object) => expectedOf(object, movedTo(options, object.namespace ?? '')) ?? []),
    binds: plan.binds,
    reclaims: plan.reclaims,
    notes: shortened(writing.notes),
    problems: plan.problems,
  };
}

const movedTo = ({ namespaces }: Pick<Preparing, 'namespaces'>, namespace: string): string => namespaces[namespace] ?? namespace;

/** How many notes of one sort a report can bear; of more it says how many. */
const MOST_NOTES = 500;

function shortened(notes: readonly string[]): string[] {
  return [...Map.groupBy(notes, (note) => note.slice(0, note.indexOf(':')))].flatMap(([sort, some]) =>
    some.length > MOST_NOTES ? [...some.slice(0, MOST_NOTES), `${sort}: and ${some.length - MOST_NOTES} more.`] : some,
  );
}

interface Writing {
  readonly options: Preparing;
  readonly plan: VolumePlan;
  readonly rewire: Rewire;
  readonly lost: ReturnType<typeof lostBy>;
  readonly restoredOf: (uid: string) => Captured | undefined;
  readonly notes: string[];
}

/** One object, written anew: what the server had set goes, then volumes, namespaces, images and names become those of the target. */
function write(object: Captured, writing: Writing): Prepared {
  const { options, notes } = writing;
  const { type, raw } = object;
  const content = read(raw);
  const doc = new Document(raw);
  nameType(doc, type);
  strip(doc, content, type);
  const owners = keepOwners(doc, content, type, writing);
  rebind(doc, object, content, writing);
  const name = rename(doc, object, options);
  if (isRelease(object)) moveRelease(doc, object, options.namespaces);
  moveNamespaces(doc, type, options.namespaces);
  if (typeKey(type) === 'namespaces') doc.set(['metadata', 'labels', 'kubernetes.io/metadata.name'], name);
  pinImages(doc, options.pins, object, notes);
  for (const finding of rewireDocument(doc, type, writing.rewire, writing.lost)) notes.push(...told(object, finding));
  const paused = pauseReconciler(doc, content, type);
  if (paused) notes.push(`paused: ${titleOf(object)}: ${paused}.`);
  doc.set(['metadata', 'labels', RESTORE_LABEL], options.restore);
  const namespace = object.namespace === undefined ? undefined : movedTo(options, object.namespace);
  const uid = content.metadata?.uid;
  return {
    type,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    text: String(doc),
    ...(uid === undefined ? {} : { uid }),
    owners,
  };
}

/** References to owners that are restored stay; the others would have the object collected as garbage at once (Kubernetes, "Garbage Collection"). */
function keepOwners(
  doc: Document,
  { metadata }: KubernetesObject,
  type: ApiType,
  { restoredOf, options }: Writing,
): RestoredOwner[] {
  // A claim must be there before the StatefulSet that owns it, which adds itself again.
  const references = typeKey(type) === 'persistentvolumeclaims' ? [] : (metadata?.ownerReferences ?? []);
  const owners = references.flatMap(({ uid }): RestoredOwner[] => {
    const owner = restoredOf(uid);
    return owner ? [{ uid, path: pathOf(owner.type, owner.namespace && movedTo(options, owner.namespace), owner.name) }] : [];
  });
  doc.removeWhere(
    ['metadata', 'ownerReferences'],
    (reference) => !owners.some(({ uid }) => uid === (reference as OwnerReference).uid),
  );
  return owners;
}

function rebind(doc: Document, { type, name }: Captured, content: KubernetesObject, { plan, options }: Writing): void {
  if (typeKey(type) === 'persistentvolumes') {
    const { name: is, disk } = plan.names.get(name)!;
    const claim = { namespace: options.namespace, name: String(content['spec']?.claimRef?.name) };
    rebindVolume(doc, content, { name: is, claim, ...(disk ? { disk } : {}) });
  }
  if (typeKey(type) === 'persistentvolumeclaims') {
    const volume = plan.names.get(content['spec']?.volumeName ?? '');
    rebindClaim(doc, volume && { name: volume.name, ...(volume.disk ? { gibibytes: volume.disk.gibibytes } : {}) });
  }
}

/** Names that belong to the whole cluster: the namespace's is mapped, and a binding that grants to a moved one must not meet the old. */
function rename(doc: Document, { type, name }: Captured, { namespace, namespaces, restore }: Preparing): string {
  const is = namespaces[namespace] ?? namespace;
  const key = typeKey(type);
  const renamed =
    key === 'namespaces'
      ? is
      : key === 'rbac.authorization.k8s.io/clusterrolebindings' && is !== namespace
        ? `${name}-${restore}`
        : (doc.string('metadata', 'name') ?? name);
  if (renamed !== name) doc.set(['metadata', 'name'], renamed);
  return renamed;
}

function pinImages(doc: Document, pins: ReadonlyMap<string, string>, object: Captured, notes: string[]): void {
  if (pins.size === 0) return;
  doc.replaceStrings((text, path) => {
    const pin = path.at(-1) === 'image' ? pins.get(text) : undefined;
    if (pin !== undefined) notes.push(`pinned: ${titleOf(object)} ${path.join('.')}: ${text} → ${pin}`);
    return pin;
  });
}

/** Findings as sentences; of what stands in a Secret only where and what sort, never what it says. */
function told(object: Captured, { path, changed, suspicious, secret }: Finding): string[] {
  const at = `${titleOf(object)} ${path}`;
  return [
    ...changed.map(({ was, is, what }) => `changed: ${at}: ${was} → ${is} (${what})`),
    ...suspicious.map(({ what, names }) => `suspicious: ${at}: ${secret ? `still names a lost ${what}` : `${what} ${names}`}`),
  ];
}
