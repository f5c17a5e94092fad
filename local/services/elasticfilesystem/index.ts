import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { fileSystems, tagging } from './file-systems.ts';
import { accessPoints, mountTargets } from './mounting.ts';
import { EfsState } from './state.ts';

/** Amazon EFS: file systems with their files, access points and mount targets. Replication is not modelled. */
export const service = defineService<EfsState>({
  name: 'elasticfilesystem',
  sdk: () => import('@aws-sdk/client-efs'),
  client: 'EFSClient',
  scope: 'region',
  state: (context) => new EfsState(context),
  authorization,
  operations: { ...fileSystems, ...tagging, ...accessPoints, ...mountTargets },
});
