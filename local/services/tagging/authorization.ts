import type { Check } from '../../world/authorization/authorize.ts';
import { requestTagKeys, tagsOf } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';

/** How a service calls the giving and the taking of tags, where not `TagResource` and `UntagResource`. */
const CALLED: Readonly<Record<string, readonly [gives: string, takes: string]>> = {
  ec2: ['CreateTags', 'DeleteTags'],
  rds: ['AddTagsToResource', 'RemoveTagsFromResource'],
  s3: ['PutBucketTagging', 'PutBucketTagging'],
};

/** Besides its own action, that of the service whose resource it is (tagging API, TagResources: Minimum permissions). */
const through =
  (which: 0 | 1) =>
  (
    {
      ResourceARNList = [],
      Tags = {},
      TagKeys,
    }: { ResourceARNList?: readonly string[]; Tags?: Record<string, string>; TagKeys?: string[] },
    context: Context<object>,
  ): Check[] =>
    ResourceARNList.map((resource) => {
      const service = resource.split(':')[2] ?? '';
      const name = CALLED[service]?.[which] ?? (which === 0 ? 'TagResource' : 'UntagResource');
      const keys = { 'aws:tagkeys': TagKeys ?? Object.keys(Tags), ...requestTagKeys(Tags) };
      return { action: `${service}:${name}`, resource, keys, tags: () => tagsOf(resource, context) };
    });

/** Service Authorization Reference, "Amazon Resource Group Tagging API". */
export const authorization: Authorization<object> = {
  also: { TagResources: through(0), UntagResources: through(1) },
};
