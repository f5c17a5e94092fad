import { brokenPromises } from '../../functions/decide/promise.ts';
import type { Discovery } from '../../functions/kinds/kind.ts';
import { refusalsOf } from '../../functions/workflows/protect/refusals.ts';
import { applicationCheck, ok, problem, type Said, warning } from './check.ts';

/** What stands in the way of a point of the application, and what its kinds note of its members: as `protect` will find it. */
export const members = applicationCheck({
  name: 'members',
  uses: {},
  run: async (_, { application, policies, vaults, scope }) => {
    const { kinds, found } = await scope();
    const resources = found.flatMap((discovery) => discovery.resources);
    const refusals = [
      ...refusalsOf(application, kinds, found),
      ...policies.flatMap((policy) =>
        brokenPromises(
          policy,
          resources,
          vaults.filter(({ name }) => policy.vaults.includes(name)),
        ),
      ),
    ];
    const said: Said[] = [...[...new Set(refusals)].map((one) => problem(one)), ...notesOf(found).map((one) => warning(one))];
    if (policies.length === 0)
      said.push(warning(`No policy protects "${application.name}".`, 'name it under `applications` of a policy'));
    return refusals.length > 0 ? said : [ok(`${countOf(resources)}.`), ...said];
  },
});

const notesOf = (found: readonly Discovery[]): string[] => [...new Set(found.flatMap(({ notes }) => notes))];

/** `2 ebs-volume, 1 s3-bucket can be protected`. */
function countOf(resources: readonly { readonly kind: string }[]): string {
  const kinds = Object.entries(Object.groupBy(resources, ({ kind }) => kind));
  return `${kinds.map(([kind, all]) => `${all?.length} ${kind}`).join(', ')} can be protected`;
}
