import { describe, expect, test } from 'vitest';
import { HOME, stage, WEST } from './world.ts';

/** What a pipeline waits for before it deploys: the cut, not the seal (DESIGN §3.3). */
describe('the gate', () => {
  test('opens when the cut is taken, before the point is sealed; the point records who asked', async () => {
    const stand = await stage({ seed: 'gate', schedules: false });
    stand.shop.writers.start();
    const gate = await stand.run(HOME, 'gate', { application: 'shop', askedBy: 'commit 4f2a91c' });
    expect(gate.status).toBe('SUCCEEDED');
    const { instant, point } = JSON.parse(gate.output!);
    expect(Date.parse(instant)).toBeLessThan(stand.world.clock.now());
    expect(await stand.sealed(HOME), 'sealing goes on beside the deployment').toEqual([]);
    await stand.replicated(WEST);
    const [sealed] = await stand.sealed(HOME);
    expect(sealed).toMatchObject({ trigger: 'gate', askedBy: 'commit 4f2a91c', instant });
    expect(point).toBe(`${sealed!.slot}/${sealed!.attempt}`);
  });

  test('two gates at once are two points of two slots; one that is asked again is one', async () => {
    const stand = await stage({ seed: 'gates', schedules: false });
    const first = stand.start(HOME, 'gate', { application: 'shop' }, 'deploy-1');
    await stand.settle(first.ended);
    await stand.run(HOME, 'gate', { application: 'shop' }, 'deploy-2');
    await stand.advance(3600);
    const sealed = await stand.sealed(HOME);
    expect(sealed.map(({ askedBy }) => askedBy!.split(':').at(-1)).sort()).toEqual(['deploy-1', 'deploy-2']);
  });

  test('stays shut with the reason where no point can be taken', async () => {
    const stand = await stage({ seed: 'shut', schedules: false, configuration: (of) => emptied(of) });
    const gate = await stand.run(HOME, 'gate', { application: 'shop' });
    expect(gate).toMatchObject({ status: 'FAILED', error: 'NoRestorePoint' });
    expect(gate.cause).toMatch(/scope of "shop" is empty/);
  });

  test('refuses to guess between policies', async () => {
    const stand = await stage({
      seed: 'policies',
      schedules: false,
      configuration: (of) => ({
        ...of,
        policies: { ...of.policies, nightly: { ...of.policies['hourly']!, name: 'nightly' } },
      }),
    });
    const gate = await stand.run(HOME, 'gate', { application: 'shop' });
    expect(gate.status).toBe('FAILED');
    expect(gate.cause).toMatch(/has the policies hourly, nightly; say in the gate’s input which `policy`/);
    const chosen = await stand.run(HOME, 'gate', { application: 'shop', policy: 'nightly' });
    expect(chosen.status).toBe('SUCCEEDED');
  });
});

const emptied = (of: Parameters<NonNullable<Parameters<typeof stage>[0]['configuration']>>[0]) => ({
  ...of,
  applications: {
    shop: { ...of.applications['shop']!, namespaces: [], resources: { tags: { app: 'no-such' }, arns: [] } },
  },
});
