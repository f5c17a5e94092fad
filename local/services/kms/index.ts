import { defineService, type Operation, refuse } from '../../world/service.ts';
import { aliases } from './aliases.ts';
import { authorization } from './authorization.ts';
import { cryptography } from './cryptography.ts';
import { grants } from './grants.ts';
import { keys } from './keys.ts';
import { signing } from './signing.ts';
import { KmsState } from './state.ts';

const operations = { ...keys, ...aliases, ...grants, ...cryptography, ...signing };

type AnyOperation = Operation<any, any, KmsState>;

/** A dry run fails where the request would have succeeded, and does nothing (KMS guide, "Testing your permissions"). */
const withDryRun =
  (run: AnyOperation): AnyOperation =>
  (input, context) =>
    input.DryRun
      ? refuse('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.')
      : run(input, context);

export const service = defineService<KmsState>({
  name: 'kms',
  sdk: () => import('@aws-sdk/client-kms'),
  client: 'KMSClient',
  scope: 'region',
  state: (context) => new KmsState(context),
  operations: Object.fromEntries(Object.entries<AnyOperation>(operations).map(([name, run]) => [name, withDryRun(run)])),
  authorization,
});
