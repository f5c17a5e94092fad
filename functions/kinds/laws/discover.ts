import type { Discovery } from '../kind.ts';
import { applicationOf, captured, idsOf, restored, restoreWorks, seeded } from './motions.ts';
import { A_MINUTE, at, type Law, must, sameSet } from './stage.ts';

/** Discovery finds exactly what the scope says, by tag and by ARN, to the last page; what bears only some of the tags is outside. */
export const findsExactly: Law = async (kind, proof, stage) => {
  const seed = at(proof.seed, stage, stage.home.place);
  const { place: vault } = stage.vault;
  if (proof.prepare) await at(proof.prepare, stage, stage.home.place)(stage.home.place);
  const name = stage.name();
  const tags = { law: name, tier: 'data' };
  const first = await seed({ name: `${name}a`, tags, vault });
  const second = await seed({ name: `${name}b`, tags, vault });
  const partly = await seed({ name: `${name}c`, tags: { law: name }, vault });
  const stranger = await seed({ name: `${name}d`, tags: { law: `${name}-not`, tier: 'data' }, vault });
  const mine = [...first.ids, ...second.ids];
  const discover = at(kind.discover, stage, stage.home.place);
  const ask = async (tags: Record<string, string>, arns: readonly string[], scope?: object): Promise<Discovery> => {
    const application = applicationOf(name, stage, tags, scope);
    return discover({ ...application, resources: { tags, arns } });
  };
  const scope = merged(first.scope, second.scope);
  const found = idsOf((await ask(tags, [], scope)).resources);
  must(sameSet(found, mine), `In scope are ${mine.join(', ')}; found are ${found.join(', ') || 'none'}.`);
  const nothing = idsOf((await ask({}, [])).resources);
  must(nothing.length === 0, `An empty scope holds nothing; found are ${nothing.join(', ')}.`);
  if (scope) return; // what is found by its own names has no ARNs to be found by
  const named = [partly.ids[0]!, stranger.ids[0]!];
  const byArn = idsOf((await ask({}, named)).resources);
  must(sameSet(byArn, named), `Named by ARN are ${named.join(', ')}; found are ${byArn.join(', ') || 'none'}.`);
  const both = idsOf((await ask(tags, [named[0]!, mine[0]!])).resources);
  must(sameSet(both, [...mine, named[0]!]), `Tags and ARNs together find each once; found are ${both.join(', ')}.`);
};

export const merged = (a: { namespaces?: readonly string[] } | undefined, b: typeof a): object | undefined =>
  a && { ...a, ...b, namespaces: [...(a.namespaces ?? []), ...(b?.namespaces ?? [])] };

/** What a restore made beside the original does not double what the application's tags protect; discovery says so. */
export const restoredIsNoMember: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts } = await captured(subject);
  await restored(subject, restoreWorks(subject, artifacts, stage.home), stage.home);
  await stage.clock.sleep(A_MINUTE);
  const { resources } = await at(kind.discover, stage, stage.home.place)(subject.application);
  must(
    sameSet(idsOf(resources), idsOf(subject.resources)),
    `After a restore the application has ${idsOf(resources).join(', ')}.`,
  );
};
