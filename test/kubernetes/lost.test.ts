import { expect, test } from 'vitest';
import { Transient } from '../../functions/aws/errors.ts';
import { open } from '../../functions/aws/verb.ts';
import type { Artifact, Item, Restored } from '../../functions/domain.ts';
import namespaces from '../../functions/kinds/application/eks-namespace/index.ts';
import type { RestoreWork } from '../../functions/kinds/kind.ts';
import { read } from '../../functions/kubernetes/object.ts';
import { Clusters } from './clusters.ts';

const object = (apiVersion: string, kind: string, name: string, more: object = {}) =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, ...more });

async function captured(seed: string): Promise<{ clusters: Clusters; artifact: Artifact }> {
  const clusters = await Clusters.make(seed);
  const { home } = clusters;
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: { serviceAccountName: 'web', containers: [{ name: 'web', image: 'nginx:1.27' }] },
  };
  await clusters.create(home, '/api/v1/namespaces', object('v1', 'Namespace', 'shop'));
  const at = '/api/v1/namespaces/shop';
  await clusters.create(home, `${at}/configmaps`, object('v1', 'ConfigMap', 'settings', { data: { a: '1' } }));
  await clusters.create(home, `${at}/secrets`, object('v1', 'Secret', 'password', { data: { key: 'eA==' } }));
  await clusters.create(home, `${at}/serviceaccounts`, object('v1', 'ServiceAccount', 'web'));
  await clusters.create(
    home,
    `${at}/services`,
    object('v1', 'Service', 'web', { spec: { selector: labels, ports: [{ port: 80 }] } }),
  );
  await clusters.create(
    home,
    '/apis/apps/v1/namespaces/shop/deployments',
    object('apps/v1', 'Deployment', 'web', { spec: { replicas: 1, selector: { matchLabels: labels }, template } }),
  );
  await clusters.settle(clusters.stage.clock.sleep(5 * 60_000));
  return { clusters, artifact: await clusters.copy(await clusters.capture('shop')) };
}

/** Drives a restore as the machine does, with one request of it lost; tells whether any was. */
async function restoreLosing(
  clusters: Clusters,
  work: RestoreWork,
  lost: number,
  effect: boolean,
): Promise<{ item: Item<Restored>; struck: boolean }> {
  const { transport, clock, home } = clusters.stage;
  let asked = 0;
  const through = async <T>(ask: () => Promise<T>): Promise<T> => {
    const strikes = ++asked === lost;
    if (strikes && !effect) throw Object.assign(new Error('socket hang up'), { name: 'ConnectionLost' });
    const answer = await ask();
    if (strikes) throw Object.assign(new Error('socket hang up'), { name: 'ConnectionLost' });
    return answer;
  };
  const losing: typeof transport = {
    ...transport,
    send: (request) => through(() => transport.send(request)),
    fetch: (request) => through(() => transport.fetch(request)),
  };
  const places = { here: work.target.place, home: home.place };
  const start = open(namespaces.restore.start, losing, clock, places);
  const settle = open(namespaces.restore.settle, losing, clock, places);
  let item: Item<Restored> | undefined;
  for (let rounds = 0; rounds < 60; rounds++) {
    try {
      [item] = await clusters.settle(item?.state === 'started' ? settle([{ ...work, handle: item.handle }]) : start([work]));
    } catch (error) {
      expect(error).toSatisfy((thrown: Error) => thrown instanceof Transient || thrown.name === 'ConnectionLost');
    }
    if (item?.state === 'done' || item?.state === 'failed') break;
    await clusters.settle(clock.sleep(15_000));
  }
  return { item: item!, struck: asked >= lost };
}

test.each([
  ['never arrives', false],
  ['is answered into the void', true],
])('a restore ends the same, whichever of its requests %s', async (_, effect) => {
  const { clusters, artifact } = await captured(`lost/${effect}`);
  const kept = ['configmaps', 'secrets', 'serviceaccounts', 'services'];
  let lost = 0;
  for (let struck = true; struck; ) {
    lost++;
    const namespace = `dr-${lost}`;
    const work = await clusters.restoreWork(artifact, namespace, { restore: `r${lost}` });
    const answer = await restoreLosing(clusters, work, lost, effect);
    struck = answer.struck;
    expect(answer.item, `request ${lost}`).toMatchObject({ state: 'done' });
    const names = await Promise.all(
      kept.map((resource) => clusters.items(clusters.west, `/api/v1/namespaces/${namespace}/${resource}`)),
    );
    expect(names.map((texts) => texts.map((text) => read(text).metadata?.name).sort())).toEqual([
      ['kube-root-ca.crt', 'settings'],
      ['password'],
      ['default', 'web'],
      ['web'],
    ]);
    const deployment = read(await clusters.get(clusters.west, `/apis/apps/v1/namespaces/${namespace}/deployments/web`));
    expect(deployment['status'].availableReplicas).toBe(1);
  }
  expect(lost).toBeGreaterThan(12);
});
