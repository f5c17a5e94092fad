import { acrossAccounts } from '../aws/across-accounts.ts';
import { parseArn } from '../aws/arn.ts';
import { systemClock } from '../aws/clock.ts';
import { sdkTransport } from '../aws/sdk-transport.ts';
import type { Transport } from '../aws/transport.ts';
import type { Configuration } from '../configuration/schema.ts';
import type { Place } from '../domain.ts';
import { functionName, roleArn, roleOfGuest } from '../vault/layout.ts';
import { type Context, handlerOf } from './lambda.ts';
import type { AnyStep, Request } from './step.ts';

/** What lies beside a deployed function's code as JSON. */
export interface Beside {
  readonly configuration: Configuration;
  readonly code: string;
}

/** Lambda's context, which also says where the function is: its account stands nowhere else. */
export interface DeployedContext extends Context {
  readonly invokedFunctionArn: string;
}

/**
 * A step as Lambda calls it, with nothing from environment variables. A line is written as it is, one JSON object: `console.log` would put
 * words before it, and metric filters could not read it (Lambda guide, "Log and monitor Node.js Lambda functions").
 */
export function deployed(step: AnyStep, { configuration, code }: Beside) {
  let transport: Transport | undefined; // made by the first invocation, kept with its connections for the next
  const log = (line: object): void => {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  return (event: Request, context: DeployedContext): Promise<unknown> => {
    const { account, region } = parseArn(context.invokedFunctionArn);
    const place = { account, region };
    transport ??= reachOf(step, place, context);
    return handlerOf(step, { place, configuration, transport, code, log })(event, context);
  };
}

/** As the function's own role; in an application's home of another account, as the role there that lets this step in. */
const reachOf = ({ name }: AnyStep, here: Place, { clock = systemClock }: Context): Transport =>
  acrossAccounts(sdkTransport(), {
    here,
    roleAt: (home) => roleArn(roleOfGuest(name, here), home),
    sessionName: functionName(name),
    as: ({ keys }) => sdkTransport({ credentials: () => keys }),
    clock,
  });
