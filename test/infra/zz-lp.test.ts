import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { kinds } from '../../functions/kinds/index.ts';
import { laws } from '../../functions/kinds/laws.ts';
import { stage as lawStage } from '../stage.ts';
import { configurationFor, HOME, stage, WEST } from '../world.ts';
import { rolesOf, synthesisedOf } from './synthesised.ts';
import { asStep, dispatch, putRoles, underRoles } from './under-roles.ts';

const folder = fileURLToPath(new URL('../../functions/kinds/', import.meta.url));
test('x', async () => {
  const { templates } = await synthesisedOf(configurationFor({ cluster: true }));
  const roles = rolesOf(templates);
  const used = new Map<string, Set<string>>();
  const denied = new Map<string, number>();
  const notes: string[] = [];
  const gather = (world: any) => {
    for (const { name } of roles) {
      const arn = `arn:aws:iam::111122223333:role/${name}`;
      const set = used.get(name) ?? new Set();
      for (const a of world.permissions.usedBy(arn)) set.add(a);
      used.set(name, set);
    }
    for (const d of world.permissions.denied) { const k = `${d.principal.split('/').at(-1)} ${d.action} ${d.resource.replace(/[0-9a-f-]{17,}/g,'#')}`; denied.set(k, (denied.get(k) ?? 0) + 1); }
  };
  if (process.env.STAGE !== '0') {
  const s = await stage({ seed: 'lp', shop: { cluster: true }, between: (_t, step, place, world) => asStep(world, step, place) });
  await putRoles(s.world, templates);
  const e = s.startProtect();
  await s.settle(e.ended);
  notes.push(`protect ${e.status} ${e.error} ${e.cause}`);
  const pts: any[] = e.status !== 'SUCCEEDED' ? [] : await s.replicated(WEST).catch((x: any) => (notes.push(String(x)), []));
  notes.push(`replicated ${pts.length}`);
  const r: any = await s.restore(HOME, 'undo').catch((x: any) => ({ execution: { status: String(x) } }));
  notes.push(`restore home ${r.execution.status} ${r.execution.error} ${r.execution.cause}`);
  const w: any = await s.restore(WEST, 'west').catch((x: any) => ({ execution: { status: String(x) } }));
  notes.push(`restore west ${w.execution.status} ${w.execution.error} ${w.execution.cause}`);
  for (const place of [HOME, WEST]) { const x = await s.run(place, 'reconcile', { application: 'shop' }); notes.push(`reconcile ${place.region} ${x.status} ${x.error} ${x.cause}`); }
  gather(s.world);
  }
  if (process.env.LAWS !== '0')
  for (const [name, load] of Object.entries(kinds)) {
    const kind = await load();
    const path = readdirSync(folder, { recursive: true, withFileTypes: true }).find((e) => e.name === 'proof.ts' && e.parentPath.endsWith(`/${name}`))!;
    const { default: proof } = await import(`${path.parentPath}/proof.ts`);
    for (const turn of (process.env.TURNS ?? "0,1").split(",").map(Number)) for (const [law, hold] of Object.entries(laws)) {
      const world = await lawStage({ seed: `${name}/${law}` });
      await putRoles(world.world, templates);
      try { await world.settle(hold(underRoles(kind, world.world, world.home.place, turn), proof, { ...world, transport: dispatch(world.world) })); }
      catch (error) { notes.push(`${name}/${law}/${turn}: ${String(error).slice(0, 300)}`); }
      gather(world.world);
    }
  }
  const out: string[] = [...notes, '--- denied', ...[...denied].map(([k, n]) => `${n} ${k}`), '--- unused'];
  for (const { name, statements } of roles) {
    const granted = new Set(statements.filter((s) => s.Effect === 'Allow').flatMap((s) => s.Action));
    const un = [...granted].filter((a) => !used.get(name)!.has(a));
    if (un.length) out.push(`${name}: ${un.join(' ')}`);
  }
  writeFileSync('/tmp/lp.txt', out.join('\n') + '\n');
}, 600000);
