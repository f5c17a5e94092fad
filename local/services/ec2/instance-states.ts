import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { asked, paged, passes } from './filters.ts';
import { CHANGING, stateOf } from './instances.ts';
import type { Instance, Volume } from './records.ts';
import type { Ec2State } from './state.ts';

/** From which state a change goes, through which, to which; who has gone, or is going, there already is left alone. */
interface Change {
  readonly from: SDK.InstanceStateName;
  readonly through: SDK.InstanceStateName;
  readonly to: SDK.InstanceStateName;
}

const STOP: Change = { from: 'running', through: 'stopping', to: 'stopped' };
const START: Change = { from: 'stopped', through: 'pending', to: 'running' };

function change(
  ids: readonly string[],
  { from, through, to }: Change,
  arrived: (instance: Instance) => void,
  context: Context<Ec2State>,
) {
  const found = ids.map((id) => context.state.instance(id));
  for (const { id, state } of found) {
    if (![from, through, to].includes(state))
      refuse('IncorrectInstanceState', `The instance '${id}' is ${state}, and cannot become ${to} from there.`);
  }
  return found.map((instance): SDK.InstanceStateChange => {
    const PreviousState = stateOf(instance);
    if (instance.state === from) {
      instance.state = through;
      context.after(CHANGING, () => {
        if (instance.state !== through) return;
        instance.state = to;
        arrived(instance);
      });
    }
    return { InstanceId: instance.id, PreviousState, CurrentState: stateOf(instance) };
  });
}

/** The host's cache ends with it: written back by an operating system that shuts down, lost page by page where it was forced to. */
function powerOff(volume: Volume, instance: string, forced: boolean, { world }: Context<Ec2State>): void {
  volume.disk = volume.disk.leave(`${instance} was stopped.`, () => !forced || world.random.chance(0.5));
}

export const instanceStates = operations<typeof SDK, Ec2State>()({
  /** What is attached stays attached (EC2 guide, "Stop and start instances"). */
  StopInstances({ InstanceIds = [], Force = false }, context) {
    const halt = ({ id }: Instance) => {
      for (const volume of context.state.attachedTo(id)) powerOff(volume, id, Force, context);
    };
    return { StoppingInstances: change(InstanceIds, STOP, halt, context) };
  },

  StartInstances({ InstanceIds = [] }, context) {
    return { StartingInstances: change(InstanceIds, START, () => undefined, context) };
  },

  /** Only of what runs, unless all are asked for (EC2 API, DescribeInstanceStatus). */
  DescribeInstanceStatus({ InstanceIds, IncludeAllInstances = false, Filters, ...paging }, { state }) {
    const matching = asked(InstanceIds, state.instances.values(), (id) => state.instance(id)).filter(
      (instance) =>
        (IncludeAllInstances || instance.state === 'running') &&
        passes(Filters, { 'instance-state-name': instance.state, 'availability-zone': instance.zone }),
    );
    const { page, ...next } = paged(matching, paging, InstanceIds !== undefined && InstanceIds.length > 0);
    return {
      InstanceStatuses: page.map((instance) => {
        const Status = instance.state === 'running' ? ('ok' as const) : ('not-applicable' as const);
        return {
          InstanceId: instance.id,
          AvailabilityZone: instance.zone,
          InstanceState: stateOf(instance),
          InstanceStatus: { Status },
          SystemStatus: { Status },
        };
      }),
      ...next,
    };
  },
});
