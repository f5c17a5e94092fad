import { Validations } from 'aws-cdk-lib';
import { describe, expect, test, vi } from 'vitest';
import { ACKNOWLEDGED, acknowledge } from '../../infra/acknowledgements.ts';
import { packsFor } from '../../infra/stacks.ts';
import { synthesised, THREE_VAULTS } from './synthesised.ts';

/** cdk-nag with AwsSolutions, NIST 800-53 R5 and Serverless over every stack. */
describe('cdk-nag', () => {
  test('finds nothing that is not acknowledged with a reason, and no acknowledgement answers nothing', async () => {
    const { app } = await synthesised(THREE_VAULTS, false);
    const packs = packsFor(app);
    const findings = () => packs.flatMap((pack) => pack.validateScope(app).violations.map(({ ruleName }) => ruleName));
    const before = findings();
    acknowledge(app, packs);
    expect(findings()).toEqual([]);
    expect(ACKNOWLEDGED.filter(({ rule }) => !before.some((name) => rule.test(name)))).toEqual([]);
    for (const { reason } of ACKNOWLEDGED) expect(reason.length).toBeGreaterThan(30);
  });

  test('fails the synthesis where a finding is not acknowledged', async () => {
    const { app } = await synthesised(THREE_VAULTS, false);
    const packs = packsFor(app);
    const about = /LambdaTracing/;
    acknowledge(
      app,
      packs,
      ACKNOWLEDGED.filter(({ rule }) => !about.test(rule.source)),
    );
    const left = packs.flatMap((pack) => pack.validateScope(app).violations.map(({ ruleName }) => ruleName));
    expect(left).toEqual(['Serverless-LambdaTracing']);
    Validations.of(app).addPlugins(...packs);
    const said = vi.spyOn(console, 'error').mockImplementation(() => {}); // the report, which is long
    expect(() => app.synth()).toThrow();
    said.mockRestore();
  });
});
