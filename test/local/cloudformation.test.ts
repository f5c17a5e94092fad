import { beforeEach, describe, expect, test } from 'vitest';
import type { CloudFormationState } from '../../local/services/cloudformation/state.ts';
import { loadServices, World } from '../../local/world/world.ts';

const services = await loadServices();
const HERE = { account: '111122223333', region: 'eu-west-1' };
const CAPABILITIES = ['CAPABILITY_NAMED_IAM'];

let world: World;
beforeEach(() => {
  world = new World(services, { seed: 'stacks' });
});

const ask = (service: string, operation: string, input: object): Promise<any> =>
  world.clock.settle(world.call({ place: HERE, service, operation, input }));
const cfn = (operation: string, input: object): Promise<any> => ask('cloudformation', operation, input);

const stackOf = async (StackName: string) => (await cfn('DescribeStacks', { StackName })).Stacks[0];
const eventsOf = (name: string) => world.state<CloudFormationState>('cloudformation', HERE).stack(name).events;

async function create(template: object | string, more: object = {}): Promise<any> {
  const TemplateBody = typeof template === 'string' ? template : JSON.stringify(template);
  await cfn('CreateStack', { StackName: 'one', TemplateBody, Capabilities: CAPABILITIES, ...more });
  await world.clock.advance(120_000);
  return await stackOf('one');
}

async function update(template: object, more: object = {}): Promise<any> {
  await cfn('UpdateStack', { StackName: 'one', TemplateBody: JSON.stringify(template), Capabilities: CAPABILITIES, ...more });
  await world.clock.advance(120_000);
  return await stackOf('one');
}

const parameter = (Value: unknown, more: object = {}) => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Type: 'String', Value },
  ...more,
});
const outputs = ({ Outputs }: any): Record<string, string> =>
  Object.fromEntries(Outputs.map((output: any) => [output.OutputKey, output.OutputValue]));

describe('what a template says', () => {
  const evaluate = async (Value: unknown, more: object = {}, asked: object = {}): Promise<string | undefined> =>
    outputs(await create({ Resources: { One: parameter('v') }, Outputs: { It: { Value } }, ...more }, asked))['It'];

  for (const [what, value, expected, more] of [
    [
      'pseudo parameters',
      { 'Fn::Sub': '${AWS::Partition}:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}' },
      'aws:eu-west-1:111122223333:one',
    ],
    ['a literal in Fn::Sub', { 'Fn::Sub': ['${!Kept} ${Own}', { Own: { 'Fn::Join': ['-', ['a', 'b']] } }] }, '${Kept} a-b'],
    [
      'an attribute, both ways to write it',
      { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['One', 'Value'] }, { 'Fn::GetAtt': 'One.Type' }]] },
      'vString',
    ],
    ['Fn::Select of Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    [
      'a mapping',
      { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'x'] },
      'there',
      { Mappings: { M: { 'eu-west-1': { x: 'there' } } } },
    ],
    [
      'conditions on conditions',
      { 'Fn::If': ['Both', 'yes', 'no'] },
      'yes',
      {
        Conditions: {
          A: { 'Fn::Equals': ['1', '1'] },
          Both: { 'Fn::And': [{ Condition: 'A' }, { 'Fn::Not': [{ 'Fn::Equals': ['1', '2'] }] }] },
        },
      },
    ],
    ['Fn::Base64', { 'Fn::Base64': 'x' }, 'eA=='],
  ] as const) {
    test(what, async () => {
      expect(await evaluate(value, more)).toBe(expected);
    });
  }

  test('what has no value is left out', async () => {
    const Value = { 'Fn::Join': ['+', ['a', { 'Fn::If': ['Never', 'b', { Ref: 'AWS::NoValue' }] }, 'c']] };
    expect(await evaluate(Value, { Conditions: { Never: { 'Fn::Equals': ['1', '2'] } } })).toBe('a+c');
  });

  test('parameters: given, by default, out of Parameter Store', async () => {
    await ask('ssm', 'PutParameter', { Name: '/kept/here', Value: 'stored', Type: 'String' });
    const Parameters = {
      Given: { Type: 'String' },
      List: { Type: 'CommaDelimitedList', Default: 'a, b' },
      Stored: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/kept/here' },
    };
    const Value = { 'Fn::Join': ['/', [{ Ref: 'Given' }, { 'Fn::Select': [1, { Ref: 'List' }] }, { Ref: 'Stored' }]] };
    const given = { Parameters: [{ ParameterKey: 'Given', ParameterValue: 'g' }] };
    expect(await evaluate(Value, { Parameters }, given)).toBe('g/b/stored');
  });

  test('YAML with short forms', async () => {
    const made = await create(
      'Resources:\n  One:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Value: !Join ["-", [a, !Ref "AWS::Region"]]}\n' +
        'Outputs:\n  It: {Value: !GetAtt One.Value}\n  Also: {Value: !Sub "${One.Type}"}\n',
    );
    expect(outputs(made)).toEqual({ It: 'a-eu-west-1', Also: 'String' });
  });
});

