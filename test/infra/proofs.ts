import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kinds } from '../../functions/kinds/index.ts';
import type { Kind } from '../../functions/kinds/kind.ts';
import type { Proof } from '../../functions/kinds/proof.ts';

const folder = fileURLToPath(new URL('../../functions/kinds/', import.meta.url));

/** Every kind with its proof, which is found by path. */
export async function proved(): Promise<{ name: string; kind: Kind; proof: Proof }[]> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(({ name }) => name === 'proof.ts');
  return Promise.all(
    Object.entries(kinds).map(async ([name, load]) => {
      const file = files.find(({ parentPath }) => parentPath.endsWith(`/${name}`))!;
      const { default: proof } = (await import(`${file.parentPath}/proof.ts`)) as { default: Proof };
      return { name, kind: (await load()) as Kind, proof };
    }),
  );
}
