import { isDeepStrictEqual } from 'node:util';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { calls } from '../../functions/aws/call.ts';
import { when } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import { inParallel } from '../../functions/kinds/items.ts';
import { functionName, machineArn, machineName } from '../../functions/vault/layout.ts';
import { definitionOf, type Workflow } from '../../functions/workflows/asl.ts';
import { workflows, workflowsIn } from '../../functions/workflows/index.ts';
import { ok, type PlaceSubject, placeCheck, problem, type Said, warning } from './check.ts';

const states = calls('states', SFNClient);
const lambda = calls('lambda', LambdaClient);

interface Machine {
  readonly status: string;
  readonly definition: string;
}

/** A workflow's machine as it is deployed here, if it is. */
export const machineOf = verb(
  { describe: states.read(DescribeStateMachineCommand) },
  (aws, workflow: string, { here }): Promise<Machine | undefined> =>
    aws.describe({ stateMachineArn: machineArn(here, workflow) }).then(
      ({ status = 'ACTIVE', definition = '{}' }) => ({ status, definition }),
      when('StateMachineDoesNotExist', () => undefined),
    ),
);

interface Deployed {
  readonly state: string;
  readonly role: string;
  readonly update: string;
}

/** A function as it is deployed here, if it is. */
export const functionOf = verb(
  { configuration: lambda.read(GetFunctionConfigurationCommand) },
  (aws, FunctionName: string): Promise<Deployed | undefined> =>
    aws.configuration({ FunctionName }).then(
      ({ State = 'Active', LastUpdateStatus = 'Successful', Role = '' }) => ({
        state: State,
        update: LastUpdateStatus,
        role: Role,
      }),
      when('ResourceNotFoundException', () => undefined),
    ),
);

/** Calls of one API of Lambda's that are under way at once; its control plane takes 15 a second (Lambda guide, "Lambda quotas"). */
const WIDTH = 5;
const DEPLOY = 'run `npx cdk deploy --all`';

/** The workflows that a place must have: home that is a vault too has all of them. */
export const workflowsAt = ({ home, vault }: Pick<PlaceSubject, 'home' | 'vault'>): readonly Workflow[] =>
  home && vault ? workflows : workflowsIn(home ? 'home' : 'vault');

/** Whether the workflows and functions that a place must have are there, and are those of this code. */
export const deployed = placeCheck({
  name: 'deployed',
  uses: { machineOf, functionOf },
  run: async (look, subject) => {
    const { machineOf, functionOf } = look(subject.place);
    const wanted = workflowsAt(subject);
    const machines = await Promise.all(wanted.map(async (workflow) => ({ workflow, found: await machineOf(workflow.name) })));
    if (machines.every(({ found }) => !found)) return [problem('Stillpoint is not deployed here.', DEPLOY)];
    const names = wanted.flatMap(({ steps }) => steps.map(({ name }) => functionName(name)));
    const functions = await inParallel(names, WIDTH, async (name) => ({ name, found: await functionOf(name) }));
    const troubles = [...machines.flatMap(aboutMachine), ...functions.flatMap(aboutFunction)];
    return troubles.length > 0
      ? troubles
      : [
          ok(
            `${machines.length} workflows and ${functions.length} functions are deployed, and the workflows are those of this code.`,
          ),
        ];
  },
});

function aboutMachine({ workflow, found }: { workflow: Workflow; found: Machine | undefined }): Said[] {
  const name = machineName(workflow.name);
  if (!found) return [problem(`The state machine ${name} is missing.`, DEPLOY)];
  if (found.status === 'DELETING') return [problem(`The state machine ${name} is being deleted.`, DEPLOY)];
  const ours = JSON.parse(JSON.stringify(definitionOf(workflow)));
  return isDeepStrictEqual(JSON.parse(found.definition), ours)
    ? []
    : [warning(`The state machine ${name} is not that of this code.`, DEPLOY)];
}

/** An idle function is asleep in its VPC and wakes when it is called (Lambda guide, "Lambda function states"). */
const FIT = ['Active', 'Inactive'];

function aboutFunction({ name, found }: { name: string; found: Deployed | undefined }): Said[] {
  if (!found) return [problem(`The function ${name} is missing.`, DEPLOY)];
  if (FIT.includes(found.state) && found.update !== 'Failed') return [];
  return [problem(`The function ${name} is ${found.state}, its last update ${found.update}.`, DEPLOY)];
}
