import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { calls } from '../../aws/call.ts';
import { Transient } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { pointId } from '../../domain.ts';
import { EVENT_SOURCE, SEALED_EVENT } from '../../vault/layout.ts';
import { type Stage, step } from '../step.ts';
import { carriedOn } from './capture.ts';
import type { SealedPoint } from './seal.ts';

const { again } = calls('events', EventBridgeClient);

/** Told twice is told once: a vault that has the point already stops quietly. */
export const tell = verb(
  { put: again(PutEventsCommand) },
  async (aws, { type, detail }: { type: string; detail: object }): Promise<void> => {
    const { FailedEntryCount, Entries } = await aws.put({
      Entries: [{ Source: EVENT_SOURCE, DetailType: type, Detail: JSON.stringify(detail) }],
    });
    if (FailedEntryCount)
      throw new Transient(`The event "${type}" was not taken: ${Entries?.[0]?.ErrorCode} ${Entries?.[0]?.ErrorMessage}`);
  },
);

/** Tells the world, and above all the vaults, that there is a new sealed point. If this is lost, each vault's reconcile finds the point by itself. */
export const announce = step({
  name: 'protect-announce',
  duty: 'seal',
  uses: { tell },
  limits: { seconds: 30, memoryMb: 256 },
  run: async ({ tell }, point: SealedPoint, { home }: Stage): Promise<SealedPoint> => {
    const { application, slot, attempt, digest, consistency, skewSeconds } = point;
    await tell({
      type: SEALED_EVENT,
      detail: { application, slot, attempt, restorePoint: pointId(point), digest, consistency, skewSeconds, home },
    });
    return { ...carriedOn(point), digest, consistency, skewSeconds };
  },
});
