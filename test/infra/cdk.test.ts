import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The genuine `cdk` CLI, without a network and without an account. */
const folder = () => mkdtempSync(join(tmpdir(), 'stillpoint-cli-'));

const cdk = (args: readonly string[]): Promise<{ code: number; said: string }> =>
  new Promise((resolve) => {
    const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9', AWS_EC2_METADATA_DISABLED: 'true' };
    const { AWS_PROFILE: _, AWS_ACCESS_KEY_ID: __, ...rest } = process.env;
    execFile('npx', ['--no-install', 'cdk', ...args], { env: { ...rest, ...nowhere, CI: 'true' } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
    );
  });

describe('cdk synth', () => {
  test('works offline, with every rule held', async () => {
    const output = folder();
    const { code, said } = await cdk(['synth', '--quiet', '--output', output]);
    expect(said).not.toMatch(/ERROR/);
    expect(code, said).toBe(0);
    const templates = readdirSync(output).filter((name) => name.endsWith('.template.json'));
    expect(templates.sort()).toEqual([
      'stillpoint-home-us-east-1-111122223333.template.json',
      'stillpoint-vault-eu-west-1-111122223333.template.json',
    ]);
    for (const name of templates) expect(readFileSync(join(output, name), 'utf8')).not.toMatch(/"Type": "Custom::/);
  }, 240_000);

  test('refuses a malformed configuration with the line and the fix, every mistake at once', async () => {
    const file = join(folder(), 'stillpoint.yaml');
    const good = readFileSync('stillpoint.yaml', 'utf8');
    writeFileSync(file, good.replace(/rpo: \w+/, 'rpo: 90 minutes').replace('region: us-east-1', 'regoin: us-east-1'));
    const { code, said } = await cdk(['synth', '--quiet', '-c', `configuration=${file}`, '--output', folder()]);
    expect(code).toBe(1);
    expect(said).toMatch(
      /stillpoint\.yaml:\d+: applications\.shop\.regoin is not a key that is known here; did you mean region\?/,
    );
    expect(said).toMatch(/stillpoint\.yaml:\d+: policies\.hourly\.rpo is "90 minutes" and must be a duration: .*such as 5s, 90m/);
    expect(said).not.toMatch(/\n\s+at /);
  }, 120_000);
});
