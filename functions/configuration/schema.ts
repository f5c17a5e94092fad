import type { Application, Policy, Vault } from '../domain.ts';

/** `stillpoint.yaml`, read and resolved. */
export interface Configuration {
  readonly applications: Readonly<Record<string, Application>>;
  readonly policies: Readonly<Record<string, Policy>>;
  readonly vaults: Readonly<Record<string, Vault>>;
}
