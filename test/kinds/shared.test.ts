import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { calls } from '../../functions/aws/call.ts';
import { systemClock as clock } from '../../functions/aws/clock.ts';
import { Permanent, Transient } from '../../functions/aws/errors.ts';
import { atHome, type Door, open, verb } from '../../functions/aws/verb.ts';
import type { Application } from '../../functions/domain.ts';
import { kinds, loadKinds } from '../../functions/kinds/index.ts';
import { allAnswered, chunksOf, failing, inParallel, why } from '../../functions/kinds/items.ts';
import { madeByRestore, ownTags, type scoping, taggedArns, tagMap } from '../../functions/kinds/scope.ts';

/** What kinds have in common, where the local AWS is too kind to show it. */
const scope = (tags: Record<string, string>): Application => ({
  name: 'shop',
  home: { account: '111122223333', region: 'us-east-1' },
  namespaces: [],
  resources: { tags, arns: [] },
  slow: {},
});

test('a call that is declared for home alone is not sent from anywhere else', async () => {
  const home = { account: '111122223333', region: 'us-east-1' };
  const look = verb({ keys: calls('kms', KMSClient).read(ListKeysCommand) }, (aws) => aws.keys({}));
  const sent: string[] = [];
  const transport = { send: async ({ place }: { place: { region: string } }) => sent.push(place.region) };
  const from = (region: string) => ({ here: { ...home, region }, home });
  const run = (region: string) => open(atHome(look), transport as never, clock, from(region))(undefined);
  await expect(run('eu-west-1')).rejects.toThrow('kms:ListKeys is declared to be made at home only.');
  await run('us-east-1');
  expect(sent).toEqual(['us-east-1']);
});

describe('finding by tag', () => {
  const answer = (pages: readonly { ResourceARN: string; Tags: { Key: string; Value: string }[] }[][]) => {
    let asked = 0;
    const tagged = async () => {
      const ResourceTagMappingList = pages[asked++] ?? [];
      return { ResourceTagMappingList, PaginationToken: asked < pages.length ? String(asked) : '' };
    };
    return { asked: () => asked, door: { tagged } as unknown as Door<typeof scoping> };
  };

  test('holds what the tagging API answers against the tags: it also answers what was tagged once', async () => {
    const aws = answer([
      [
        { ResourceARN: 'arn:a', Tags: [] },
        { ResourceARN: 'arn:b', Tags: [{ Key: 'app', Value: 'old' }] },
      ],
      [{ ResourceARN: 'arn:c', Tags: [{ Key: 'app', Value: 'shop' }] }],
    ]);
    expect(await taggedArns(aws.door, scope({ app: 'shop' }), 's3')).toEqual(['arn:c']);
    expect(aws.asked()).toBe(2);
  });

  test('asks nothing for a scope without tags: everything would be the answer', async () => {
    const aws = answer([[{ ResourceARN: 'arn:a', Tags: [] }]]);
    expect(await taggedArns(aws.door, scope({}), 's3')).toEqual([]);
    expect(aws.asked()).toBe(0);
  });

  test('tags of AWS’s own and ours are not the original’s', () => {
    const tags = tagMap([
      { Key: 'aws:cloudformation:stack-name', Value: 'x' },
      { Key: 'app', Value: 'shop' },
      { Key: 'stillpoint:restore', Value: 'r1' },
    ]);
    expect(ownTags(tags)).toEqual([{ Key: 'app', Value: 'shop' }]);
    expect(madeByRestore('Table t', tags)).toMatch(/^Table t bears .* restore "r1", so it is not protected; remove its tag/);
    expect(madeByRestore('Table t', new Map([['app', 'shop']]))).toBeUndefined();
  });
});

describe('answers', () => {
  const named = (name: string) => Object.assign(new Error('because'), { name, $metadata: { httpStatusCode: 400 } });

  test('what will not pass is the item’s, what may pass is thrown', () => {
    expect(failing('r', 'It was refused')(named('InvalidParameterValue'))).toEqual({
      resource: 'r',
      state: 'failed',
      why: 'It was refused: InvalidParameterValue: because',
    });
    expect(why('No')(new Permanent('It is gone.'))).toBe('No: It is gone.');
    expect(() => failing('r', 'It was refused')(named('RequestLimitExceeded'))).toThrow(Transient);
  });

  test('every answer is waited for before the first error is thrown', async () => {
    let answered = false;
    const late = new Promise<void>((resolve) => setImmediate(() => resolve())).then(() => {
      answered = true;
    });
    await expect(allAnswered([Promise.reject(new Error('first')), late])).rejects.toThrow('first');
    expect(answered).toBe(true);
  });

  test('no more than so many run at a time, in order, and none is begun after an error', async () => {
    let running = 0;
    let most = 0;
    const double = async (one: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return one * 2;
    };
    expect(await inParallel([1, 2, 3, 4, 5], 2, double)).toEqual([2, 4, 6, 8, 10]);
    expect(most).toBe(2);
    const begun: number[] = [];
    const fail = async (one: number) => {
      begun.push(one);
      throw new Error('no');
    };
    await expect(inParallel([1, 2, 3, 4], 1, fail)).rejects.toThrow('no');
    expect(begun).toEqual([1]);
  });

  test('chunks hold everything once', () => {
    expect(chunksOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(chunksOf([], 2)).toEqual([]);
  });
});

test('kinds are loaded by name, and a name that is not there is named', async () => {
  const all = await loadKinds();
  expect(all.map(({ name }) => name)).toEqual(Object.keys(kinds));
  expect(() => loadKinds(['floppy-disk'])).toThrow(/There is no kind "floppy-disk"; there are /);
});
