import type { Place } from '../functions/domain.ts';
import { functionName } from '../functions/vault/layout.ts';
import { workflows } from '../functions/workflows/index.ts';
import type { World } from '../local/world/world.ts';

/** The line that a function logs of each invocation, as far as it is read here. */
interface Line {
  readonly owner: string;
  readonly calls: number;
}

/** How many calls to AWS the functions at a place made for each execution, by what they log. */
export async function callsByOwner(world: World, place: Place): Promise<Map<string, number>> {
  const calls = new Map<string, number>();
  for (const { name } of workflows.flatMap(({ steps }) => steps)) {
    for (const { owner, calls: made } of await linesOf(world, place, `/aws/lambda/${functionName(name)}`))
      calls.set(owner, (calls.get(owner) ?? 0) + made);
  }
  return calls;
}

/** None of a step that is not deployed there. */
async function linesOf(world: World, place: Place, logGroupName: string): Promise<Line[]> {
  const ask = (operation: string, input: object) => world.call({ place, service: 'logs', operation, input });
  const { logGroups } = await ask('DescribeLogGroups', { logGroupNamePrefix: logGroupName });
  if (!logGroups.some((group: { logGroupName: string }) => group.logGroupName === logGroupName)) return [];
  const lines: Line[] = [];
  for (let nextToken: string | undefined; ; ) {
    const page = await ask('FilterLogEvents', { logGroupName, ...(nextToken ? { nextToken } : {}) });
    lines.push(...page.events.map(({ message }: { message: string }) => JSON.parse(message) as Line));
    nextToken = page.nextToken;
    if (!nextToken) return lines;
  }
}
