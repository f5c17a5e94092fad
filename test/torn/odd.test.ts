import { noTornRestore } from './no-torn-restore.ts';

noTornRestore('odd');
