import { BackupClient, DescribeRegionSettingsCommand } from '@aws-sdk/client-backup';
import { calls } from '../../../aws/call.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Resource } from '../../../domain.ts';
import { asJson, inParallel } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, scoping, taggedArns, tagMap } from '../../scope.ts';
import { describeFileSystem, describingAll, factsAbout } from './describe.ts';
import { fileSystemIdOf, isFileSystemArn, KIND, TYPE } from './file-system.ts';

const looking = { ...scoping, ...describingAll, settings: calls('backup', BackupClient).read(DescribeRegionSettingsCommand) };
type Looking = Door<typeof looking>;

const WIDTH = 5;

type Found = { readonly resource?: Resource; readonly note?: string };

/** File systems by the application's tags and ARNs, with everything about them that no recovery point holds. */
export const discover = verb(looking, async (aws, application: Application): Promise<Discovery> => {
  const { arns, refusals } = namedArns(application, isFileSystemArn);
  const tagged = (await taggedArns(aws, application, 'elasticfilesystem:file-system')).filter(isFileSystemArn);
  const all = [...new Set([...arns, ...tagged])].sort();
  const found = await inParallel(all, WIDTH, (arn) => look(aws, application, arn, arns.includes(arn)));
  const resources = found.flatMap(({ resource }) => (resource ? [resource] : []));
  return {
    resources,
    notes: found.flatMap(({ note }) => (note ? [note] : [])),
    refusals: [...refusals, ...(resources.length > 0 ? await notOptedIn(aws, application, resources) : [])],
  };
});

async function look(aws: Looking, { home }: Application, arn: string, named: boolean): Promise<Found> {
  const name = fileSystemIdOf(arn);
  const found = await describeFileSystem(aws, name);
  if (!found) return {};
  const note = named ? undefined : madeByRestore(`File system ${name}`, tagMap(found.Tags));
  if (note) return { note };
  if (found.LifeCycleState !== 'available' && found.LifeCycleState !== 'updating') {
    return {
      note: `File system ${name} is ${found.LifeCycleState}, so ${arn} is not protected; a file system can be captured when it is available.`,
    };
  }
  const facts = asJson(await factsAbout(aws, found));
  const zone = found.AvailabilityZoneName;
  return {
    resource: { kind: KIND, id: arn, name, createdAt: found.CreationTime!.toISOString(), place: home, facts },
    ...(zone ? { note: `File system ${name} is in the one zone ${zone}; a restore makes a Regional one.` } : {}),
  };
}

/** AWS Backup protects in a region only the types that its account has opted in to (AWS Backup guide, "Service opt-in"). */
async function notOptedIn(aws: Looking, { home }: Application, resources: readonly Resource[]): Promise<string[]> {
  const { ResourceTypeOptInPreference } = await aws.settings({});
  if (ResourceTypeOptInPreference?.[TYPE] !== false) return [];
  return [
    `AWS Backup is turned off for EFS in ${home.account}/${home.region}, so ${resources.map(({ id }) => id).join(', ')} cannot be captured; turn it on (AWS Backup console: Settings → Service opt-in; API: UpdateRegionSettings).`,
  ];
}
