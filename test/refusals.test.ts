import { describe, expect, test } from 'vitest';
import type { Configuration } from '../functions/configuration/schema.ts';
import { DATA_KEY } from '../functions/vault/layout.ts';
import { reasonOf } from '../functions/workflows/protect/abandon.ts';
import type { DynamoDbState } from '../local/services/dynamodb/state.ts';
import type { Ec2State } from '../local/services/ec2/state.ts';
import type { EcrState } from '../local/services/ecr/state.ts';
import type { KmsState } from '../local/services/kms/state.ts';
import { HOME, type Stage, stage, WEST } from './world.ts';

/** What an execution says of why it failed, as the command shows it. */
const sentenceOf = ({ error, cause }: { error?: string | undefined; cause?: string | undefined }): string =>
  reasonOf({ Error: error ?? '', Cause: cause ?? '' });

/** Bad input: one clear sentence that says what, where and how to fix it; the execution fails; nothing is sealed and nothing half made stays. */
interface Refusal {
  readonly when: string;
  readonly configuration?: (of: Configuration) => Configuration;
  readonly spoil?: (stand: Stage) => unknown;
  /** With the cluster, whose Pods run the images. */
  readonly cluster?: true;
  readonly input?: object;
  readonly says: RegExp;
}

const scope = (resources: { tags?: Record<string, string>; arns?: string[] }) => (of: Configuration) => ({
  ...of,
  applications: { shop: { ...of.applications['shop']!, resources: { tags: {}, arns: [], ...resources } } },
});

const REFUSALS: readonly Refusal[] = [
  {
    when: 'the scope is empty',
    configuration: scope({ tags: { app: 'nobody' } }),
    says: /scope of "shop" is empty: nothing in 111122223333\/us-east-1 bears its tags/,
  },
  {
    when: 'an ARN is of a kind that is not protected',
    configuration: scope({ tags: { app: 'shop' }, arns: ['arn:aws:sqs:us-east-1:111122223333:orders'] }),
    says: /arn:aws:sqs:us-east-1:111122223333:orders was not found, or is of a kind that cannot be protected yet; correct it under/,
  },
  {
    when: 'the policy does not exist',
    input: { policy: 'weekly' },
    says: /There is no policy "weekly"; stillpoint\.yaml has hourly/,
  },
  {
    when: 'the application does not exist',
    input: { application: 'shoop' },
    says: /There is no application "shoop".*name one of shop/,
  },
  {
    when: 'a table has no point-in-time recovery',
    spoil: ({ world, shop }) => {
      world.state<DynamoDbState>('dynamodb', HOME).table(shop.names.table).recovery = undefined;
    },
    says: /shop-carts.*point-in-time recovery.*(turn|enable|UpdateContinuousBackups)/is,
  },
  {
    when: 'a log at home must be kept longer than it reaches',
    configuration: (of) => ({ ...of, policies: { hourly: { ...of.policies['hourly']!, vaults: [], keep: { monthly: 12 } } } }),
    says: /keeps points for 372 days, but arn:aws:dynamodb:.* can be restored from its log for 35 days only.*materialised.*name a vault/,
  },
  {
    when: 'an image that runs was deleted from its registry',
    cluster: true,
    spoil: async (stand) => {
      await stand.advance(900); // until its Pods run
      const { world } = stand;
      for (const { images } of world.state<EcrState>('ecr', HOME).repositories.values()) images.clear();
    },
    says: /The image \S+ \(sha256:\w+\) that Pods run is not in its registry any more, so no Pod could start from it again; push it again/,
  },
  {
    when: 'the volume’s key is disabled',
    spoil: ({ world, shop }) => {
      const { key } = world.state<Ec2State>('ec2', HOME).volume(shop.names.volume);
      world.state<KmsState>('kms', HOME).find(key).enabled = false;
    },
    says: /(disabled|DisabledException)/,
  },
];

describe('protect refuses', () => {
  test.each(REFUSALS)('when $when', async ({ configuration, spoil, cluster, input = {}, says }) => {
    const shop = cluster ? { shop: { cluster } } : {};
    const stand = await stage({ seed: 'refusals', ...shop, ...(configuration ? { configuration } : {}) });
    await spoil?.(stand);
    const execution = stand.startProtect(input);
    await stand.settle(execution.ended);
    expect(execution.status).toBe('FAILED');
    expect(sentenceOf(execution)).toMatch(says);
    expect(sentenceOf(execution)).not.toMatch(/\n|undefined|\[object/);
    expect(await stand.sealed(HOME)).toEqual([]);
    expect(stand.shop.maintenance.held).toBe(false);
  });

  test('when a volume vanishes between plan and capture', async () => {
    let vanish = () => {};
    const stand = await stage({
      seed: 'vanished',
      between: (transport, step) => ({
        ...transport,
        send: (request) => {
          if (step === 'protect-capture') vanish();
          return transport.send(request);
        },
      }),
    });
    const { volumes } = stand.world.state<Ec2State>('ec2', HOME);
    vanish = () => void volumes.delete(stand.shop.names.volume);
    const execution = stand.startProtect();
    await stand.settle(execution.ended);
    expect(execution.cause).toMatch(/vol-[0-9a-f]+.*(gone|vanished|does not exist|no longer)/i);
    expect(await stand.sealed(HOME)).toEqual([]);
  });
});

describe('restore refuses', () => {
  const failed = async (stand: Stage, input: object) => {
    const execution = await stand.run(HOME, 'restore', { application: 'shop', point: 'latest', restore: 'r1', ...input });
    expect(execution.status).toBe('FAILED');
    return sentenceOf(execution);
  };

  test('a point that is not there, a name that cannot be one, another region', async () => {
    const stand = await stage({ seed: 'restore-refusals' });
    expect(await failed(stand, {})).toMatch(/"shop" has no sealed restore point here/);
    expect(await failed(stand, { point: 'yesterday' })).toMatch(
      /"yesterday" is not a restore point; name one as `stillpoint points` lists it/,
    );
    expect(await failed(stand, { point: '20261122T040000Z-hourly/1' })).toMatch(
      /is not a sealed restore point of stillpoint-ledger/,
    );
    expect(await failed(stand, { restore: 'No Good Name' })).toMatch(/cannot name a restore: up to 12/);
    await stand.settle(stand.startProtect().ended);
    expect(await failed(stand, { restore: 'r2', target: { place: WEST } })).toMatch(
      /A restore goes into the region of the vault that it is made from/,
    );
  });

  test('when the vault’s key is disabled: the plan names it, and nothing is made', async () => {
    const stand = await stage({ seed: 'restore-key' });
    await stand.settle(stand.startProtect().ended);
    await stand.replicated(WEST);
    const before = stand.world.state<Ec2State>('ec2', WEST).volumes.size;
    stand.world.state<KmsState>('kms', WEST).find(DATA_KEY).enabled = false;
    const execution = await stand.run(WEST, 'restore', { application: 'shop', point: 'latest', restore: 'r1' });
    expect([execution.status, execution.error]).toEqual(['FAILED', 'TargetLacks']);
    expect(execution.cause).toMatch(/lacks \d+ things; the plan names them\. Nothing was made/);
    expect(stand.world.state<Ec2State>('ec2', WEST).volumes.size).toBe(before);
  });
});
