import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { buses } from './buses.ts';
import { put } from './put.ts';
import { rules } from './rules.ts';
import { EventsState } from './state.ts';
import { targets } from './targets.ts';

/** EventBridge: buses, rules with patterns or schedules, and deliveries that are made at least once. Resource policies are not modelled. */
export const service = defineService<EventsState>({
  name: 'events',
  sdk: () => import('@aws-sdk/client-eventbridge'),
  client: 'EventBridgeClient',
  scope: 'region',
  state: (context) => new EventsState(context),
  authorization,
  operations: { ...buses, ...rules, ...targets, ...put },
});
