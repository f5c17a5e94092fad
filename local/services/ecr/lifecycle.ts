import { refuse } from '../../world/service.ts';
import { isListed } from './manifests.ts';
import type { EcrState, Image, Repository } from './state.ts';

/** A rule of a lifecycle policy (ECR guide, "Lifecycle policy properties"). */
export interface Rule {
  readonly rulePriority: number;
  readonly selection: {
    readonly tagStatus: 'tagged' | 'untagged' | 'any';
    readonly tagPrefixList?: readonly string[];
    readonly tagPatternList?: readonly string[];
    readonly countType: string;
    readonly countNumber: number;
  };
  readonly action: { readonly type: string };
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What meets a rule is expired within a day (ECR guide, "Lifecycle policies"): the seed decides when. */
const WITHIN_HOURS = [1, 24] as const;

/** The rules of a policy, by priority. InvalidParameterException for what is none; what is not modelled is refused by name. */
export function rulesOf(text: string): Rule[] {
  const invalid = (why: string) =>
    refuse('InvalidParameterException', `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '${why}'`);
  let rules: Rule[];
  try {
    ({ rules } = JSON.parse(text) as { rules: Rule[] });
  } catch {
    return invalid('Lifecycle policy validation failure: not JSON');
  }
  if (!Array.isArray(rules)) return invalid('Lifecycle policy validation failure: no rules');
  const ordered = rules.toSorted((a, b) => a.rulePriority - b.rulePriority);
  if (new Set(rules.map(({ rulePriority }) => rulePriority)).size < rules.length) invalid('rulePriority must be unique');
  for (const [index, { selection, action }] of ordered.entries()) {
    const { tagStatus, tagPrefixList = [], tagPatternList = [], countType } = selection;
    if (tagStatus === 'tagged' && tagPrefixList.length > 0 === tagPatternList.length > 0)
      invalid('tagged needs either tagPrefixList or tagPatternList');
    if (tagStatus === 'any' && index < ordered.length - 1) invalid('a rule of tagStatus any must have the highest rulePriority');
    if (action.type !== 'expire' || !['imageCountMoreThan', 'sinceImagePushed'].includes(countType)) {
      const message = `The local AWS does not model lifecycle rules of action ${action.type} and countType ${countType}.`;
      refuse('NotImplemented', message, { status: 501 });
    }
  }
  return ordered;
}

/** Has the repository's policy looked at once more, within a day, after something that it may act on. */
export function review(state: EcrState, repository: Repository): void {
  if (!repository.lifecycle || repository.reviewed) return;
  repository.reviewed = true;
  const { clock, random } = state.world;
  clock.after(random.between(...WITHIN_HOURS) * HOUR, () => {
    repository.reviewed = false;
    if (state.repositories.get(repository.name) === repository) carryOut(state, repository);
  });
}

function carryOut(state: EcrState, repository: Repository): void {
  if (!repository.lifecycle) return;
  const { clock } = state.world;
  const rules = rulesOf(repository.lifecycle.text);
  repository.lifecycle = { ...repository.lifecycle, at: new Date(clock.now()) };
  state.remove(repository, expiring([...repository.images.values()], rules, clock.now()));
  const ages = rules.filter(({ selection }) => selection.countType === 'sinceImagePushed');
  const next = Math.min(
    ...[...repository.images.values()].flatMap((image) =>
      ages.filter((rule) => selects(rule, image)).map(({ selection }) => image.pushedAt.getTime() + selection.countNumber * DAY),
    ),
  );
  if (Number.isFinite(next)) clock.at(Math.max(next, clock.now()), () => review(state, repository));
}

/**
 * Which images go. All rules are evaluated at once and applied by priority; an image that meets the tag criteria of a rule is never expired by
 * a rule of lower priority; the oldest go first; what an index lists stays while the index does (ECR guide, "Lifecycle policies", "Lifecycle
 * policy evaluation rules").
 */
export function expiring(images: readonly Image[], rules: readonly Rule[], now: number): string[] {
  const newestFirst = images.toSorted((a, b) => b.pushedAt.getTime() - a.pushedAt.getTime());
  const claimed = new Set<string>();
  const doomed: string[] = [];
  for (const rule of rules) {
    const { countType, countNumber } = rule.selection;
    const selected = newestFirst.filter((image) => selects(rule, image));
    const beyond =
      countType === 'imageCountMoreThan'
        ? selected.slice(countNumber)
        : selected.filter(({ pushedAt }) => pushedAt.getTime() + countNumber * DAY <= now);
    doomed.push(...beyond.filter(({ digest }) => !claimed.has(digest)).map(({ digest }) => digest));
    for (const { digest } of selected) claimed.add(digest);
  }
  return doomed.filter((digest) => !isListed(images, digest));
}

/** An image that bears, for every prefix (or pattern), a tag that it fits; tags that fit none do not matter. */
function selects({ selection }: Rule, { tags }: Image): boolean {
  const { tagStatus, tagPrefixList = [], tagPatternList = [] } = selection;
  if (tagStatus === 'any') return true;
  if (tagStatus === 'untagged') return tags.size === 0;
  const patterns = [...tagPatternList, ...tagPrefixList.map((prefix) => `${prefix}*`)].map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      ),
  );
  return patterns.every((pattern) => [...tags].some((tag) => pattern.test(tag)));
}
