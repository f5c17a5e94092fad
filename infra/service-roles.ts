import type { Construct } from 'constructs';
import { type Call, operationOf, type ServiceRole } from '../functions/aws/call.ts';
import { type Place, samePlace } from '../functions/domain.ts';
import type { Workflow } from '../functions/workflows/asl.ts';
import { workflows as everyWorkflow } from '../functions/workflows/index.ts';
import { callsOfStep, role, statementsFor } from './role.ts';
import type { Around, Asked } from './scope.ts';

/** The roles that calls hand to AWS's own services, each made where the service acts, with what the calls say that it does there. */
export async function serviceRoles(
  scope: Construct,
  deployed: readonly Workflow[],
  around: Around,
  vaults: readonly Place[],
): Promise<void> {
  const byName = new Map<string, { service: string; asked: Asked[] }>();
  for (const { call, passes } of await passedAt(deployed, around)) {
    const { service, asked } = byName.get(passes.name) ?? { service: passes.service, asked: [] };
    byName.set(passes.name, {
      service,
      asked: [...asked, ...passes.does.map((action) => actsFor(call, action, around, vaults))],
    });
  }
  for (const [name, { service, asked }] of byName) role(scope, name, around.here, service, await statementsFor(asked, around));
}

/** A call to here hands over a role of here; what a vault asks of home is done with a role of home's. */
async function passedAt(deployed: readonly Workflow[], { here, homes }: Around): Promise<{ call: Call; passes: ServiceRole }[]> {
  const isHome = homes.some((home) => samePlace(home, here));
  const found = await Promise.all(
    everyWorkflow.flatMap((workflow) =>
      workflow.steps.map(async (step) =>
        (await callsOfStep(step)).theirs.filter(({ at }) => (at === 'home' ? isHome : deployed.includes(workflow))),
      ),
    ),
  );
  return found.flat().flatMap((call) => (call.passes ? [{ call, passes: call.passes }] : []));
}

/** What a vault asks of home ends in the vault: into its own backup vault a copy is pushed. */
const actsFor = (call: Call, action: string, { here }: Around, vaults: readonly Place[]): Asked => ({
  action,
  call: `${call.service}:${operationOf(call)}`,
  duty: 'service',
  of: 'kind',
  tagged: false,
  places: call.at === 'home' && action.endsWith('BackupVault') ? vaults : [here],
});
