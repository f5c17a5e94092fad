import type { Place } from '../domain.ts';
import type { Call } from './call.ts';

/** How a declared call reaches AWS, and how a plain request reaches a cluster or a presigned address. There are two: real SDK clients, and the local AWS's direct dispatch. */
export interface Transport {
  /** Resolves with AWS's answer; rejects with AWS's error, its `name` as the SDK gives it. `date` is the answer's `Date` header. */
  send(request: { readonly call: Call; readonly place: Place; readonly input: object }): Promise<{ output: any; date?: Date }>;
  /** One HTTP request to a cluster's API server, or to a presigned address that AWS answered. Rejects only when no answer came. */
  fetch(request: HttpRequest): Promise<HttpResponse>;
  /** A bearer token for an EKS cluster: a presigned `sts:GetCallerIdentity` that names the cluster, good for 14 minutes. */
  clusterToken(cluster: string, place: Place): Promise<string>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** PEM of the authority that signed the server's certificate, where it is not a public one. */
  readonly authority?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
