import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { calls } from '../../aws/call.ts';
import { instant } from '../../aws/clock.ts';
import { Permanent, when } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { type Place, type PointName, type Preview, type Sealed, samePlace, type Target } from '../../domain.ts';
import { looking } from '../../freeze/hook.ts';
import type { RestoreWork } from '../../kinds/kind.ts';
import { DATA_KEY } from '../../vault/layout.ts';
import { listSealed, readSealed } from '../../vault/ledger.ts';
import { type RestoreProgress, writeRestorePlan } from '../../vault/restores.ts';
import { groupBy } from '../settle.ts';
import { type Request, type Stage, step } from '../step.ts';

export interface RestoreRequest extends Request {
  /** `<slot>/<attempt>`, or `latest`. */
  readonly point: string;
  /** Names what is made: short, lower case, unique. Unless given it is the day's, so that an event which is told twice restores once. */
  readonly restore?: string;
  /** When the restore was asked for. */
  readonly startedAt: string;
  /** Only show what would happen. */
  readonly dryRun?: boolean;
  /** Under which name the plan is kept, where not under the restore's own: a dry run does not take the name of the restore that it shows. */
  readonly record?: string;
  /** Overrides the vault's target. */
  readonly target?: Partial<Target>;
  readonly namespaces?: Readonly<Record<string, string>>;
}

export interface Restoring extends Request {
  readonly restore: string;
}

export interface Planned extends Restoring {
  /** Whether the machine goes on: neither a dry run nor anything lacking. */
  readonly proceed: boolean;
  readonly dryRun: boolean;
  readonly lacks: number;
}

const { read } = calls('kms', KMSClient);
const RESTORE_NAME = /^[a-z][a-z0-9-]{0,11}$/;

/** Whether the application's own function stands in the target region: without it nothing could be thawed there. */
const hasFunction = verb(looking, (aws, name: string) =>
  aws.getFunction({ FunctionName: name }).then(
    () => true,
    when('ResourceNotFoundException', () => false),
  ),
);

/** Why the key that everything in the vault is encrypted under cannot be used, if it cannot; nothing in the vault can be read then. */
const keyTrouble = verb(
  { describe: read(DescribeKeyCommand) },
  async (aws, KeyId: string, { here }): Promise<string | undefined> => {
    const key = await aws.describe({ KeyId }).catch(when('NotFoundException', () => undefined));
    const state = key ? key.KeyMetadata?.KeyState : 'missing';
    if (state === 'Enabled') return undefined;
    return `The vault’s key ${KeyId} in ${here.account}/${here.region} is ${state}, so nothing in the vault can be read; enable it, or restore access to it.`;
  },
);

/** Verifies the point, asks every kind what restoring would do and what the target lacks, and writes it down. Changes nothing else. */
export const plan = step({
  name: 'restore-plan',
  duty: 'discover',
  uses: { readSealed, listSealed, writeRestorePlan, hasFunction, keyTrouble },
  kinds: ['preview'],
  limits: { seconds: 300, memoryMb: 1024 },
  run: async (
    { readSealed, listSealed, writeRestorePlan, hasFunction, keyTrouble },
    asked: RestoreRequest,
    stage: Stage,
  ): Promise<Planned> => {
    const request = named(asked);
    if (request.record !== undefined && !request.dryRun)
      throw new Permanent('Only a dry run is recorded under another name than its own.');
    if (!RESTORE_NAME.test(request.restore)) {
      throw new Permanent(
        `"${request.restore}" cannot name a restore: up to 12 lower-case letters, digits and hyphens, beginning with a letter.`,
      );
    }
    const { point } = await readSealed(await chosen(request, listSealed));
    const target = targetOf(request, stage, point);
    const namespaces = { ...defaultNamespaces(point, target, request.restore), ...request.namespaces };
    const works = restoreWorks({ point, target, namespaces, id: request.restore }, stage.vault.place);
    const locked = await keyTrouble(DATA_KEY);
    const previews = locked ? [] : await preview(works, stage);
    const hook = point.definition.freeze;
    const lacks = [
      ...(locked ? [locked] : []),
      ...previews.flatMap((one) => one.lacks),
      ...(hook && !(await hasFunction(hook.function))
        ? [
            `The function ${hook.function} does not exist in ${target.place.region}; what was cut inside a freeze could not be thawed. Deploy it there.`,
          ]
        : []),
    ];
    const order = await orderOf(previews, stage);
    const record = request.record ?? request.restore;
    await writeRestorePlan({
      schema: 1,
      id: record,
      owner: request.owner,
      plannedAt: instant(stage.clock.now()),
      point,
      target,
      namespaces,
      previews,
      order,
      predictedMinutes: predict(previews, order),
      lacks,
    });
    const { application, owner } = request;
    const dryRun = request.dryRun === true;
    return { application, owner, restore: record, lacks: lacks.length, dryRun, proceed: lacks.length === 0 && !dryRun };
  },
});

