import { acrossAccounts, type Session } from '../aws/across-accounts.ts';
import { parseArn } from '../aws/arn.ts';
import { type Clock, systemClock } from '../aws/clock.ts';
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
    transport ??= reaching(
      step.name,
      place,
      sdkTransport(),
      ({ keys }) => sdkTransport({ credentials: () => keys }),
      context.clock,
    );
    return handlerOf(step, { place, configuration, transport, code, log })(event, context);
  };
}

/** How a step's function reaches AWS: by its own role; an application's home in another account by the role there that lets this step in. */
export const reaching = (
  step: string,
  here: Place,
  own: Transport,
  as: (session: Session) => Transport,
  clock: Pick<Clock, 'now'> = systemClock,
): Transport =>
  acrossAccounts(own, {
    here,
    roleAt: (home) => roleArn(roleOfGuest(step, here), home),
    sessionName: functionName(step),
    as,
    clock,
  });
