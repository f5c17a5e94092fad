import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { parseConfiguration } from '../../functions/configuration/read.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Place } from '../../functions/domain.ts';
import { kinds } from '../../functions/kinds/index.ts';
import { workflows } from '../../functions/workflows/index.ts';
import type { Bundle } from '../../infra/bundle.ts';
import { stacksFor } from '../../infra/stacks.ts';

/** Two homes, three vaults: eu-west-1 is home to one application and a vault to the other, one vault is in an account of its own. */
export const THREE_VAULTS = `
applications:
  shop:
    account: "111122223333"
    region: us-east-1
    cluster: shop
    namespaces: [shop]
    resources: { tags: { app: shop } }
    freeze: { function: shop-freeze, leaseSeconds: 20 }
  books:
    account: "111122223333"
    region: eu-west-1
    resources: { tags: { app: books } }
policies:
  hourly:
    applications: [shop]
    schedule: cron(0 * * * ? *)
    timezone: Europe/Berlin
    on: [codepipeline-started, { custom: { pattern: { source: [shop.release] } } }]
    vaults: [west, north, safe]
    keep: { hourly: 24 }
    rpo: 90m
  nightly:
    applications: [books]
    schedule: rate(1 days)
    vaults: [north]
    keep: { daily: 14 }
    rpo: 3d
vaults:
  west:
    account: "111122223333"
    region: eu-west-1
    lock: { mode: compliance, days: 14 }
    target: { cluster: shop-standby }
  north:
    account: "111122223333"
    region: eu-north-1
    lock: { mode: governance, days: 7 }
  safe:
    account: "444455556666"
    region: eu-central-1
    lock: { mode: compliance, days: 30 }
`;

export const ACCOUNT = '111122223333';
/** The account of the vault that is in none of the homes' own. */
export const SAFE_ACCOUNT = '444455556666';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DeletionPolicy?: string;
}

export interface Template {
  /** Where its stack is deployed. */
  readonly place: Place;
  readonly Resources: Readonly<Record<string, Resource>>;
}

export interface Synthesised {
  readonly app: App;
  readonly configuration: Configuration;
  /** By stack name. */
  readonly templates: Readonly<Record<string, Template>>;
}

/** Synthesises with one line of code in place of every bundle: templates do not depend on what is in them. */
export const synthesised = (text: string, synthesise = true): Promise<Synthesised> =>
  synthesisedOf(parseConfiguration(text, { kinds: Object.keys(kinds) }), synthesise);

/** The same for a configuration that was read, or made. */
export async function synthesisedOf(configuration: Configuration, synthesise = true): Promise<Synthesised> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-infra-'));
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => {};\n');
  const bundles = new Map<string, Bundle>(
    workflows.flatMap(({ steps }) => steps).map(({ name }) => [name, { step: name, folder, bytes: 0, eagerBytes: 0 }]),
  );
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'stillpoint-cdk-')) });
  await stacksFor(app, configuration, bundles);
  const templates = synthesise
    ? Object.fromEntries(
        app
          .synth()
          .stacks.map(({ stackName, environment: { account, region }, template }) => [
            stackName,
            { ...template, place: { account, region } } as Template,
          ]),
      )
    : {};
  return { app, configuration, templates };
}

export const ofType = ({ Resources }: Template, type: string): Record<string, any>[] =>
  Object.values(Resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly stack: string;
  /** Its own, then those beside it. */
  readonly policies?: readonly object[];
  readonly statements: readonly {
    readonly Effect: string;
    readonly Action: readonly string[];
    readonly Resource?: readonly string[];
    readonly NotResource?: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }[];
}

export const rolesOf = (templates: Synthesised['templates']): Role[] =>
  Object.entries(templates).flatMap(([stack, template]) =>
    ofType(template, 'AWS::IAM::Role').map((role) => {
      const beside = (role['ManagedPolicyArns'] ?? []).map(({ Ref }: { Ref: string }) => template.Resources[Ref]!.Properties);
      return {
        name: role['RoleName'] as string,
        arn: `arn:aws:iam::${template.place.account}:role/${role['RoleName']}`,
        stack,
        policies: [...role['Policies'], ...beside].map(({ PolicyDocument }: any) => PolicyDocument),
        statements: [...role['Policies'], ...beside].flatMap(({ PolicyDocument }: any) => PolicyDocument.Statement),
      };
    }),
  );

const like = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text);

/** Whether a role allows an action on a resource, whatever its conditions: they only ever narrow. */
export const allows = ({ statements }: Role, action: string, resource: string): boolean =>
  statements.some(
    ({ Effect, Action, Resource, NotResource }) =>
      Effect === 'Allow' &&
      [Action].flat().some((pattern) => like(pattern, action)) &&
      (NotResource
        ? !NotResource.some((pattern) => like(pattern, resource))
        : Resource!.some((pattern) => like(pattern, resource))),
  );
