import { verb } from '../../../aws/verb.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deletingPoints, expirePoints, listingPoints, strayPoints } from '../aws-backup.ts';
import { KIND, TYPE } from './file-system.ts';

export const strays = verb(
  listingPoints,
  (aws, { application }: StraysScope): Promise<Stray[]> => strayPoints(aws, KIND, TYPE, application),
);

export const expire = verb(deletingPoints, (aws, works: readonly Expiry[]): Promise<Expired[]> => expirePoints(aws, works));