/** A restore that nobody named, as an event asks for it: `r261122`; a plan of it takes no restore's name. */
function named(request: RestoreRequest): RestoreRequest & { readonly restore: string } {
  if (request.restore !== undefined) return { ...request, restore: request.restore };
  const restore = `r${request.startedAt.slice(2, 10).replaceAll('-', '')}`;
  return { ...request, restore, ...(request.dryRun ? { record: `plan-${restore}` } : {}) };
}

async function chosen(
  { application, point }: RestoreRequest,
  listSealed: (input: { application: string; last: number }) => Promise<{ point: Sealed }[]>,
): Promise<PointName> {
  if (point === 'latest') {
    const [latest] = await listSealed({ application, last: 1 });
    if (!latest) throw new Permanent(`"${application}" has no sealed restore point here.`);
    return latest.point;
  }
  const [slot, attempt] = point.split('/');
  if (!slot || !/^[1-9]\d*$/.test(attempt ?? ''))
    throw new Permanent(`"${point}" is not a restore point; name one as \`stillpoint points\` lists it, or say latest.`);
  return { application, slot, attempt: Number(attempt) };
}

/** The vault's target, with what the request says instead. At home, the application's own cluster. */
function targetOf({ target = {} }: RestoreRequest, { vault }: Stage, point: Sealed): Target {
  const place: Place = target.place ?? vault.target.place;
  if (!samePlace(place, vault.place)) {
    throw new Permanent(
      `A restore goes into the region of the vault that it is made from; ${place.account}/${place.region} is not ${vault.place.account}/${vault.place.region}.`,
    );
  }
  const merged = { ...vault.target, ...target, place };
  if (merged.cluster === undefined && point.definition.namespaces.length > 0) {
    throw new Permanent(
      `Vault "${vault.name}" names no cluster to restore into; add vaults.${vault.name}.target.cluster to stillpoint.yaml.`,
    );
  }
  return merged;
}

/** Beside the original, never over it: in the application's own cluster its namespaces get other names. */
const defaultNamespaces = (point: Sealed, target: Target, restore: string): Record<string, string> => {
  const beside = samePlace(target.place, point.home) && target.cluster === point.definition.cluster;
  return Object.fromEntries(point.definition.namespaces.map((name) => [name, beside ? `${name}-${restore}` : name]));
};

/** What a kind needs to restore each artifact of a point. */
export function restoreWorks(
  { point, target, namespaces, id }: { point: Sealed; target: Target; namespaces: Readonly<Record<string, string>>; id: string },
  place: Place,
  { renames = [] }: Partial<Pick<RestoreProgress, 'renames'>> = {},
): RestoreWork[] {
  const resources = new Map(point.resources.map((resource) => [resource.id, resource]));
  return point.artifacts.flatMap((artifact) => {
    const resource = resources.get(artifact.resource);
    const vault = { ...point.vault, place };
    return resource ? [{ point, resource, artifact, target, vault, restore: id, namespaces, renames }] : [];
  });
}

async function preview(works: readonly RestoreWork[], stage: Stage): Promise<Preview[]> {
  const groups = [...groupBy(works, ({ resource }) => resource.kind)];
  const asked = groups.map(async ([kind, members]) => (await stage.kind(kind)).open('preview')(members) as Promise<Preview[]>);
  return (await Promise.all(asked)).flat();
}

/** Layer is the wave: storage and data services side by side, then the application. */
async function orderOf(previews: readonly Preview[], stage: Stage): Promise<string[][]> {
  const layers = new Map(
    (await Promise.all([...new Set(previews.map(({ kind }) => kind))].map(stage.kind))).map(({ name, layer }) => [name, layer]),
  );
  const first = previews.filter(({ kind }) => layers.get(kind) !== 'application');
  const second = previews.filter(({ kind }) => layers.get(kind) === 'application');
  return [first, second].filter((wave) => wave.length > 0).map((wave) => wave.map(({ resource }) => resource));
}

/** A wave takes as long as its slowest member. */
const predict = (previews: readonly Preview[], order: readonly (readonly string[])[]): number => {
  const minutes = new Map(previews.map((one) => [one.resource, one.minutes]));
  return order.reduce((sum, wave) => sum + Math.max(0, ...wave.map((resource) => minutes.get(resource) ?? 0)), 0);
};
