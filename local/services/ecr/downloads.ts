import { createHash, timingSafeEqual } from 'node:crypto';
import type { PlainRequest, PlainResponse } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import type { EcrState } from './state.ts';

/** How long a presigned address is good for; AWS does not say, and an hour is what its registry's own redirects carry. */
const HOUR = 3_600_000;
const PATH = /^\/_ecr\/(\d{12})\/([a-z0-9-]+)\/(.+)\/(sha256:[0-9a-f]{64})$/;

/** An address under which a layer can be fetched by plain HTTP, for an hour, by whoever has it. */
export function presign({ place, world, secret }: EcrState, repository: string, digest: string): string {
  const until = world.clock.now() + HOUR;
  const path = `/_ecr/${place.account}/${place.region}/${repository}/${digest}`;
  return `${world.origin}${path}?expires=${until}&signature=${signed(secret, path, String(until))}`;
}

const signed = (secret: string, path: string, until: string): string =>
  createHash('sha256').update(`${secret}\n${path}\n${until}`).digest('hex');

/** Answers an address that `presign` made: the bytes, or the range of them that is asked for, as S3 does (S3 API, GetObject). */
export function download(world: World, { method, path, query, headers }: PlainRequest): PlainResponse {
  const [, account = '', region = '', repository = '', digest = ''] = PATH.exec(path) ?? [];
  if (method !== 'GET' || region === '') return said(404, 'NoSuchKey');
  const state = world.state<EcrState>('ecr', { account, region });
  const until = query.get('expires') ?? '';
  const [given, due] = [query.get('signature') ?? '', signed(state.secret, path, until)].map((one) => Buffer.from(one));
  if (given!.length !== due!.length || !timingSafeEqual(given!, due!)) return said(403, 'SignatureDoesNotMatch');
  if (Number(until) < world.clock.now()) return said(403, 'Request has expired');
  const layer = state.repositories.get(repository)?.layers.get(digest);
  return layer ? inRange(layer, headers['range']) : said(404, 'NoSuchKey');
}

function inRange(layer: Uint8Array, range: string | undefined): PlainResponse {
  const type = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers: type, body: layer };
  const from = Number(first);
  const to = Math.min(last ? Number(last) : layer.length - 1, layer.length - 1);
  if (from > to) return said(416, 'InvalidRange');
  return {
    status: 206,
    headers: { ...type, 'content-range': `bytes ${from}-${to}/${layer.length}` },
    body: layer.subarray(from, to + 1),
  };
}

const said = (status: number, code: string): PlainResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`),
});
