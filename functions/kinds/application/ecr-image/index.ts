import { kind } from '../../kind.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { KIND } from './image.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What ECR promises: an image is what its digest says, for ever, and is kept until somebody, or a lifecycle rule, deletes it (ECR guide, "Private
 * images"). Images that bear a tag are no prey of rules for untagged ones, and are deleted with their last tag. So a point needs no copy at home,
 * only a tag on each image that ran.
 */
export default kind({
  name: KIND,
  layer: 'application',
  cut: 'exact',
  usual: { sealMinutes: 1, copyMinutes: 5 },
  quotas: [],
  loses: [
    'Images that nothing ran at the cut, and tags but those that workloads name.',
    'Images of other registries: those of other accounts and regions, and public ones. The point names them and holds nothing of them.',
    'What is attached to images: signatures, attestations, scan findings.',
    'The repository’s own lifecycle policy and permissions: where a copy makes the repository, it has none.',
    'A lock: a registry has none, so whoever may delete images in a locked vault’s account can delete these.',
  ],
  discover,
  capture,
  copy,
  restore,
  preview,
  strays,
  expire,
});
