import { defineService, type Operation, refuse } from '../../world/service.ts';
import { attachments } from './attachments.ts';
import { authorization } from './authorization.ts';
import { copies } from './copies.ts';
import { encryption } from './encryption.ts';
import { instanceStates } from './instance-states.ts';
import { instances } from './instances.ts';
import { locks } from './locks.ts';
import { modifications } from './modifications.ts';
import { networks } from './networks.ts';
import { regions } from './regions.ts';
import { sharing } from './sharing.ts';
import { snapshots } from './snapshots.ts';
import { Ec2State } from './state.ts';
import { tags } from './tags.ts';
import { volumes } from './volumes.ts';

const operations = {
  ...regions,
  ...volumes,
  ...attachments,
  ...modifications,
  ...encryption,
  ...snapshots,
  ...copies,
  ...locks,
  ...sharing,
  ...instances,
  ...instanceStates,
  ...networks,
  ...tags,
};

type AnyOperation = Operation<any, any, Ec2State>;

/** A dry run answers whether the caller would be allowed, and does nothing (EC2 API, "Common query parameters"). */
const withDryRun =
  (run: AnyOperation): AnyOperation =>
  (input, context) =>
    input.DryRun
      ? refuse('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', { status: 412 })
      : run(input, context);

export const service = defineService<Ec2State>({
  name: 'ec2',
  sdk: () => import('@aws-sdk/client-ec2'),
  client: 'EC2Client',
  scope: 'region',
  state: (context) => new Ec2State(context),
  authorization,
  operations: Object.fromEntries(Object.entries<AnyOperation>(operations).map(([name, run]) => [name, withDryRun(run)])),
});
