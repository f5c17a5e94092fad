import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Place } from '../domain.ts';
import { type Call, calls } from './call.ts';
import { type Clock, systemClock } from './clock.ts';
import { clusterToken } from './cluster-token.ts';
import { Permanent } from './errors.ts';
import { fetchOverHttp } from './http.ts';
import type { Transport } from './transport.ts';

/** What signs a request. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SdkOptions {
  /** Where every service answers, for an AWS that is not AWS; `AWS_ENDPOINT_URL` of the environment unless given. */
  readonly endpoint?: string;
  /** What carries the SDK's requests; its own HTTP client unless given. */
  readonly requestHandler?: object;
  /** What carries requests to clusters; HTTP unless given. */
  readonly fetch?: Transport['fetch'];
  /** Keys of each place's account. Without it the SDK's own chain finds keys, which are good for their one account only. */
  readonly credentials?: (place: Place) => Keys;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** The transport to AWS: one real SDK client per service, place and kind of call. AWS's errors pass unchanged. */
export function sdkTransport(options: SdkOptions = {}): Transport {
  const clientFor = clientsOf(options);
  const { credentials, fetch = fetchOverHttp, clock = systemClock } = options;
  const admit = credentials ? async () => {} : ownAccountOnly(clientFor);
  return {
    async send({ call, place, input }) {
      await admit(place);
      return await answerOf(clientFor(call, place), new call.command(input));
    },
    fetch,
    async clusterToken(cluster, place) {
      await admit(place);
      return await clusterToken(cluster, place, (clientFor(identity, place) as STSClient).config, new Date(clock.now()));
    },
  };
}

const identity = calls('sts', STSClient).read(GetCallerIdentityCommand);

type SdkClient = InstanceType<Call['client']>;
type ClientFor = (call: Call, place: Place) => SdkClient;

/** A client is costly to make and keeps its connections, so there is one for each service, place and number of attempts. */
function clientsOf({ credentials, ...options }: SdkOptions): ClientFor {
  const clients = new Map<string, SdkClient>();
  return ({ service, client: Client, repeat }, place) => {
    const maxAttempts = repeat === 'once' ? 1 : ATTEMPTS;
    const key = [service, place.account, place.region, maxAttempts].join('/');
    let client = clients.get(key);
    if (!client) {
      const keys = credentials ? { credentials: credentials(place) } : {};
      client = new Client({ ...configurationOf(options, service), ...keys, region: place.region, maxAttempts });
      clients.set(key, client);
    }
    return client;
  };
}

/** As the SDK does by default; a call that is not repeatable gets one, whatever goes wrong. */
const ATTEMPTS = 3;

function configurationOf({ endpoint, requestHandler, environment = process.env }: SdkOptions, service: string): object {
  const url = endpoint ?? environment['AWS_ENDPOINT_URL'];
  return {
    requestHandler: requestHandler ?? {
      connectionTimeout: 3_000,
      requestTimeout: silenceMillis(service),
      throwOnRequestTimeout: true,
    },
    ...(url ? { endpoint: url } : {}),
    // A local AWS may be at another time than we are. The SDK would take that for our clock's fault and ask again.
    ...(url || requestHandler ? { disableClockSkewCorrection: true } : {}),
    // A bucket in another region is a mistake in a place, which a redirect would hide.
    ...(service === 's3' ? { followRegionRedirects: false, forcePathStyle: Boolean(url || requestHandler) } : {}),
  };
}

/** How long an answer may take before we call it lost: a function may run for 15 minutes (Lambda guide, "Quotas"), other calls answer in seconds. */
const silenceMillis = (service: string): number => (service === 'lambda' ? 905_000 : 65_000);

/** Sends a command, and keeps the `Date` of its answer beside the output. */
async function answerOf(client: SdkClient, command: any): Promise<{ output: any; date?: Date }> {
  let date: Date | undefined;
  const note = (next: (args: object) => Promise<AnswerOfStep>) => async (args: object) => {
    const answer = await next(args);
    date = dateIn(answer.response.headers['date']);
    return answer;
  };
  command.middlewareStack.add(note, { step: 'deserialize', name: 'dateOfAnswer' });
  const output = await client.send(command);
  return { output, ...(date ? { date } : {}) };
}

interface AnswerOfStep {
  readonly response: { readonly headers: Readonly<Record<string, string | undefined>> };
}

function dateIn(header: string | undefined): Date | undefined {
  const date = new Date(header ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A place is in another account than the keys in use are of. Whoever holds keys of both asks twice; our functions go by `acrossAccounts`. */
export class OtherAccount extends Permanent {}

/** Refuses places in other accounts than the one whose keys we hold. */
function ownAccountOnly(clientFor: ClientFor): (place: Place) => Promise<void> {
  let asked: Promise<string> | undefined;
  const ask = async (place: Place): Promise<string> =>
    (await clientFor(identity, place).send(new GetCallerIdentityCommand({}))).Account as string;
  return async (place) => {
    asked ??= ask(place);
    const own = await asked.catch((error: unknown) => {
      asked = undefined; // nobody knows yet, so the next call asks again
      throw error;
    });
    if (own === place.account || place.account === '') return; // no account: whichever the keys are of
    throw new OtherAccount(
      `The keys in use are of account ${own}, and account ${place.account} (${place.region}) cannot be reached with them; ` +
        `run this with keys of account ${place.account}.`,
    );
  };
}
