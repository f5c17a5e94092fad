import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { service as events } from '../../local/services/events/index.ts';
import { Refusal } from '../../local/world/service.ts';
import { World } from '../../local/world/world.ts';

/** The local EventBridge against what AWS's TestEventPattern answered. */
const file = new URL('../../../shared/recorded-aws/event-patterns.json', import.meta.url);
const present = existsSync(file);
if (!present)
  console.warn(`SKIPPED: AWS's recorded event patterns are not at ${file.pathname}; patterns are not held against them.`);

interface Case {
  readonly id: string;
  readonly event: object;
  readonly pattern: object;
  readonly matches?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

const place = { account: '123456789012', region: 'us-east-1' };

describe.skipIf(!present)('event patterns that AWS recorded', () => {
  const cases = present ? (JSON.parse(readFileSync(file, 'utf8')) as Case[]) : [];
  const services = new Map([events].map((service) => [service.name, service]));

  async function answer(event: object, pattern: object): Promise<Pick<Case, 'matches' | 'error'>> {
    const world = new World(services);
    const input = { Event: JSON.stringify(event), EventPattern: JSON.stringify(pattern) };
    try {
      const asked = world.call({ place, service: 'events', operation: 'TestEventPattern', input });
      const { Result } = (await world.clock.settle(asked)) as { Result: boolean };
      return { matches: Result };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: { code: error.code, message: error.message } };
    }
  }

  test(`there are recordings`, () => {
    console.info(`recorded event patterns: ${cases.length}`);
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_, { event, pattern, matches, error }) => {
    expect(await answer(event, pattern)).toEqual(error ? { error } : { matches });
  });
});
