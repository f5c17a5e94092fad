import { ECRClient, GetLifecyclePolicyCommand } from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { OURS } from './image.ts';

export const readingLifecycle = { lifecycle: calls('ecr', ECRClient).read(GetLifecyclePolicyCommand) };

interface Rule {
  readonly rulePriority: number;
  readonly selection?: {
    readonly tagStatus?: string;
    readonly tagPrefixList?: readonly string[];
    readonly tagPatternList?: readonly string[];
    readonly countType?: string;
    readonly countNumber?: number;
  };
}

/** A rule that keeps so many images keeps all: a repository has no more than 100,000 (ECR guide, "Service quotas"). */
const ALL = 100_000;

/**
 * Why a repository's lifecycle policy could take away one of some images, each with the tags that it bears, although a tag of ours holds it:
 * one sentence; undefined where it cannot.
 * A rule selects an image by any of its tags, whatever other tags it bears, so a tag alone holds only what would be untagged. But an image
 * that meets the tag criteria of one rule is never touched by a rule of lower priority (ECR guide, "Lifecycle policies"): a rule for our tags
 * that keeps all holds the rest.
 */
export async function troubleWithLifecycle(
  aws: Door<typeof readingLifecycle>,
  repositoryName: string,
  tags: readonly (readonly string[])[],
): Promise<string | undefined> {
  const { lifecyclePolicyText } = await aws
    .lifecycle({ repositoryName })
    .catch(when('LifecyclePolicyNotFoundException', () => ({ lifecyclePolicyText: undefined })));
  if (lifecyclePolicyText === undefined) return undefined;
  const [rule] = tags.flatMap((borne) => reaching(lifecyclePolicyText, borne) ?? []);
  return (
    rule &&
    `Rule ${rule.rulePriority} of the lifecycle policy of repository ${repositoryName} can take away images that a restore point needs; ` +
      `put a rule before it: {"rulePriority": ${rule.rulePriority}, "selection": {"tagStatus": "tagged", "tagPrefixList": ["${OURS}"], ` +
      `"countType": "imageCountMoreThan", "countNumber": ${ALL}}, "action": {"type": "expire"}}, and give the others higher numbers.`
  );
}

/** The first rule of a policy that an image of these tags can fall to. */
export function reaching(policy: string, tags: readonly string[]): Rule | undefined {
  const { rules = [] } = JSON.parse(policy) as { rules?: readonly Rule[] };
  const held = [...tags.filter((tag) => !tag.startsWith(OURS)), `${OURS}0`];
  for (const rule of rules.toSorted((a, b) => a.rulePriority - b.rulePriority)) {
    if (!selects(rule, held)) continue;
    const keepsAll = rule.selection?.countType === 'imageCountMoreThan' && (rule.selection.countNumber ?? 0) >= ALL;
    return keepsAll ? undefined : rule;
  }
  return undefined;
}

/** All patterns must fit, each any of the tags. */
function selects(
  { selection: { tagStatus, tagPrefixList = [], tagPatternList = [] } = {} }: Rule,
  tags: readonly string[],
): boolean {
  if (tagStatus === 'untagged') return false;
  if (tagStatus === 'any') return true;
  const patterns = [...tagPrefixList.map((prefix) => `${prefix}*`), ...tagPatternList].map(
    (pattern) => new RegExp(`^${pattern.split('*').map(literally).join('.*')}$`),
  );
  return patterns.every((pattern) => tags.some((tag) => pattern.test(tag)));
}

const literally = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
