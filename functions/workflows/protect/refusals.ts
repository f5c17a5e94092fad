import { slowRefusals } from '../../decide/slow.ts';
import type { Application, Resource } from '../../domain.ts';
import type { Discovery, Kind } from '../../kinds/kind.ts';

/** Why there can be no point of what the kinds found, whatever the policy: their own refusals, slow members that are not wanted so, what is unknown, nothing at all. */
export function refusalsOf(
  application: Application,
  kinds: readonly Pick<Kind, 'name' | 'cut' | 'leastSeconds'>[],
  found: readonly Discovery[],
): string[] {
  const resources = found.flatMap((discovery) => discovery.resources);
  const refusals = [
    ...found.flatMap((discovery) => discovery.refusals),
    ...slowRefusals(application, slowAmong(kinds, resources)),
    ...unknown(application, resources, found),
  ];
  return resources.length === 0 && refusals.length === 0 ? [nothingIn(application)] : refusals;
}

const nothingIn = ({ name, home }: Application): string =>
  `The scope of "${name}" is empty: nothing in ${home.account}/${home.region} bears its tags, and it names no namespace or ARN that exists.`;

/** The resources that have no instant, with what their kinds say of how long they take. */
const slowAmong = (kinds: readonly Pick<Kind, 'name' | 'cut' | 'leastSeconds'>[], resources: readonly Resource[]) => {
  const slow = new Map(kinds.filter(({ cut }) => cut === 'slow').map(({ name, leastSeconds }) => [name, { leastSeconds }]));
  return resources.flatMap((resource) => {
    const found = slow.get(resource.kind);
    return found ? [{ resource, ...found }] : [];
  });
};

/** An ARN that the configuration names and no kind found: gone, misspelt, or of a kind that this code does not protect. */
function unknown(application: Application, resources: readonly Resource[], found: readonly Discovery[]): string[] {
  const told = found.flatMap(({ notes, refusals }) => [...notes, ...refusals]).join(' ');
  return application.resources.arns
    .filter((arn) => !resources.some(({ id }) => id === arn) && !told.includes(arn))
    .map(
      (arn) =>
        `${arn} was not found, or is of a kind that cannot be protected yet; correct it under applications.${application.name}.resources.arns.`,
    );
}
