import { remove } from '../deletion.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, look, own } from './controller.ts';

const SECRETS = builtIn('secrets');
const ACCOUNTS = builtIn('serviceaccounts');
const TOKEN = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Fills in the tokens that Secrets ask for, and deletes those of accounts that are not there (Kubernetes, "Managing Service Accounts", "Token controller"). */
export const tokens = (): Controller => ({
  name: 'tokens',
  *concerns(cluster, change) {
    if (change.type === SECRETS && change.after?.view.type === TOKEN) yield* own(SECRETS)(change);
    if (change.type !== ACCOUNTS) return;
    const { name, namespace } = (change.after ?? change.before)!.view.metadata;
    for (const { view } of cluster.all(SECRETS, namespace)) {
      if (view.type === TOKEN && view.metadata.annotations?.[ACCOUNT_NAME] === name) yield `${namespace}/${view.metadata.name}`;
    }
  },
  reconcile(cluster, key) {
    const secret = look(cluster, SECRETS, key);
    if (secret?.view.type !== TOKEN) return;
    const { namespace, annotations = {} } = secret.view.metadata;
    const account = cluster.find(ACCOUNTS, namespace, annotations[ACCOUNT_NAME] ?? '');
    const uid = annotations[ACCOUNT_UID];
    if (!account || (uid !== undefined && uid !== account.view.metadata.uid)) return void remove(cluster, SECRETS, secret);
    const value = (text: string) => Buffer.from(text).toString('base64');
    const data = secret.view.data ?? {};
    amend(cluster, SECRETS, secret, [
      [['metadata', 'annotations', ACCOUNT_UID], account.view.metadata.uid],
      [['data', 'token'], data.token ?? value(`simulated.${cluster.random.hex(32)}`)],
      [['data', 'ca.crt'], value(cluster.authority)],
      [['data', 'namespace'], value(namespace)],
    ]);
  },
});
