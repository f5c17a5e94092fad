import { DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import { acrossAccounts, type Session } from '../../functions/aws/across-accounts.ts';
import { calls } from '../../functions/aws/call.ts';
import { sdkTransport } from '../../functions/aws/sdk-transport.ts';
import { loadServices, World } from '../../local/world/world.ts';
import { serve } from './fixture.ts';

/** Real SDK clients over a socket, into the home of another account. */
const SAFE = { account: '444455556666', region: 'eu-west-1' };
const HOME = { account: '111122223333', region: 'us-east-1' };
const call = calls('ec2', EC2Client).read(DescribeSnapshotsCommand);
const input = { OwnerIds: ['self'] };

const served = async () => {
  const world = new World(await loadServices(), { seed: 'across' });
  const endpoint = await serve(world);
  const sessions: Session[] = [];
  const reach = acrossAccounts(
    sdkTransport({ endpoint, credentials: () => ({ accessKeyId: SAFE.account, secretAccessKey: 'x' }) }),
    {
      here: SAFE,
      roleAt: ({ account, region }) => `arn:aws:iam::${account}:role/guest-${region}`,
      sessionName: 'copy',
      as: (session) => {
        sessions.push(session);
        return sdkTransport({ endpoint, credentials: () => session.keys });
      },
      clock: world.clock,
    },
  );
  const callers = () => world.journal.entries.filter(({ service }) => service === 'ec2').map(({ caller }) => caller);
  return { world, reach, sessions, callers };
};

test('its own account is reached as itself, another in one session of the role there', async () => {
  const { reach, sessions, callers } = await served();
  await reach.send({ call, place: SAFE, input });
  await Promise.all([1, 2, 3].map(() => reach.send({ call, place: HOME, input })));
  const guest = `arn:aws:sts::${HOME.account}:assumed-role/guest-us-east-1/copy`;
  expect(callers()).toEqual([`arn:aws:iam::${SAFE.account}:root`, guest, guest, guest]);
  expect(sessions.map(({ arn }) => arn)).toEqual([guest]);
});

test('a session is asked for anew before it ends, and one that was refused the next time', async () => {
  const { world, reach, sessions } = await served();
  await reach.send({ call, place: HOME, input });
  await world.clock.advance(54 * 60_000);
  await reach.send({ call, place: HOME, input });
  expect(sessions).toHaveLength(1);
  await world.clock.advance(2 * 60_000);
  await reach.send({ call, place: HOME, input });
  expect(sessions).toHaveLength(2);

  const elsewhere = { ...HOME, region: 'us-west-2' };
  const iam = (input: object) => world.clock.settle(world.call({ place: HOME, service: 'iam', operation: 'CreateRole', input }));
  await iam({ RoleName: 'other', AssumeRolePolicyDocument: JSON.stringify(trusting(`arn:aws:iam::${HOME.account}:root`)) });
  await expect(reach.send({ call, place: elsewhere, input })).rejects.toThrow(/not authorized to perform: sts:AssumeRole/);
  const trust = JSON.stringify(trusting(`arn:aws:iam::${SAFE.account}:root`));
  await iam({ RoleName: 'guest-us-west-2', AssumeRolePolicyDocument: trust });
  await expect(reach.send({ call, place: elsewhere, input })).rejects.toThrow(/not authorized to perform: ec2:DescribeSnapshots/);
  expect(sessions).toHaveLength(3);
});

const trusting = (AWS: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
});
