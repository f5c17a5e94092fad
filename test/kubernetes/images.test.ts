import { describe, expect, test } from 'vitest';
import { findImages } from '../../functions/kinds/application/eks-namespace/images.ts';
import { parseImage, runImages } from '../../functions/kinds/application/images.ts';
import { type Captured, PODS } from '../../functions/kubernetes/object.ts';

const HOME = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const ecr = (region: string, rest: string) => `111122223333.dkr.ecr.${region}.amazonaws.com/${rest}`;

test.each([
  ['nginx', { repository: 'nginx' }],
  ['nginx:1.27', { repository: 'nginx', tag: '1.27' }],
  ['localhost:5000/a/b', { repository: 'localhost:5000/a/b' }],
  [`docker.io/library/x:1@${digest('a')}`, { repository: 'docker.io/library/x', tag: '1', digest: digest('a') }],
  [ecr('us-east-1', 'shop/web:v1'), { repository: 'shop/web', tag: 'v1', registry: HOME }],
  [ecr('us-east-1', `web@${digest('b')}`), { repository: 'web', digest: digest('b'), registry: HOME }],
])('%s taken apart', (image, parts) => expect(parseImage(image)).toEqual(parts));

describe('what ran', () => {
  const pod = (name: string, created: string, image: string, imageID: string): Captured => ({
    type: PODS,
    namespace: 'shop',
    name,
    raw: JSON.stringify({
      metadata: { name, creationTimestamp: created },
      spec: { containers: [{ name: 'c', image }], initContainers: [{ name: 'i', image: 'busybox' }] },
      status: {
        containerStatuses: [{ name: 'c', imageID }],
        initContainerStatuses: [{ name: 'i', imageID: `docker-pullable://busybox@${digest('e')}` }],
      },
    }),
  });

  test('is what the newest Pod’s node had pulled', () => {
    expect(
      runImages([
        pod('new', '2026-11-22T04:00:00Z', 'web:1', `docker.io/library/web@${digest('b')}`),
        pod('old', '2026-11-21T04:00:00Z', 'web:1', `docker.io/library/web@${digest('a')}`),
        pod('unpulled', '2026-11-22T04:00:00Z', 'web:2', 'sha256:123'),
      ]),
    ).toEqual([
      { image: 'busybox', digest: digest('e') },
      { image: 'web:1', digest: digest('b') },
    ]);
  });
});

describe('the target’s registry', () => {
  const asked: object[] = [];
  const there = new Map([
    ['shop/web', [{ imageDigest: digest('a'), imageTag: 'v1' }]],
    ['shop/cart', [{ imageDigest: digest('a') }, { imageDigest: digest('c'), imageTag: 'v1' }]],
  ]);
  const images = async (input: {
    registryId?: string;
    repositoryName?: string;
    imageIds?: { imageDigest?: string; imageTag?: string }[];
  }) => {
    asked.push(input);
    const found = there.get(input.repositoryName!);
    if (!found) throw Object.assign(new Error('no'), { name: 'RepositoryNotFoundException' });
    const matching = found.filter((one) =>
      input.imageIds!.some(
        ({ imageDigest, imageTag }) => imageDigest === one.imageDigest || (imageTag && imageTag === one.imageTag),
      ),
    );
    return { images: matching.map((imageId) => ({ imageId })), asked: { from: '', to: '' } };
  };
  const find = (...run: { image: string; digest: string }[]) => findImages({ images } as never, run, HOME, WEST);

  test('is asked for what ran under the name that it has there', async () => {
    const found = await find({ image: ecr('us-east-1', 'shop/web:v1'), digest: digest('a') });
    expect(found).toEqual({ lacks: [], notes: [], pins: new Map() });
    expect(asked.at(-1)).toEqual({
      registryId: '111122223333',
      repositoryName: 'shop/web',
      imageIds: [{ imageDigest: digest('a') }, { imageTag: 'v1' }],
    });
  });

  test('lacks what is not in it, and repositories that it does not have', async () => {
    const { lacks } = await find(
      { image: ecr('us-east-1', 'shop/web:v1'), digest: digest('f') },
      { image: ecr('us-east-1', 'gone:1'), digest: digest('a') },
    );
    expect(lacks).toHaveLength(2);
    expect(lacks[0]).toContain(`(${digest('f')}) is not in 111122223333.dkr.ecr.eu-west-1/shop/web; replicate it there.`);
  });

  test('has what ran under another tag, so it is pinned', async () => {
    const { lacks, pins } = await find({ image: ecr('us-east-1', 'shop/cart:v1'), digest: digest('a') });
    expect(lacks).toEqual([]);
    expect([...pins]).toEqual([[ecr('us-east-1', 'shop/cart:v1'), `${ecr('eu-west-1', 'shop/cart:v1')}@${digest('a')}`]]);
  });

  test('is the only one that is asked', async () => {
    const before = asked.length;
    const { lacks, notes } = await find(
      { image: 'nginx:1.27', digest: digest('a') },
      { image: ecr('us-west-2', 'x:1'), digest: digest('a') },
    );
    expect(asked.length).toBe(before);
    expect(lacks).toEqual([]);
    expect(notes[0]).toContain('nginx:1.27, 111122223333.dkr.ecr.us-west-2.amazonaws.com/x:1');
  });
});
