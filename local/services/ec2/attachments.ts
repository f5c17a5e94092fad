import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { refuseUnusable } from './encryption.ts';
import type { Attachment, Volume } from './records.ts';
import type { Ec2State } from './state.ts';
import { describeAttachment } from './volumes.ts';

/** Seconds until a volume is attached or detached: AWS promises nothing, the seed decides. */
const CHANGING = [1, 5] as const;
/** EBS guide, "Multi-Attach": instances per volume. */
const MOST_INSTANCES = 16;
const CAN_ATTACH: readonly (SDK.InstanceStateName | undefined)[] = ['running', 'stopped', 'stopping'];

const answerOf = (volume: Volume, attachment: Attachment): SDK.VolumeAttachment =>
  describeAttachment(volume)[volume.attachments.indexOf(attachment)] as SDK.VolumeAttachment;

/**
 * The host is gone. What it had cached and not written back is lost, and the seed decides which pages those are: a volume that is detached
 * while it is mounted may be damaged (EBS guide, "Detach a volume"). Hosts that share a volume share one cache here.
 */
export function release(volume: Volume, instance: string, { world }: Pick<Context<Ec2State>, 'world'>): void {
  volume.attachments = volume.attachments.filter((one) => one.instance !== instance);
  if (volume.attachments.length > 0) return;
  volume.disk = volume.disk.leave(`${volume.id} was detached from ${instance}.`, () => world.random.chance(0.5));
  volume.state = 'available';
}

export const attachments = operations<typeof SDK, Ec2State>()({
  AttachVolume({ VolumeId, InstanceId, Device }, context) {
    const { state, now, after } = context;
    const volume = state.volume(VolumeId);
    const instance = state.instance(InstanceId);
    const device = Device ?? refuse('MissingParameter', 'The request must contain the parameter device');
    refuseAttaching(volume, instance.id);
    if (!CAN_ATTACH.includes(instance.state)) refuse('IncorrectState', `Instance '${instance.id}' is not 'running'.`);
    if (volume.zone !== instance.zone)
      refuse(
        'InvalidVolume.ZoneMismatch',
        `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
      );
    // The data key is decrypted at attachment; later the host needs KMS no more (EBS guide, "How unusable KMS keys affect data keys").
    refuseUnusable(volume.key, context);
    const attachment: Attachment = { instance: instance.id, device, at: now(), deleteOnTermination: false, state: 'attaching' };
    volume.attachments.push(attachment);
    volume.state = 'in-use';
    after(CHANGING, () => {
      if (attachment.state === 'attaching') attachment.state = 'attached';
    });
    return answerOf(volume, attachment);
  },

  DetachVolume({ VolumeId, InstanceId }, context) {
    const { state, after } = context;
    const volume = state.volume(VolumeId);
    if (volume.attachments.length === 0) refuse('IncorrectState', `Volume '${volume.id}' is in the 'available' state.`);
    if (volume.attachments.length > 1 && !InstanceId)
      refuse('MissingParameter', `Volume '${volume.id}' is attached to several instances; name one.`);
    const attachment =
      volume.attachments.find(({ instance }) => !InstanceId || instance === InstanceId) ??
      refuse('InvalidAttachment.NotFound', `Volume '${volume.id}' is not attached to instance '${InstanceId}'.`);
    if (state.instances.get(attachment.instance)?.rootDevice === attachment.device && isUp(state, attachment))
      refuse('OperationNotPermitted', `Unable to detach root volume '${volume.id}' from instance '${attachment.instance}'`);
    attachment.state = 'detaching';
    after(CHANGING, () => {
      if (volume.attachments.includes(attachment)) release(volume, attachment.instance, context);
    });
    return answerOf(volume, attachment);
  },
});

const isUp = (state: Ec2State, { instance }: Attachment): boolean =>
  ['pending', 'running'].includes(state.instances.get(instance)?.state ?? '');

function refuseAttaching(volume: Volume, instance: string): void {
  const { id, state, multiAttach, attachments } = volume;
  if (attachments.some((one) => one.instance === instance) || (attachments.length > 0 && !multiAttach))
    refuse('VolumeInUse', `${id} is already attached to an instance`);
  if (attachments.length >= MOST_INSTANCES)
    refuse('AttachmentLimitExceeded', `${id} is attached to ${MOST_INSTANCES} instances.`);
  if (state !== 'available' && state !== 'in-use') refuse('IncorrectState', `Volume '${id}' is in the '${state}' state.`);
}
