import type { Application, Policy, Vault } from '../domain.ts';
import type { Written } from './checks.ts';
import type { Configuration, WrittenApplication, WrittenPolicy, WrittenVault } from './schema.ts';

/** What was written becomes the words of the domain; nothing is checked here. */
export const resolve = ({ applications, policies, vaults }: Written): Configuration => ({
  applications: each(applications, application),
  policies: each(policies, policy),
  vaults: each(vaults, vault),
});

const each = <From, To>(entries: Readonly<Record<string, From>>, to: (name: string, one: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(entries).map(([name, one]) => [name, to(name, one)]));

const application = (name: string, { account, region, cluster, freeze, network, ...rest }: WrittenApplication): Application => ({
  name,
  home: { account, region },
  ...(cluster === undefined ? {} : { cluster }),
  ...(freeze === undefined ? {} : { freeze }),
  ...(network === undefined ? {} : { network }),
  ...rest,
});

function policy(
  name: string,
  { maxSkew, rpo, rto, schedule, window, on, onRegionLoss, keep, materialise, snapshot, export: exports, ...rest }: WrittenPolicy,
): Policy {
  const every = materialise ?? snapshot;
  return {
    name,
    ...rest,
    ...(schedule === undefined ? {} : { schedule }),
    ...(window === undefined ? {} : { windowSeconds: window }),
    on: on.map((event) => (typeof event === 'string' ? event : `custom:${JSON.stringify(event.custom.pattern)}`)),
    keep: Object.fromEntries(Object.entries(keep).filter(([, count]) => count !== undefined)),
    ...(every === undefined ? {} : { outlast: { by: materialise ? 'materialise' : 'snapshot', every } }),
    ...(exports ? { exports } : {}),
    ...(maxSkew === undefined ? {} : { maxSkewSeconds: maxSkew }),
    ...(rpo === undefined ? {} : { rpoSeconds: rpo }),
    ...(rto === undefined ? {} : { rtoSeconds: rto }),
    ...(onRegionLoss === undefined ? {} : { onRegionLoss }),
  };
}

const vault = (name: string, { account, region, lock, network, target: { cluster, ...target } }: WrittenVault): Vault => ({
  name,
  place: { account, region },
  ...(lock === undefined ? {} : { lock }),
  ...(network === undefined ? {} : { network }),
  target: { place: { account, region }, ...(cluster === undefined ? {} : { cluster }), ...target },
});
