import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiType } from '../../functions/kubernetes/object.ts';
import { type Waiting, waves } from '../../functions/kubernetes/waves.ts';

const type = (group: string, resource: string): ApiType => ({
  group,
  version: 'v1',
  resource,
  kind: resource,
  namespaced: true,
  verbs: [],
});
const object = (key: string, name: string, owners: readonly string[] = []): Waiting => {
  const [group, resource] = key.includes('/') ? (key.split('/') as [string, string]) : ['', key];
  return { type: type(group, resource), name, uid: name, owners: owners.map((uid) => ({ uid })) };
};
const order = (objects: readonly Waiting[]) => waves(objects).map(({ objects: some }) => some.map(({ name }) => name).join(' '));

describe('waves', () => {
  test('make what others need first, and what guards everything last', () => {
    const all = [
      object('admissionregistration.k8s.io/validatingwebhookconfigurations', 'webhook'),
      object('apps/statefulsets', 'db'),
      object('persistentvolumeclaims', 'data-db-0'),
      object('autoscaling/horizontalpodautoscalers', 'hpa'),
      object('bench.example.com/widgets', 'widget'),
      object('apiextensions.k8s.io/customresourcedefinitions', 'widgets.bench.example.com'),
      object('namespaces', 'shop'),
      object('secrets', 'password'),
      object('configmaps', 'settings'),
      object('persistentvolumes', 'pv'),
      object('serviceaccounts', 'cart'),
      object('rbac.authorization.k8s.io/rolebindings', 'binding'),
      object('services', 'web'),
    ];
    expect(order(all)).toEqual([
      'widgets.bench.example.com',
      'shop',
      'cart',
      'binding',
      'password settings',
      'pv',
      'data-db-0',
      'web',
      'widget',
      'db',
      'hpa',
      'webhook',
    ]);
  });

  test('put an owner before what it owns, whatever their types', () => {
    expect(
      order([
        object('configmaps', 'made-by-operator', ['cluster']),
        object('configmaps', 'free'),
        object('db.example.com/clusters', 'cluster'),
        object('apps/statefulsets', 'owned', ['cluster', 'made-by-operator']),
        object('secrets', 'deeper', ['owned']),
      ]),
    ).toEqual(['free', 'cluster', 'made-by-operator', 'owned', 'deeper']);
  });

  test('do not mind owners that are absent, nor a circle', () => {
    const odd = [object('secrets', 'a', ['gone']), object('configmaps', 'b', ['c']), object('configmaps', 'c', ['b'])];
    expect(order(odd).join(' ').split(' ').sort()).toEqual(['a', 'b', 'c']);
  });

  test('hold every object once, each owner in an earlier wave', () => {
    const keys = ['secrets', 'configmaps', 'apps/deployments', 'x.example.com/things', 'services'];
    const graph = fc
      .array(fc.tuple(fc.constantFrom(...keys), fc.array(fc.nat(), { maxLength: 3 })), { maxLength: 12 })
      .map((parts) => parts.map(([key, owners], i) => object(key, `o${i}`, i === 0 ? [] : owners.map((n) => `o${n % i}`))));
    fc.assert(
      fc.property(graph, (objects) => {
        const at = new Map(waves(objects).flatMap(({ objects: some }, i) => some.map(({ name }) => [name, i] as const)));
        expect(at.size).toBe(objects.length);
        for (const { name, owners } of objects) for (const { uid } of owners) expect(at.get(uid)!).toBeLessThan(at.get(name)!);
      }),
    );
  });
});
