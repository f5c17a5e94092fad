import type { AnyCheck, ApplicationSubject, PlaceSubject } from './check.ts';
import { deployed } from './deployed.ts';
import { keys } from './keys.ts';
import { members } from './members.ts';
import { quotas, rpo } from './promises.ts';
import { schedules } from './schedules.ts';
import { stores } from './stores.ts';
import { targets } from './targets.ts';

/** The registry: what is looked at in each place, and of each application. */
export const placeChecks: readonly AnyCheck<PlaceSubject>[] = [deployed, stores, keys, quotas];
export const applicationChecks: readonly AnyCheck<ApplicationSubject>[] = [members, schedules, targets, rpo];
