import { defineService } from '../../world/service.ts';
import { instances } from './instances.ts';
import { places } from './places.ts';
import { snapshots } from './snapshots.ts';
import { Ec2State } from './state.ts';
import { volumes } from './volumes.ts';

export const service = defineService<Ec2State>({
  name: 'ec2',
  sdk: () => import('@aws-sdk/client-ec2'),
  client: 'EC2Client',
  scope: 'region',
  state: (context) => new Ec2State(context),
  operations: { ...volumes, ...snapshots, ...instances, ...places },
});
