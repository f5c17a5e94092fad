import type { Construct } from 'constructs';
import { otherAccount, type Place } from '../functions/domain.ts';
import { roleArn, roleOfGuest } from '../functions/vault/layout.ts';
import { workflowsIn } from '../functions/workflows/index.ts';
import { askedAtHome, role, statementsFor } from './role.ts';

/**
 * The roles of a home in which steps of vaults in other accounts work there: one for each step and account, which only that step's own role may
 * take, with what the step's calls to home need and nothing else.
 */
export async function guestRoles(scope: Construct, here: Place, vaults: readonly Place[]): Promise<void> {
  const accounts = Map.groupBy(
    vaults.filter((vault) => otherAccount(vault, here)),
    ({ account }) => account,
  );
  const around = { here, homes: [here], hooks: [], locked: false };
  for (const [account, places] of accounts) {
    for (const step of workflowsIn('vault').flatMap(({ steps }) => steps)) {
      const asked = await askedAtHome(step, places[0]!, here);
      if (asked.length === 0) continue;
      const trusted = places.map((place) => roleArn(step.name, place));
      role(scope, roleOfGuest(step.name, { account }), here, trusted, await statementsFor(asked, { ...around, guest: account }));
    }
  }
}
