import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { S3State } from '../local/services/s3/state.ts';
import { HOME, stage, WEST } from './world.ts';

/** I23: no secret in logs, execution histories or plain S3, through capture, copy and restore. */
test('what is secret in the cluster stands nowhere in the clear', async () => {
  const lines: object[] = [];
  const stand = await stage({ seed: 'secrets', shop: { cluster: true }, log: (line) => void lines.push(line) });
  const canaries = stand.shop.secrets;
  expect(canaries.length).toBeGreaterThan(0);
  await stand.settle(stand.startProtect().ended);
  await stand.replicated(WEST);
  expect((await stand.restore(WEST, 'r1')).report?.status).toBe('restored');

  const sinks = new Map<string, string>([['logs', JSON.stringify(lines)]]);
  for (const place of [HOME, WEST]) {
    for (const { arn, run } of stand.states(place).executions.values()) sinks.set(arn, JSON.stringify(run.history.events));
  }
  for (const bucket of stand.world.state<S3State>('s3', HOME).buckets.filter(({ name }) => name.startsWith('stillpoint-'))) {
    for (const key of bucket.keys) {
      for (const { body } of bucket.versions(key)) if (body) sinks.set(`${bucket.name}/${key}`, textOf(body));
    }
  }
  const found = [...sinks].flatMap(([sink, text]) =>
    canaries.flatMap((secret) =>
      spellings(secret).flatMap((spelling) => (text.includes(spelling) ? [`${sink} holds a secret`] : [])),
    ),
  );
  expect(found).toEqual([]);
  expect(sinks.size).toBeGreaterThan(20);
});

/** Bytes as text, unpacked where they are packed. */
function textOf(body: Uint8Array): string {
  const packed = body[0] === 0x1f && body[1] === 0x8b;
  return Buffer.from(packed ? gunzipSync(body) : body).toString('latin1');
}

const spellings = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
];
