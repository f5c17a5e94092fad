import { instant } from '../../aws/clock.ts';
import type { Transport } from '../../aws/transport.ts';
import type { Application, Artifact, Cut, Place, PointName, Resource, Restored, Vault } from '../../domain.ts';
import type { CaptureWork, CopyWork, Expired, Kind, RestoreWork, Stray } from '../kind.ts';
import type { Proof } from '../proof.ts';
import { driven } from './drive.ts';
import { A_MOMENT, at, type LawStage, must, sameSet, travelled } from './stage.ts';

export interface Subject {
  readonly kind: Kind;
  readonly proof: Proof;
  readonly stage: LawStage;
  readonly application: Application;
  readonly resources: readonly Resource[];
}

/** Resources of a kind in an application of their own, as discovery finds them. */
export async function seeded(kind: Kind, proof: Proof, stage: LawStage): Promise<Subject> {
  const name = stage.name();
  if (proof.prepare) {
    for (const { place } of [stage.home, stage.vault]) await at(proof.prepare, stage, place)(place);
  }
  const tags = { law: name };
  const { ids, scope } = await at(proof.seed, stage, stage.home.place)({ name, tags, vault: stage.vault.place });
  const application = applicationOf(name, stage, tags, scope);
  const { resources, refusals } = await at(kind.discover, stage, stage.home.place)(application);
  must(refusals.length === 0, `What was seeded is refused: ${refusals.join(' ')}`);
  must(
    sameSet(
      resources.map(({ id }) => id),
      ids,
    ),
    `Of ${ids.join(', ')} discovery finds ${resources.map(({ id }) => id).join(', ') || 'nothing'}.`,
  );
  return { kind, proof, stage, application, resources: travelled(resources) };
}

export const applicationOf = (
  name: string,
  { home }: LawStage,
  tags: Record<string, string>,
  scope: object = {},
): Application => ({
  name,
  home: home.place,
  namespaces: [],
  resources: { tags, arns: [] },
  slow: {},
  ...scope,
});

export const pointNamed = ({ application }: Subject, attempt = 1): PointName => ({
  application: application.name,
  slot: '20261122T040000Z-law',
  attempt,
});

let cuts = 0;
export const newCut = ({ clock }: LawStage): Cut => ({ id: `cut-law-${++cuts}-${clock.random(8)}`, begun: instant(clock.now()) });

export const captureWorks = (subject: Subject, cut: Cut, point = pointNamed(subject)): CaptureWork[] =>
  subject.resources.map((resource) => ({ point, resource, cut, vault: subject.stage.home }));

/** As Capture and Settle do it: prompt kinds are fired, T is a second since, and exact kinds are asked for T afterwards. Between the two, `meanwhile`. */
export async function captured(
  subject: Subject,
  { cut = newCut(subject.stage), transport = subject.stage.transport, meanwhile = async () => {} }: CaptureOptions = {},
): Promise<{ artifacts: Artifact[]; cut: Cut }> {
  const { kind, stage } = subject;
  const { clock } = stage;
  const start = at(kind.capture.start, stage, stage.home.place, transport);
  await clock.sleep(A_MOMENT);
  const fired = kind.cut === 'prompt' ? travelled(await start(captureWorks(subject, cut))) : undefined;
  const whole: Cut = { ...cut, instant: instant(Math.floor(clock.now() / 1000) * 1000) };
  await clock.sleep(A_MOMENT);
  await meanwhile();
  const works = captureWorks(subject, whole);
  return { cut: whole, artifacts: await driven(kind.capture, works, stage, stage.home.place, transport, fired) };
}

export interface CaptureOptions {
  readonly cut?: Cut;
  readonly transport?: Transport;
  readonly meanwhile?: () => Promise<void>;
}

export const copyWorks = (subject: Subject, cut: Cut, artifacts: readonly Artifact[], attempt = 1): CopyWork[] =>
  artifacts.map((artifact) => ({
    point: pointNamed(subject, attempt),
    resource: subject.resources.find(({ id }) => id === artifact.resource)!,
    cut,
    artifact,
    vault: subject.stage.vault,
  }));

export const copied = (
  subject: Subject,
  cut: Cut,
  artifacts: readonly Artifact[],
  transport = subject.stage.transport,
): Promise<Artifact[]> =>
  driven(subject.kind.copy, copyWorks(subject, cut, artifacts), subject.stage, subject.stage.vault.place, transport);

export function restoreWorks(
  subject: Subject,
  artifacts: readonly Artifact[],
  vault: Vault,
  restore = subject.stage.name(),
): RestoreWork[] {
  const { application, resources } = subject;
  const namespaces = Object.fromEntries(application.namespaces.map((name) => [name, `${name}-${restore}`]));
  return artifacts.map((artifact) => ({
    point: pointNamed(subject),
    resource: resources.find(({ id }) => id === artifact.resource)!,
    artifact,
    target: vault.target,
    vault,
    restore,
    namespaces,
    renames: [],
  }));
}

export const restored = (subject: Subject, works: readonly RestoreWork[], vault: Vault): Promise<Restored[]> =>
  driven(subject.kind.restore, works, subject.stage, vault.place);

export async function fingerprints(
  { proof, stage }: Subject,
  ids: readonly string[],
  place: Place,
): Promise<Map<string, string>> {
  const of = at(proof.fingerprint, stage, place);
  const found = new Map<string, string>();
  for (const id of ids) found.set(id, await of(id));
  return found;
}

export const originals = (subject: Subject): Promise<Map<string, string>> =>
  fingerprints(
    subject,
    subject.resources.map(({ id }) => id),
    subject.stage.home.place,
  );

export async function mutated({ proof, stage, resources }: Subject): Promise<void> {
  const mutate = at(proof.mutate, stage, stage.home.place);
  for (const { id } of resources) await mutate(id);
}

export const straysAt = ({ kind, stage, application }: Subject, place: Place): Promise<readonly Stray[]> =>
  at(kind.strays, stage, place)({ application: application.name });

export const expired = (
  { kind, stage }: Subject,
  place: Place,
  ids: readonly { id: string; artifact?: Artifact }[],
): Promise<readonly Expired[]> => at(kind.expire, stage, place)(ids);

export const withArtifacts = (artifacts: readonly Artifact[]) => artifacts.map((artifact) => ({ id: artifact.id, artifact }));
export const idsOf = (things: readonly { readonly id: string }[]): string[] => things.map(({ id }) => id);
