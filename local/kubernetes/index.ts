import type { World } from '../world/world.ts';

export interface KubernetesRequest {
  readonly method: string;
  /** Path and query, from `/_eks/` on. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface KubernetesResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Answers one request to the API server of a cluster. Rejects with ConnectionLost where the region is dark. */
export async function serveKubernetes(_world: World, _request: KubernetesRequest): Promise<KubernetesResponse> {
  return { status: 501, headers: {}, body: new Uint8Array() };
}
