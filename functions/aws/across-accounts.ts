import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Place } from '../domain.ts';
import { calls } from './call.ts';
import type { Clock } from './clock.ts';
import type { Keys } from './sdk-transport.ts';
import type { Transport } from './transport.ts';

const assumeRole = calls('sts', STSClient).again(AssumeRoleCommand);

/** A session of a role in another account. */
export interface Session {
  /** `arn:aws:sts::…:assumed-role/<role>/<session>`. */
  readonly arn: string;
  readonly keys: Keys;
}

interface Across {
  /** Where we are; what lies in this account is reached as ourselves. */
  readonly here: Place;
  /** The ARN of the role at a place of another account that lets us in. */
  readonly roleAt: (place: Place) => string;
  /** By what the other account's trail shall know us: 2 to 64 characters of `[\w+=,.@-]`. */
  readonly sessionName: string;
  /** How AWS is reached in a session. */
  readonly as: (session: Session) => Transport;
  readonly clock: Pick<Clock, 'now'>;
}

/** A session is asked for anew before it ends, so that no call begins with keys that end on the way. */
const BEFORE_MILLIS = 5 * 60_000;

/**
 * Reaches places of other accounts in sessions of the roles there that trust us (STS API, AssumeRole); everything else as `own` does. A role
 * that does not let us in fails the call with AWS's own words.
 */
export function acrossAccounts(own: Transport, { here, roleAt, sessionName, as, clock }: Across): Transport {
  const sessions = new Map<string, Promise<{ transport: Transport; until: number }>>();
  const begin = async (RoleArn: string) => {
    const { output } = await own.send({ call: assumeRole, place: here, input: { RoleArn, RoleSessionName: sessionName } });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = output.Credentials;
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    return { transport: as({ arn: output.AssumedRoleUser.Arn, keys }), until: Expiration.getTime() - BEFORE_MILLIS };
  };
  async function reach(place: Place): Promise<Transport> {
    if (place.account === here.account) return own;
    const role = roleAt(place);
    const known = sessions.get(role);
    const session = await known?.catch(() => undefined); // what was refused is asked again: a role may have come
    if (session && clock.now() < session.until) return session.transport;
    if (sessions.get(role) === known) sessions.set(role, begin(role)); // unless another call of ours began one in the meantime
    return (await sessions.get(role)!).transport;
  }
  return {
    ...own,
    send: async (request) => (await reach(request.place)).send(request),
    clusterToken: async (cluster, place) => (await reach(place)).clusterToken(cluster, place),
  };
}
