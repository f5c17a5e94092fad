#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { classify } from '../functions/aws/errors.ts';
import { doctor } from './commands/doctor.ts';
import { init } from './commands/init.ts';
import { local } from './commands/local.ts';
import { points } from './commands/points.ts';
import { protect } from './commands/protect.ts';
import { restore } from './commands/restore.ts';
import { status } from './commands/status.ts';
import { Complaint, EXIT, output } from './output.ts';

const program = new Command('stillpoint')
  .description('App-atomic backup and disaster recovery for AWS, against AWS or the local AWS, as the standard environment says.')
  .showHelpAfterError('(stillpoint --help says what there is)')
  .exitOverride();

const asCommand = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration', 'stillpoint.yaml')
    .option('--json', 'one JSON document on stdout, the story on stderr')
    .exitOverride();

program
  .command('local')
  .description('serve a local AWS on 127.0.0.1, in memory')
  .option('-p, --port <port>', 'the port, 0 for any that is free', '4566')
  .option('--speed <n>', 'virtual seconds per real one; 0 lets time stand', '60')
  .option('--seed <seed>', 'what every delay and choice follows from', '0')
  .option('--application', 'with the sample application living in it, and nothing that protects it')
  .option('--sample', 'with the sample application living in it and Stillpoint deployed')
  .exitOverride()
  .action((options) => local(options));

program
  .command('init')
  .description('write a starter stillpoint.yaml by asking AWS what there is; changes nothing there, and no file that is there')
  .option('-o, --output <file>', 'where to write it', 'stillpoint.yaml')
  .option('--application <name>', 'only this application; with --tag, what it is called')
  .option('--tag <key=value>', 'the application is what bears this tag', keyAndValue)
  .option('--vault-region <region>', 'where copies go; else a region of the same continent')
  .option('--json', 'one JSON document on stdout, the story on stderr')
  .exitOverride()
  .action((options) => init(options, output(options)));

asCommand('status [application]', 'how old the newest restore points are, and whether the RPO is kept').action(
  async (name, options) => {
    if (!(await status(name, options, output(options)))) process.exitCode = EXIT.failed;
  },
);

asCommand('doctor [application]', 'what is wrong with the deployment and with what it protects; changes nothing').action(
  async (name, options) => {
    if (!(await doctor(name, options, output(options)))) process.exitCode = EXIT.failed;
  },
);

asCommand('points [application]', 'the sealed restore points of a vault')
  .option('--vault <name>', 'whose ledger; else the first one that can be read, home first')
  .action((name, options) => points(name, options, output(options)));

asCommand('protect [application]', 'take a restore point now')
  .option('--policy <name>', 'which policy, where the application has several')
  .option('--for <what>', 'the commit or execution that asks; the point records it')
  .addOption(new Option('--wait <what>', 'for what to wait').choices(['sealed', 'cut', 'none']).default('sealed'))
  .option('-y, --yes', 'do not ask before writing to a real account')
  .action((name, options) => protect(name, options, output(options)));

asCommand('restore [application]', 'restore a point, beside whatever is there')
  .option('--point <point>', '<slot>/<attempt> as `points` lists it, or latest', 'latest')
  .option('--vault <name>', 'from which vault; else the first one that can be read, home first')
  .option('--plan', 'show what would happen and what the target lacks; change nothing')
  .option('--name <name>', 'what the restore is called, and what it makes', restoreName)
  .option('--cluster <name>', 'the cluster to restore into, where not the target’s own')
  .option('--namespace <from=to...>', 'restore a namespace into another')
  .option('-y, --yes', 'do not ask before writing to a real account')
  .action((name, options) => restore(name, options, output(options)));

function keyAndValue(text: string): { key: string; value: string } {
  const [, key, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (key && value) return { key, value };
  throw new InvalidArgumentError('write key=value, such as app=shop.');
}

function restoreName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,9}$/.test(text)) return text;
  throw new InvalidArgumentError('up to 10 lower-case letters, digits and hyphens, beginning with a letter.');
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** One sentence on stderr and an exit code; never a stack trace. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // commander has said it already
  const sentence = error instanceof Complaint ? error.message : classify(error).message;
  process.stderr.write(`stillpoint: ${sentence}\n`);
  return error instanceof Complaint ? error.exitCode : EXIT.failed;
}
