import type { Application, Artifact, CutClass, Plan, Progress, Resource, Sealed, SlowMember } from '../domain.ts';

/** What an application says of a slow member, in one word; saying nothing is accepting. */
export const slowWord = (member: SlowMember | undefined): 'accept' | 'hold' | 'cadence' | 'refuse' =>
  typeof member === 'object' ? 'cadence' : (member ?? 'accept');

const DAY_SECONDS = 86_400;
/** How often a member with a cadence of its own is captured, in seconds. */
export const cadenceSeconds = (member: SlowMember | undefined): number =>
  typeof member === 'object' ? member.cadenceSeconds : DAY_SECONDS;

/** What is to be known of a slow resource's kind: how long a capture takes at the least. */
export interface SlowResource {
  readonly resource: Resource;
  readonly leastSeconds?: number | undefined;
}

/** Why there can be no point with these slow members as the application wants them, one sentence each. Nothing was made or frozen yet. */
export function slowRefusals({ name, slow, freeze }: Application, members: readonly SlowResource[]): string[] {
  const where = `applications.${name}.slow`;
  return members.flatMap(({ resource: { id, kind }, leastSeconds = 0 }): string[] => {
    const word = slowWord(slow[id]);
    if (word === 'refuse')
      return [
        `${id} (${kind}) has no instant, and "${name}" refuses points with such a member; say accept, hold or cadence of it under ${where}, or take it out of the application.`,
      ];
    if (word !== 'hold') return [];
    if (!freeze)
      return [
        `${id} (${kind}) is to be captured while "${name}" is held still, and it has no freeze hook; add applications.${name}.freeze, or say accept or cadence under ${where}.`,
      ];
    if (freeze.leaseSeconds >= leastSeconds) return [];
    return [
      `${id} (${kind}) is to be captured while "${name}" is held still; that takes ${leastSeconds} s at the least, and the lease lasts ${freeze.leaseSeconds} s: raise applications.${name}.freeze.leaseSeconds, or say accept or cadence under ${where}.`,
    ];
  });
}

/** What an earlier point has of a resource, and of the same one: a namesake's artifact is not taken. */
export const earlierArtifact = (
  points: readonly { readonly resources: readonly Resource[]; readonly artifacts: readonly Artifact[] }[],
  { id, createdAt }: Resource,
): Artifact | undefined =>
  points
    .findLast(({ resources }) => resources.some((one) => one.id === id && one.createdAt === createdAt))
    ?.artifacts.find(({ resource }) => resource === id);

/** Whether an artifact is young enough at an instant for its cadence. */
export const isYoung = ({ interval }: Artifact, member: SlowMember | undefined, at: string): boolean =>
  Date.parse(at) - Date.parse(interval.from) < cadenceSeconds(member) * 1000;

/** What a point says of its slow members besides its label: of which time each is, in sentences. */
export function besides(
  { definition }: Pick<Plan, 'definition'>,
  { cut, items, notes = [] }: Progress,
  classOf: (kind: string) => CutClass,
): string[] {
  const slow = items.flatMap((item) => (item.state === 'done' && classOf(item.result.kind) === 'slow' ? [item.result] : []));
  return [...slow.map((artifact) => sentenceOf(artifact, definition.slow[artifact.resource], cut!.instant!)), ...notes];
}

/** What of a point lies further from its instant than its label says, because it has no instant: it stands beside the label, with its own interval. */
export const besideLabel = ({
  instant,
  skewSeconds,
  artifacts,
}: Pick<Sealed, 'instant' | 'skewSeconds' | 'artifacts'>): Artifact[] => {
  const at = Date.parse(instant);
  return artifacts.filter(
    ({ interval: { from, to } }) => Math.max(Math.abs(Date.parse(from) - at), Math.abs(Date.parse(to) - at)) > skewSeconds * 1000,
  );
};

/** `fs-0a1b from 04:01:03 to 04:12:40`: the end of an id and the times of day. */
export const besideWords = ({ resource, interval: { from, to } }: Pick<Artifact, 'resource' | 'interval'>): string =>
  `${resource.split(/[/:]/).at(-1)} from ${from.slice(11, 19)} to ${to.slice(11, 19)}`;

function sentenceOf({ resource, interval: { from, to } }: Artifact, member: SlowMember | undefined, instant: string): string {
  const what = `${resource} has no instant: each of its parts is as it was at some time from ${from} to ${to}`;
  const word = slowWord(member);
  if (word === 'hold') return `${what}, all through the freeze.`;
  const age = Date.parse(instant) - Date.parse(from);
  if (word === 'cadence' && age > 0)
    return `${what}; it keeps a cadence of its own (${spoken(cadenceSeconds(member) * 1000)}) and is ${spoken(age)} older than this point.`;
  return `${what}, up to ${spoken(Date.parse(to) - Date.parse(instant))} after the instant; the application accepts that${member === undefined ? ', as it says nothing of it' : ''}.`;
}

/** `2 h 5 min`, `40 s`. */
export function spoken(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 ? [`${rest} min`] : [])].join(' ');
}