describe('refuses before anything is made', () => {
  const one = { One: parameter('v') };
  for (const [what, template, message] of [
    ['no resources', { Resources: {} }, 'At least one Resources member must be defined'],
    [
      'a type that is not known',
      { Resources: { X: { Type: 'AWS::Nowhere::Thing' } } },
      'Unrecognized resource types: [AWS::Nowhere::Thing]',
    ],
    [
      'a name that is not there',
      { Resources: { One: parameter({ Ref: 'Two' }) } },
      'Unresolved resource dependencies [Two] in the Resources block',
    ],
    [
      'a circle',
      { Resources: { A: parameter({ Ref: 'B' }), B: parameter({ Ref: 'A' }) } },
      'Circular dependency between resources: [A, B]',
    ],
    [
      'a parameter without a value',
      { Parameters: { P: { Type: 'String' } }, Resources: one },
      'Parameters: [P] must have values',
    ],
    [
      'a rule that does not hold',
      {
        Rules: { R: { Assertions: [{ Assert: { 'Fn::Contains': [['a'], 'b'] }, AssertDescription: 'Bootstrap first.' }] } },
        Resources: one,
      },
      'Bootstrap first.',
    ],
    ['imports', { Resources: { One: parameter({ 'Fn::ImportValue': 'x' }) } }, undefined],
    ['no JSON and no YAML', '{', 'Template format error'],
  ] as const) {
    test(what, async () => {
      if (message === undefined) {
        const failed = await create(template).catch((error: Error) => error);
        return expect(String(failed instanceof Error ? failed.message : failed.StackStatus)).toMatch(/Fn::ImportValue|ROLLBACK/);
      }
      await expect(create(template)).rejects.toMatchObject({
        code: 'ValidationError',
        message: expect.stringContaining(message),
      });
      expect((await cfn('ListStacks', {})).StackSummaries).toEqual([]);
    });
  }

  test('roles that nobody acknowledged', async () => {
    const Resources = {
      R: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } } },
    };
    const asked = { StackName: 'one', TemplateBody: JSON.stringify({ Resources }) };
    await expect(cfn('CreateStack', asked)).rejects.toMatchObject({ code: 'InsufficientCapabilitiesException' });
  });
});

