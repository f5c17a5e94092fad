import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { type Place, samePlace } from '../../../domain.ts';
import { dataBucket, stagingBucket } from '../../../vault/layout.ts';
import { why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, history, objectDeleting, objectListing } from '../../objects.ts';
import { exportId, exportOf } from './exports.ts';
import { KIND, tableArn } from './table.ts';

type Listing = Door<typeof objectListing>;

/** Every export of the application that lies here: staged at home, copied in a vault. Exports bear no tags; their keys say whose they are. */
export const strays = verb(objectListing, async (aws, { application }: StraysScope, { here, home }): Promise<Stray[]> => {
  const buckets = samePlace(here, home) ? [stagingBucket(here), dataBucket(here)] : [dataBucket(here)];
  return (await Promise.all(buckets.map((bucket) => exportsIn(aws, bucket, application, home)))).flat();
});

async function exportsIn(aws: Listing, bucket: string, application: string, home: Place): Promise<Stray[]> {
  const found = new Map<string, Stray>();
  const list = async () => {
    for await (const { key, modified } of history(aws, bucket, `exports/${application}/`)) {
      const [, , slot, attempt, table] = key.split('/');
      if (!slot || !attempt || !table) continue;
      const lies = { bucket, prefix: `exports/${application}/${slot}/${attempt}/${table}` };
      const id = exportId(lies);
      const createdAt = new Date(modified).toISOString();
      const known = found.get(id);
      if (known && known.createdAt >= createdAt) continue;
      found.set(id, { kind: KIND, id, restorePoint: `${slot}/${attempt}`, resource: tableArn(home, table), createdAt });
    }
  };
  await list().catch(when('NoSuchBucket', () => undefined));
  return [...found.values()];
}

/** Deletes the objects of an export. The log at home ends by itself, and definitions are bundles, which points share. */
export const expire = verb(objectDeleting, async (aws, works: readonly Expiry[], { here }): Promise<Expired[]> => {
  const expired: Expired[] = [];
  for (const { id } of works) expired.push(await remove(aws, id, here));
  return expired;
});

async function remove(aws: Door<typeof objectDeleting>, id: string, here: Place): Promise<Expired> {
  const lies = exportOf(id, here);
  if (!lies)
    return {
      id,
      gone: false,
      why: `${id} is no export under our own keys in ${here.account}/${here.region}, so it is left alone.`,
    };
  try {
    const versions = await Array.fromAsync(history(aws, lies.bucket, `${lies.prefix}/`));
    const [reason] = await deleteVersions(aws, lies.bucket, versions);
    return reason === undefined ? { id, gone: true } : { id, gone: false, why: `${reason}.` };
  } catch (error) {
    return { id, gone: false, why: why(`${id} could not be deleted`)(error) };
  }
}
