import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { CONFLICT, PERMANENT, TRANSIENT } from '../functions/aws/errors.ts';
import { DUTIES } from '../functions/domain.ts';
import { kinds } from '../functions/kinds/index.ts';
import { callsOf } from '../functions/kinds/kind.ts';
import { definitionOf } from '../functions/workflows/asl.ts';
import { workflows } from '../functions/workflows/index.ts';

/** The architecture, checked and not only drawn. */
const root = fileURLToPath(new URL('..', import.meta.url));
const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, target]) => target as string,
  );
const resolved = (file: string, target: string): string => relative(root, join(root, file, '..', target));

/** Look only to the left: a room may import from those before it, and from its own. */
const ROOMS = [
  'functions/domain.ts',
  'functions/decide',
  'functions/configuration',
  'functions/aws',
  'functions/kubernetes',
  'functions/vault',
  'functions/freeze',
  'functions/kinds',
  'functions/workflows',
  'infra',
  'demo',
  'cli',
  'docs',
  'test',
];
const SEES_LOCAL = ['demo', 'cli', 'docs', 'test'];
const roomOf = (path: string): number => ROOMS.findIndex((room) => path === room || path.startsWith(`${room}/`));

describe('the import rule', () => {
  for (const folder of ['functions', 'infra', 'local', 'demo', 'cli']) {
    test(`${folder}/ looks only to the left`, () => {
      const wrong = sources(folder).flatMap((file) =>
        importsOf(file)
          .filter((target) => target.startsWith('.'))
          .map((target) => resolved(file, target))
          .filter((target) => !mayImport(file, target))
          .map((target) => `${file} imports ${target}`),
      );
      expect(wrong).toEqual([]);
    });
  }

  test('what runs imports no CDK', () => {
    expect(
      sources('functions').filter((file) => importsOf(file).some((target) => /^(aws-cdk-lib|constructs)/.test(target))),
    ).toEqual([]);
  });

  test('infra names no kind and no step: it loops over the registries', () => {
    const named = [...Object.keys(kinds), ...workflows.flatMap(({ steps }) => steps.map(({ name }) => name))];
    const wrong = sources('infra').flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return named.filter((name) => text.includes(name)).map((name) => `${file} names ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('a kind imports no other kind, a workflow no kind by name', () => {
    const names = Object.keys(kinds);
    const kindOf = (path: string) => names.find((name) => path.includes(`/${name}/`));
    const wrong = sources('functions').flatMap((file) =>
      importsOf(file)
        .map((target) => resolved(file, target))
        .filter((target) => kindOf(target) && kindOf(target) !== kindOf(file) && file !== 'functions/kinds/index.ts')
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('no folder is called core, lib, common or utils', () => {
    const folders = ['functions', 'infra', 'local', 'demo', 'cli', 'test']
      .flatMap(sources)
      .flatMap((file) => file.split('/').slice(0, -1));
    expect(folders.filter((name) => /^(core|lib|libs|common|utils?|helpers?|misc)$/.test(name))).toEqual([]);
  });
});

function mayImport(file: string, target: string): boolean {
  if (file.startsWith('local/')) return target.startsWith('local/');
  if (target.startsWith('local/')) return SEES_LOCAL.some((room) => file.startsWith(`${room}/`));
  const [from, to] = [roomOf(file), roomOf(target)];
  return to >= 0 && to <= from;
}

describe('clock, randomness and environment', () => {
  /** Threads of the machine take its time, whatever the world's is. */
  const THREADS = /^local\/services\/lambda\/(environment|runtime)\.ts$/;
  const READERS = [/^functions\/aws\//, /^local\/world\//, /^cli\//, THREADS];
  const AMBIENT = /\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\.env\b|\bsetTimeout\(|\bperformance\.now\(/;
  test('are read only where the house allows', () => {
    const wrong = ['functions', 'infra', 'local', 'demo']
      .flatMap(sources)
      .filter((file) => !READERS.some((reader) => reader.test(file)))
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .flatMap((line, i) => (AMBIENT.test(line) && !line.trim().startsWith('*') ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
      );
    expect(wrong).toEqual([]);
  });
});

describe('the registries', () => {
  test('every folder of a kind is registered under its own name, with its whole contract', async () => {
    const folders = ['storage', 'data-service', 'application'].flatMap((layer) =>
      readdirSync(join(root, 'functions/kinds', layer), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(join(entry.parentPath, entry.name, 'index.ts')))
        .map((entry) => ({ layer, name: entry.name })),
    );
    expect(Object.keys(kinds).sort()).toEqual(folders.map(({ name }) => name).sort());
    for (const { layer, name } of folders) {
      const kind = await kinds[name]!();
      expect({ name: kind.name, layer: kind.layer }).toEqual({ name, layer });
      for (const { verb, calls } of callsOf(kind)) expect(calls, `${name} ${verb}`).toBeDefined();
    }
  });

  test('every folder of a workflow is registered', () => {
    const folders = readdirSync(join(root, 'functions/workflows'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(workflows.map(({ name }) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  test('every local service has a folder with its signing name', () => {
    for (const { name } of readdirSync(join(root, 'local/services'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )) {
      expect(readFileSync(join(root, 'local/services', name, 'index.ts'), 'utf8')).toContain(`name: '${name}'`);
    }
  });
});

describe('workflows', () => {
  for (const workflow of workflows) {
    test(`${workflow.name} is accepted by asl-validator`, () => {
      const { isValid, errors } = validate(definitionOf(workflow) as never);
      expect(errors).toEqual([]);
      expect(isValid).toBe(true);
    });

    test(`${workflow.name} retries and catches what its steps throw, and every step has one duty`, () => {
      const text = JSON.stringify(definitionOf(workflow));
      expect(text).toContain(`"${TRANSIENT}"`);
      for (const step of workflow.steps) expect(DUTIES).toContain(step.duty);
      expect(new Set(workflow.steps.map(({ name }) => name)).size).toBe(workflow.steps.length);
      for (const step of workflow.steps) expect(text, `${step.name} is never run`).toContain(`stillpoint-${step.name}`);
    });
  }

  test('the names that are thrown are the names that are caught', () => {
    expect([TRANSIENT, PERMANENT, CONFLICT]).toEqual(['Transient', 'Permanent', 'Conflict']);
  });

  test('no function may both make copies and delete them', () => {
    const verbs = workflows.flatMap(({ steps }) => steps).map(({ name, kinds = [] }) => ({ name, kinds }));
    const both = verbs.filter(
      ({ kinds }) => kinds.includes('expire') && kinds.some((verb) => /^(capture|copy|restore)/.test(verb)),
    );
    expect(both).toEqual([]);
  });
});
