import type { Stored } from '../store.ts';

interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly ephemeral?: { readonly volumeClaimTemplate: object };
}

export const volumesOf = ({ view }: Stored): readonly Volume[] => view.spec.volumes ?? [];

/** The claims that a Pod mounts; a generic ephemeral volume's is named after both (Kubernetes, "Ephemeral Volumes"). */
export const claimsOf = (pod: Stored): string[] =>
  volumesOf(pod).flatMap((volume) => {
    if (volume.ephemeral) return [`${pod.view.metadata.name}-${volume.name}`];
    return volume.persistentVolumeClaim ? [volume.persistentVolumeClaim.claimName] : [];
  });
