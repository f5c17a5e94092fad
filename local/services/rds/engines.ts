import { refuse } from '../../world/service.ts';

/** A database engine as RDS offers it. What runs is SQLite, whatever it is called. */
export interface Engine {
  readonly port: number;
  readonly versions: readonly string[];
  /** What a parameter group is made for: `postgres16`, `mysql8.0`. */
  readonly family: (version: string) => string;
  /** Whether automated backups can be replicated to another region (RDS guide, "Replicating automated backups", "Engine support"). */
  readonly replicates: boolean;
  /** Whether what runs it are clusters, into which instances are put (Aurora guide, "Amazon Aurora DB clusters"). */
  readonly clustered?: true;
  /** Where tables lie in an export: PostgreSQL has schemas, the others have only the database. */
  readonly schema?: string;
}

const major = (version: string): string => version.split('.')[0] as string;
const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

export const ENGINES: Readonly<Record<string, Engine>> = {
  postgres: {
    port: 5432,
    versions: ['14.15', '15.10', '16.4', '16.6', '17.2'],
    family: (version) => `postgres${major(version)}`,
    replicates: true,
    schema: 'public',
  },
  mysql: { port: 3306, versions: ['8.0.39', '8.0.40', '8.4.3'], family: (version) => `mysql${minor(version)}`, replicates: true },
  mariadb: {
    port: 3306,
    versions: ['10.6.20', '10.11.10', '11.4.4'],
    family: (version) => `mariadb${minor(version)}`,
    replicates: true,
  },
  'sqlserver-ex': {
    port: 1433,
    versions: ['15.00.4415.2.v1', '16.00.4165.4.v1'],
    family: (version) => `sqlserver-ex-${major(version)}.0`,
    replicates: true,
    schema: 'dbo',
  },
  'aurora-postgresql': {
    port: 5432,
    versions: ['15.10', '16.4', '16.6'],
    family: (version) => `aurora-postgresql${major(version)}`,
    replicates: false,
    clustered: true,
    schema: 'public',
  },
  'aurora-mysql': {
    port: 3306,
    versions: ['8.0.mysql_aurora.3.07.1', '8.0.mysql_aurora.3.08.0'],
    family: (version) => `aurora-mysql${minor(version)}`,
    replicates: false,
    clustered: true,
  },
  'custom-oracle-ee': { port: 1521, versions: ['19.0'], family: () => 'custom-oracle-ee-19', replicates: false },
};

/** The engine and its version, the newest of a major version where only that is named (RDS API, CreateDBInstance, EngineVersion). */
export function engineFor(
  name: string | undefined,
  wanted: string | undefined,
): { engine: Engine; name: string; version: string } {
  const engine = ENGINES[name ?? ''];
  if (!engine || !name) return refuse('InvalidParameterValue', `Invalid DB engine: ${name}`);
  const version =
    wanted === undefined
      ? engine.versions.at(-1)
      : engine.versions.findLast((version) => version === wanted || version.startsWith(`${wanted}.`));
  return version ? { engine, name, version } : refuse('InvalidParameterCombination', `Cannot find version ${wanted} for ${name}`);
}

export const engineNamed = (name: string): Engine => ENGINES[name] as Engine;
export const defaultParameterGroup = (engine: string, version: string): string =>
  `default.${engineNamed(engine).family(version)}`;
export const isPostgres = (engine: string): boolean => engine.endsWith('postgres') || engine.endsWith('postgresql');
export const majorVersion = (engine: string, version: string): string => (isPostgres(engine) ? major(version) : minor(version));
export const defaultOptionGroup = (engine: string, version: string): string =>
  `default:${engine}-${majorVersion(engine, version).replaceAll('.', '-')}`;