describe('a stack', () => {
  const queueAnd = (more: object) => ({
    Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'letters' } }, ...more },
  });
  const order = (status: string) =>
    eventsOf('one')
      .filter(({ ResourceStatus, ResourceType }) => ResourceStatus === status && ResourceType !== 'AWS::CloudFormation::Stack')
      .map(({ LogicalResourceId }) => LogicalResourceId);

  test('makes each resource after those that it refers to or depends on, over virtual time, and tells it as events', async () => {
    const Resources = {
      C: parameter({ Ref: 'B' }),
      A: parameter('a'),
      B: parameter({ 'Fn::GetAtt': ['A', 'Value'] }),
      D: parameter('d', { DependsOn: 'C' }),
    };
    const { StackStatus } = await create({ Resources });
    expect(StackStatus).toBe('CREATE_COMPLETE');
    expect(order('CREATE_COMPLETE')).toEqual(['A', 'B', 'C', 'D']);
    const events = eventsOf('one');
    expect(Number(events.at(-1)!.Timestamp) - Number(events[0]!.Timestamp)).toBeGreaterThan(2000);
  });

  test('changes in place what can be, replaces what must be, and removes what is gone, in that order', async () => {
    await create({
      Resources: {
        Kept: parameter('a'),
        Named: { ...parameter('b'), Properties: { ...parameter('b').Properties, Name: 'old' } },
        Gone: parameter('c'),
      },
    });
    const named = { ...parameter('b'), Properties: { ...parameter('b').Properties, Name: 'new' } };
    const { StackStatus } = await update({ Resources: { Kept: parameter('A'), Named: named } });
    expect(StackStatus).toBe('UPDATE_COMPLETE');
    const { Parameters } = await ask('ssm', 'DescribeParameters', {});
    expect(Parameters.map(({ Name, Version }: any) => [Name.replace(/-[0-9a-f]{12}$/, ''), Version])).toEqual([
      ['one-Kept', 2],
      ['new', 1],
    ]);
    await expect(update({ Resources: { Kept: parameter('A'), Named: named } })).rejects.toThrow(
      'No updates are to be performed.',
    );
  });

  test('that fails says which resource and why, and takes back what it made', async () => {
    await ask('ssm', 'PutParameter', { Name: 'taken', Value: 'x', Type: 'String' });
    const taken = { Type: 'AWS::SSM::Parameter', Properties: { Name: 'taken', Type: 'String', Value: 'y' }, DependsOn: 'Queue' };
    expect((await create(queueAnd({ Taken: taken }))).StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(eventsOf('one').find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')).toMatchObject({
      LogicalResourceId: 'Taken',
      ResourceStatusReason: expect.stringContaining('The parameter already exists'),
    });
    expect((await ask('sqs', 'ListQueues', {})).QueueUrls).toEqual([]);
  });

  test('whose update fails becomes again what it was', async () => {
    await create(queueAnd({ P: parameter('before') }));
    const { StackStatus } = await update(
      queueAnd({ P: parameter('after'), Bad: { ...parameter('x'), Properties: { Nonsense: 1 }, DependsOn: 'P' } }),
    );
    expect(StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    const { Parameters } = await ask('ssm', 'GetParametersByPath', { Path: '/' });
    expect(Parameters).toEqual([]);
    const { Parameters: all } = await ask('ssm', 'DescribeParameters', {});
    const { Parameter } = await ask('ssm', 'GetParameter', { Name: all[0].Name });
    expect(Parameter.Value).toBe('before');
    expect(eventsOf('one').map(({ ResourceStatusReason }) => ResourceStatusReason)).toContain(
      'Encountered unsupported property Nonsense',
    );
  });

  test('goes with its resources but for those that are kept, and not while it is protected', async () => {
    await create({ Resources: { Kept: parameter('a', { DeletionPolicy: 'Retain' }), Gone: parameter('b') } });
    await cfn('UpdateTerminationProtection', { StackName: 'one', EnableTerminationProtection: true });
    await expect(cfn('DeleteStack', { StackName: 'one' })).rejects.toThrow(
      'cannot be deleted while TerminationProtection is enabled',
    );
    await cfn('UpdateTerminationProtection', { StackName: 'one', EnableTerminationProtection: false });
    await cfn('DeleteStack', { StackName: 'one' });
    await world.clock.advance(60_000);
    await expect(stackOf('one')).rejects.toThrow('Stack with id one does not exist');
    const { Parameters } = await ask('ssm', 'DescribeParameters', {});
    expect(Parameters.map(({ Name }: any) => Name)).toEqual([expect.stringMatching(/^one-Kept-/)]);
  });

  test('by change sets: described before it is executed, empty where nothing changes', async () => {
    const base = { StackName: 'one', ChangeSetName: 'set', Capabilities: CAPABILITIES };
    const wanted = (value: string) => ({ ...base, TemplateBody: JSON.stringify({ Resources: { P: parameter(value) } }) });
    await cfn('CreateChangeSet', { ...wanted('a'), ChangeSetType: 'CREATE' });
    expect((await stackOf('one')).StackStatus).toBe('REVIEW_IN_PROGRESS');
    await world.clock.advance(5000);
    expect(await cfn('DescribeChangeSet', base)).toMatchObject({
      Status: 'CREATE_COMPLETE',
      Changes: [{ ResourceChange: { Action: 'Add', LogicalResourceId: 'P' } }],
    });
    await cfn('ExecuteChangeSet', base);
    await world.clock.advance(30_000);
    await cfn('CreateChangeSet', wanted('a'));
    await world.clock.advance(5000);
    expect(await cfn('DescribeChangeSet', base)).toMatchObject({
      Status: 'FAILED',
      StatusReason: expect.stringContaining("didn't contain changes"),
    });
    await cfn('DeleteChangeSet', base);
    await cfn('CreateChangeSet', wanted('b'));
    await world.clock.advance(5000);
    expect((await cfn('DescribeChangeSet', base)).Changes).toMatchObject([
      { ResourceChange: { Action: 'Modify', Replacement: 'False' } },
    ]);
    await cfn('ExecuteChangeSet', base);
    await world.clock.advance(30_000);
    expect((await stackOf('one')).StackStatus).toBe('UPDATE_COMPLETE');
  });
});
