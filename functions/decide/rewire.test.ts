import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rename } from '../domain.ts';
import { lostBy, placeRenames, rewireBase64, rewiring, suspicions } from './rewire.ts';

const HOME = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };

const RENAMES: Rename[] = [
  { was: 'shop', is: 'shop-r1', what: 'bucket' },
  { was: 'shop-carts', is: 'shop-carts-r1', what: 'table' },
  {
    was: 'arn:aws:dynamodb:us-east-1:111122223333:table/shop-carts',
    is: 'arn:aws:dynamodb:eu-west-1:111122223333:table/shop-carts-r1',
    what: 'table ARN',
  },
  {
    was: 'arn:aws:dynamodb:us-east-1:111122223333:table/shop-carts/stream/2026-11-01T00:00:00.000',
    is: 'arn:new-stream',
    what: 'stream ARN',
  },
  { was: 'vol-0a1b2c3d4e5f60001', is: 'vol-0ffffffffffff0001', what: 'volume' },
  { was: 'db.abc.us-east-1.rds.amazonaws.com', is: 'db-r1.xyz.eu-west-1.rds.amazonaws.com', what: 'endpoint' },
  { was: 'us-east-1a', is: 'eu-west-1b', what: 'zone' },
  { was: 'cart.shop', is: 'cart.shop-r1', what: 'service' },
  { was: 'cart.shop.svc', is: 'cart.shop-r1.svc', what: 'service' },
  { was: 'cart.shop.svc.cluster.local', is: 'cart.shop-r1.svc.cluster.local', what: 'service' },
];
const rewire = rewiring(RENAMES);
const settings = (text: string) => rewire(text, 'settings').text;
const structure = (text: string) => rewire(text, 'structure').text;

describe('rewiring', () => {
  test.each([
    ['shop', 'shop-r1'],
    ['shop-carts', 'shop-carts-r1'],
    ['TABLE=shop-carts\nBUCKET=shop\n', 'TABLE=shop-carts-r1\nBUCKET=shop-r1\n'],
    ['{"table":"shop-carts","shop":1}', '{"table":"shop-carts-r1","shop":1}'],
    ['table: shop-carts # the carts', 'table: shop-carts-r1 # the carts'],
    ['tables:\n  - shop-carts\n', 'tables:\n  - shop-carts-r1\n'],
    ['--table shop-carts', '--table shop-carts-r1'],
    ['s3://shop/media/a', 's3://shop-r1/media/a'],
    ['https://shop.s3.us-east-1.amazonaws.com/a', 'https://shop-r1.s3.us-east-1.amazonaws.com/a'],
    [
      'arn:aws:dynamodb:us-east-1:111122223333:table/shop-carts/index/by-user',
      'arn:aws:dynamodb:eu-west-1:111122223333:table/shop-carts-r1/index/by-user',
    ],
    ['arn:aws:dynamodb:us-east-1:111122223333:table/shop-carts/stream/2026-11-01T00:00:00.000', 'arn:new-stream'],
    [
      'jdbc:mysql://db.abc.us-east-1.rds.amazonaws.com:3306/x?a=b',
      'jdbc:mysql://db-r1.xyz.eu-west-1.rds.amazonaws.com:3306/x?a=b',
    ],
    ['aws://us-east-1a/vol-0a1b2c3d4e5f60001', 'aws://eu-west-1b/vol-0ffffffffffff0001'],
    ['http://cart.shop:8080', 'http://cart.shop-r1:8080'],
    ['http://cart.shop.svc:8080', 'http://cart.shop-r1.svc:8080'],
    ['pod-0.cart.shop.svc.cluster.local', 'pod-0.cart.shop-r1.svc.cluster.local'],
  ])('%j becomes %j', (was, is) => {
    expect(settings(was)).toBe(is);
  });

  test.each([
    'workshop',
    'shop-media',
    'shop_total',
    'my-shop',
    'Welcome to the shop of shops',
    'http://shop:8080/',
    'shop.example.com',
    'cart.shop.example.com',
    'arn:aws:dynamodb:us-east-1:111122223333:table/shop-carts-archive',
    'vol-0a1b2c3d4e5f600012',
    'us-east-1ab',
  ])('%j is left as it is', (text) => {
    expect(rewire(text, 'settings')).toEqual({ text, changes: [] });
  });

  test('replaces bare names in settings only', () => {
    expect(structure('shop-carts')).toBe('shop-carts');
    expect(structure('vol-0a1b2c3d4e5f60001')).toBe('vol-0ffffffffffff0001');
    expect(structure('us-east-1a')).toBe('eu-west-1b');
  });

  test('does not look again at what it has put in, so names may change places', () => {
    const swap = rewiring([
      { was: 'vol-00000001', is: 'vol-00000002', what: 'volume' },
      { was: 'vol-00000002', is: 'vol-00000001', what: 'volume' },
    ]);
    expect(swap('vol-00000001 vol-00000002', 'structure').text).toBe('vol-00000002 vol-00000001');
  });

  test('tells which names it changed, once each', () => {
    expect(rewire('shop-carts', 'settings').changes).toEqual([RENAMES[1]]);
    expect(rewire('a=shop-carts\nb=shop-carts', 'settings').changes).toEqual([RENAMES[1]]);
  });

  test('reads patterns in names as letters', () => {
    expect(rewiring([{ was: 'a.b+c', is: 'x', what: 'host' }])('a.b+c axb+c', 'settings').text).toBe('x axb+c');
  });

  test('changes nothing in a text that names nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => rewire(text.replaceAll(/[su]/g, ''), 'settings').changes.length === 0,
      ),
    );
  });

  test('decodes what Secrets hold and leaves what is no text', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    expect(rewireBase64(base64('table: shop-carts'), rewire)).toEqual({
      text: base64('table: shop-carts-r1'),
      changes: [RENAMES[1]],
    });
    const binary = Buffer.from([0xff, 0x00, 0x73]).toString('base64');
    expect(rewireBase64(binary, rewire)).toEqual({ text: binary, changes: [] });
  });
});

