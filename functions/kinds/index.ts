import type { Kind } from './kind.ts';

/** The registry: one lazy line per kind, so that only the clients that the work at hand needs are loaded. */
export const kinds: Readonly<Record<string, () => Promise<Kind>>> = {
  'ebs-volume': () => import('./storage/ebs-volume/index.ts').then((module) => module.default),
  'efs-file-system': () => import('./storage/efs-file-system/index.ts').then((module) => module.default),
  's3-bucket': () => import('./storage/s3-bucket/index.ts').then((module) => module.default),
  'dynamodb-table': () => import('./data-service/dynamodb-table/index.ts').then((module) => module.default),
  'rds-instance': () => import('./data-service/rds-instance/index.ts').then((module) => module.default),
  'rds-cluster': () => import('./data-service/rds-cluster/index.ts').then((module) => module.default),
  'eks-namespace': () => import('./application/eks-namespace/index.ts').then((module) => module.default),
  'ecr-image': () => import('./application/ecr-image/index.ts').then((module) => module.default),
};

/** Kinds by name, all of them unless told which. A name that is not registered is a programming error. */
export const loadKinds = (names: readonly string[] = Object.keys(kinds)): Promise<Kind[]> =>
  Promise.all(
    names.map((name) => {
      const load = kinds[name];
      if (!load) throw new TypeError(`There is no kind "${name}"; there are ${Object.keys(kinds).join(', ')}.`);
      return load();
    }),
  );
