import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { kinds } from '../functions/kinds/index.ts';
import { laws } from '../functions/kinds/laws.ts';
import type { Proof } from '../functions/kinds/proof.ts';
import { stage } from './stage.ts';

/** Every kind in the registry × every law. No line here names a kind: proofs are found by path. */
const folder = fileURLToPath(new URL('../functions/kinds/', import.meta.url));
const proofs = new Map(
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name === 'proof.ts' && entry.parentPath.replace(/\/$/, '') !== folder.replace(/\/$/, ''),
    )
    .map((entry) => [entry.parentPath.split('/').at(-1) as string, `${entry.parentPath}/${entry.name}`]),
);

/** Twice: by direct dispatch, and through real SDK clients in AWS's own protocols, which no kind may notice. */
for (const sdk of [false, true]) {
  for (const [name, load] of Object.entries(kinds)) {
    describe(`${name}, ${sdk ? 'through the SDK' : 'directly'}`, async () => {
      const path = proofs.get(name);
      test('has a proof', ({ expect }) => expect(path).toBeDefined());
      if (!path) return;
      const [kind, { default: proof }] = await Promise.all([load(), import(path) as Promise<{ default: Proof }>]);
      for (const [law, hold] of Object.entries(laws)) {
        test(law, async () => {
          const world = await stage({ seed: `${name}/${law}`, sdk });
          await world.settle(hold(kind, proof, world));
        });
      }
    });
  }
}