describe('what still names the lost place', () => {
  const away = lostBy(HOME, WEST, RENAMES);
  const names = (text: string, lost = away) => suspicions(text, lost).map(({ what, names }) => `${what} ${names}`);

  test.each([
    ['arn:aws:sqs:us-east-1:111122223333:orders', ['ARN arn:aws:sqs:us-east-1:111122223333:orders']],
    ['role arn:aws:iam::111122223333:role/shop', []],
    ['redis://x:y@master.shop.abc.use1.cache.amazonaws.com:6379', ['host master.shop.abc.use1.cache.amazonaws.com']],
    ['https://sqs.us-east-1.amazonaws.com/111122223333/q', ['host sqs.us-east-1.amazonaws.com']],
    [
      'a.elb.us-east-1.amazonaws.com, b.s3-us-east-1.amazonaws.com',
      ['host a.elb.us-east-1.amazonaws.com', 'host b.s3-us-east-1.amazonaws.com'],
    ],
    ['AWS_REGION=us-east-1', ['region us-east-1']],
    ['us-east-1c', ['zone us-east-1c']],
    ['us-east-10', []],
    ['eu-west-1 eu-west-1a arn:aws:sqs:eu-west-1:111122223333:orders', []],
    ['sg-0123456789abcdef0, subnet-01234567', ['id sg-0123456789abcdef0', 'id subnet-01234567']],
    ['vol-0ffffffffffff0001', []],
    ['pod-template-12345678', []],
  ])('in %j: %j', (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  test('at home it is only what has become another', () => {
    const home = lostBy(HOME, HOME, RENAMES);
    expect(names('us-east-1 vol-0a1b2c3d4e5f60001 vol-0123456789abcdef0 arn:aws:sqs:us-east-1:111122223333:q', home)).toEqual([
      'id vol-0a1b2c3d4e5f60001',
    ]);
  });

  test('in another account it is that account', () => {
    const moved = lostBy(HOME, { account: '444455556666', region: 'us-east-1' }, []);
    expect(names('arn:aws:iam::111122223333:role/x 111122223333.dkr.ecr.us-east-1.amazonaws.com/a 111122223333', moved)).toEqual([
      'ARN arn:aws:iam::111122223333:role/x',
      'host 111122223333.dkr.ecr.us-east-1.amazonaws.com',
      'account 111122223333',
    ]);
  });
});

test('places alone rename registries only', () => {
  expect(placeRenames(HOME, HOME)).toEqual([]);
  const toWest = rewiring(placeRenames(HOME, WEST));
  expect(toWest('111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/web:1', 'structure').text).toBe(
    '111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1',
  );
  expect(toWest('999999999999.dkr.ecr.us-east-1.amazonaws.com/x:1', 'structure').changes).toEqual([]);
});
