import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { errorOf, failed, MAX_ANSWER, type Result, TOO_LARGE } from './results.ts';

/**
 * Lambda's runtime for Node.js, in a worker thread: loads the handler once and runs it for one event after the other. Time is the world's: it
 * is read from memory that the host writes, and a sleep is asked of the host. Nothing here is known of what runs.
 */
export interface Setup {
  readonly folder: string;
  readonly handlerName: string;
  /** The world's clock, see `Clock.shared`. */
  readonly time: SharedArrayBuffer;
  /** What requests to the world bear, and the world's address. */
  readonly client: { readonly header: string; readonly name: string };
}

export type ToRuntime =
  | {
      readonly invoke: {
        readonly payload: string;
        readonly requestId: string;
        readonly arn: string;
        readonly deadline: number;
        readonly seed: string;
      };
    }
  | { readonly woken: number }
  | { readonly rest: number };

export type FromRuntime =
  | { readonly ready: Result | 'ready' }
  | { readonly done: Result }
  | { readonly sleep: { readonly id: number; readonly milliseconds: number } }
  | { readonly rests: Rests };

/** Whether a thread was idle at some moment, and how many requests it had begun and ended by then. */
export interface Rests {
  readonly id: number;
  readonly idle: boolean;
  readonly begun: number;
  readonly ended: number;
}

const { folder, handlerName, time, client } = workerData as Setup;
const clock = new Float64Array(time);
const counted = { begun: 0, ended: 0 };
const port = parentPort!;
const tell = (message: FromRuntime): void => port.postMessage(message);
const sleepers = new Map<number, () => void>();
let sleeps = 0;

delete process.env['NODE_COMPILE_CACHE']; // it is read when a thread begins, and none of the function's business
countRequests();
const handler = await load();
let loading = true;
port.on('message', (message: ToRuntime) => {
  if ('invoke' in message) void run(message.invoke).then(finish);
  else if ('woken' in message) wake(message.woken);
  else void rest(message.rest);
});

function finish(done: Result): void {
  tell({ done });
  if (loading) flushCompileCache(); // what the first invocation loaded, as far as it goes: a thread may end without notice
  loading = false;
}

/** A request counts from when it has a connection until it is over; one that waits for a connection waits for the answers of others. */
function countRequests(): void {
  subscribe('http.client.request.created', (message) => {
    const { request } = message as { request: ClientRequest };
    request.setHeader(client.header, client.name);
    request.once('socket', () => {
      counted.begun++;
      request.once('close', () => void counted.ended++);
    });
  });
}

type Handler = (event: unknown, context: object) => unknown;

/** The module that the handler's name says, as an ES module or as CommonJS (Lambda guide, "Define Lambda function handler in Node.js"). */
async function load(): Promise<Handler> {
  const [file = '', name = ''] = handlerName.split('.');
  try {
    const module = await firstOf(file);
    const found = module[name] ?? (module['default'] as Record<string, unknown> | undefined)?.[name];
    if (typeof found !== 'function') throw named('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
    tell({ ready: 'ready' });
    return found as Handler;
  } catch (error) {
    tell({ ready: failed(errorOf(error)) });
    return () => Promise.reject(error);
  }
}

async function firstOf(file: string): Promise<Record<string, unknown>> {
  for (const ending of ['.mjs', '.js', '.cjs']) {
    const address = pathToFileURL(join(folder, file + ending)).href;
    try {
      return (await import(address)) as Record<string, unknown>;
    } catch (error) {
      const { code, url } = error as { code?: string; url?: string };
      if (code !== 'ERR_MODULE_NOT_FOUND' || url !== address) throw error;
    }
  }
  throw named('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

async function run({
  payload,
  requestId,
  arn,
  deadline,
  seed,
}: Extract<ToRuntime, { invoke: object }>['invoke']): Promise<Result> {
  let dice = 0;
  const context = {
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: '$LATEST',
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    invokedFunctionArn: arn,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - clock[0]!,
    clock: {
      now: () => clock[0]!,
      sleep: (milliseconds: number) =>
        new Promise<void>((woken) => {
          const id = ++sleeps;
          sleepers.set(id, woken);
          tell({ sleep: { id, milliseconds } });
        }),
      random: (digits: number) => digest(`${seed}/${++dice}`, digits),
    },
  };
  try {
    const body = JSON.stringify(await handler(JSON.parse(payload), context)) ?? 'null';
    return Buffer.byteLength(body) > MAX_ANSWER ? TOO_LARGE : { payload: body };
  } catch (error) {
    return failed(errorOf(error));
  }
}

const digest = (text: string, digits: number): string => createHash('sha512').update(text).digest('hex').slice(0, digits);

function wake(id: number): void {
  sleepers.get(id)?.();
  sleepers.delete(id);
}

/** What a thread may have open and still be at rest: it waits for others. All else is work of its own, such as reading a file. */
const WAITING = new Set(['MessagePort', 'TCPSocketWrap', 'TCPServerWrap', 'Timeout', 'CloseReq']);
const ROUNDS = 3;

/** Answers whether all code here has come to rest: the event loop went around a few times, and nothing is read or computed. */
async function rest(id: number): Promise<void> {
  const before = [counted.begun, counted.ended, sleeps].join();
  for (let round = 0; round < ROUNDS; round++) await new Promise((next) => setImmediate(next));
  const quiet = before === [counted.begun, counted.ended, sleeps].join();
  tell({ rests: { id, idle: quiet && process.getActiveResourcesInfo().every((kind) => WAITING.has(kind)), ...counted } });
}
