import { type Context, refuse } from '../../world/service.ts';
import type { DynamoDbState } from './state.ts';
import { type Definition, Table } from './table.ts';

/** Seconds until a new table is ACTIVE. */
const CREATING = [2, 20] as const;

/** Makes a table that becomes ACTIVE after a while; `fill` puts its first items there before it does. */
export function makeTable(
  definition: Definition,
  { state, now, after, world }: Context<DynamoDbState>,
  seconds: readonly [number, number] = CREATING,
  fill: (table: Table) => void | Promise<void> = () => {},
): Table {
  if (state.peek(definition.name)) refuse('ResourceInUseException', `Table already exists: ${definition.name}`);
  const table = new Table(definition, { id: world.random.uuid(), arn: state.arn(definition.name), createdAt: now() });
  state.add(table);
  after(seconds, async () => {
    await fill(table);
    if (table.status === 'CREATING') table.status = 'ACTIVE';
  });
  return table;
}
