import { DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { calls } from '../../functions/aws/call.ts';
import { Permanent } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import { inParallel } from '../../functions/kinds/items.ts';
import { tagMap } from '../../functions/kinds/scope.ts';
import { connect, connecting } from '../../functions/kubernetes/client.ts';
import type { FoundCluster, Tagged } from './found.ts';

const tagging = calls('tagging', ResourceGroupsTaggingAPIClient);
const eks = calls('eks', EKSClient);
const ec2 = calls('ec2', EC2Client);

/** Everything in the region that bears a tag. What bears none cannot be found so. */
export const taggedHere = verb({ tagged: tagging.read(GetResourcesCommand) }, async (aws): Promise<Tagged[]> => {
  const found: Tagged[] = [];
  let PaginationToken: string | undefined;
  do {
    const page = await aws.tagged({ ResourcesPerPage: 100, ...(PaginationToken ? { PaginationToken } : {}) });
    for (const { ResourceARN: arn, Tags } of page.ResourceTagMappingList ?? [])
      if (arn) found.push({ arn, tags: Object.fromEntries(tagMap(Tags)) });
    PaginationToken = page.PaginationToken || undefined;
  } while (PaginationToken);
  return found;
});

/** The regions that the account may use. */
export const regionsOf = verb({ regions: ec2.read(DescribeRegionsCommand) }, async (aws): Promise<string[]> => {
  const { Regions = [] } = await aws.regions({});
  return Regions.flatMap(({ RegionName }) => RegionName ?? []).sort();
});

const WIDTH = 5;

/** Every cluster of the region with its namespaces, or with why those cannot be seen. */
export const clustersHere = verb(
  { ...connecting, clusters: eks.read(ListClustersCommand), cluster: eks.read(DescribeClusterCommand) },
  async (aws, _: undefined, scene): Promise<FoundCluster[]> => {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await aws.clusters(nextToken ? { nextToken } : {});
      names.push(...(page.clusters ?? []));
      nextToken = page.nextToken || undefined;
    } while (nextToken);
    return inParallel(names.sort(), WIDTH, async (name) => {
      const { cluster } = await aws.cluster({ name });
      const found = { name, subnets: cluster?.resourcesVpcConfig?.subnetIds ?? [] };
      try {
        const { text } = await (await connect(aws, name, scene)).get('/api/v1/namespaces');
        const { items } = JSON.parse(text) as { items: { metadata: { name: string } }[] };
        return { ...found, namespaces: items.map(({ metadata }) => metadata.name) };
      } catch (error) {
        // a private endpoint gives no answer from outside its network, and that is no reason to give up
        return {
          ...found,
          namespaces: [],
          trouble: error instanceof Permanent ? error.message : `It gave no answer: ${(error as Error).message}`,
        };
      }
    });
  },
);
