import type { Cluster } from './cluster.ts';
import type { JsonObject } from './json.ts';
import { plain } from './json.ts';
import { Problem } from './problem.ts';
import { selects } from './select.ts';
import { builtIn, type ResourceType } from './types.ts';

const CONFIGURATIONS = [
  builtIn('admissionregistration.k8s.io/mutatingwebhookconfigurations'),
  builtIn('admissionregistration.k8s.io/validatingwebhookconfigurations'),
];
const ENDPOINTS = builtIn('endpoints');
const NAMESPACES = builtIn('namespaces');

interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly clientConfig?: { readonly service?: { readonly namespace: string; readonly name: string } };
  readonly rules?: readonly Rule[];
  readonly namespaceSelector?: object;
  readonly objectSelector?: object;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly operations?: readonly string[];
}

/**
 * A webhook in the cluster whose Service has no Pod that is ready refuses everything that it would have to judge, unless it may fail
 * (Kubernetes, "Dynamic Admission Control", "Failure policy"). One that answers lets everything pass as it is: what it would say is not
 * modelled, and neither are webhooks outside the cluster.
 */
export function askWebhooks(cluster: Cluster, type: ResourceType, operation: 'CREATE' | 'UPDATE', object: JsonObject): void {
  if (CONFIGURATIONS.includes(type)) return;
  for (const configuration of CONFIGURATIONS) {
    for (const { view } of cluster.all(configuration)) {
      for (const webhook of (view.webhooks ?? []) as Webhook[]) {
        const service = webhook.clientConfig?.service;
        if (!service || webhook.failurePolicy === 'Ignore' || !concerns(cluster, webhook, type, operation, object)) continue;
        if (!answers(cluster, service)) throw unreachable(webhook.name, service);
      }
    }
  }
}

const unreachable = (name: string, service: { namespace: string; name: string }): Problem => {
  const url = `https://${service.name}.${service.namespace}.svc:443`;
  const why = `failed to call webhook: Post "${url}": no endpoints available for service "${service.name}"`;
  return new Problem(500, 'InternalError', `Internal error occurred: failed calling webhook "${name}": ${why}`);
};

const answers = (cluster: Cluster, { namespace, name }: { namespace: string; name: string }): boolean =>
  (cluster.find(ENDPOINTS, namespace, name)?.view.subsets ?? []).some(
    ({ addresses = [] }: { addresses?: unknown[] }) => addresses.length > 0,
  );

function concerns(cluster: Cluster, webhook: Webhook, type: ResourceType, operation: string, object: JsonObject): boolean {
  const names = (list: readonly string[] = [], value: string): boolean => list.includes('*') || list.includes(value);
  const isRuled = (webhook.rules ?? []).some(
    (rule) =>
      names(rule.apiGroups, type.group) &&
      names(rule.apiVersions, type.version) &&
      (names(rule.resources, type.resource) || rule.resources?.includes('*/*')) &&
      names(rule.operations, operation),
  );
  if (!isRuled) return false;
  const { labels, namespace, name } = plain(object).metadata;
  if (webhook.objectSelector && !selects(webhook.objectSelector, labels)) return false;
  const home = type === NAMESPACES ? name : namespace;
  if (!webhook.namespaceSelector || home === undefined) return true;
  const its = type === NAMESPACES ? labels : cluster.find(NAMESPACES, undefined, home)?.view.metadata.labels;
  return selects(webhook.namespaceSelector, its);
}
