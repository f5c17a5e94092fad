import type { Random } from '../../local/world/random.ts';
import type { Cluster } from './cluster.ts';
import type { Disk } from './database.ts';
import type { ShopDoor } from './door.ts';
import type { Names } from './resources.ts';
import { VOUCHERS } from './voucher-store.ts';

/** The incident: a bad deployment deletes carts, writes over vouchers and scribbles on the database. Answers what it did, in sentences. */
export async function eatData(aws: ShopDoor, names: Names, disk: Disk, random: Random, cluster?: Cluster): Promise<string[]> {
  const { table: TableName, bucket: Bucket } = names;
  const carts = await cartsIn(aws, TableName);
  const vouchers = await vouchersIn(aws, Bucket);
  if (cluster) await deployBadly(cluster);
  await Promise.all([
    ...carts.map((id) => aws.deleteItem({ TableName, Key: { id: { S: id } } })),
    ...vouchers.map((Key) => aws.putObject({ Bucket, Key, Body: 'null' })),
  ]);
  const scribble = random.bytes(500);
  disk.write(4096 + 16 * random.integer(4, 24), scribble);
  disk.flush();
  return [
    ...(cluster ? ['A deployment with version 2026.11.4 went out.'] : []),
    `${carts.length} carts were deleted from ${TableName}.`,
    `${vouchers.length} vouchers in ${Bucket} were overwritten.`,
    `${scribble.length} bytes of the database on ${names.volume} were overwritten.`,
  ];
}

/** The version that eats data, as its release changed the settings and the checkout. */
async function deployBadly(cluster: Cluster): Promise<void> {
  await cluster.merge('/api/v1/namespaces/shop/configmaps/shop-settings', {
    data: { version: '2026.11.4', cleanup: 'aggressive' },
  });
}

async function cartsIn(aws: ShopDoor, TableName: string): Promise<string[]> {
  const { Items = [] } = await aws.scan({
    TableName,
    FilterExpression: 'begins_with(id, :cart)',
    ExpressionAttributeValues: { ':cart': { S: 'cart-' } },
    ProjectionExpression: 'id',
  });
  return Items.map((item) => item['id']!.S!);
}

async function vouchersIn(aws: ShopDoor, Bucket: string): Promise<string[]> {
  const { Contents = [] } = await aws.listObjects({ Bucket, Prefix: VOUCHERS });
  return Contents.map(({ Key }) => Key!);
}
