import { describe, expect, test } from 'vitest';
import { service as events } from '../../local/services/events/index.ts';
import type { EventsState } from '../../local/services/events/state.ts';
import { service as lambda } from '../../local/services/lambda/index.ts';
import type { LambdaState } from '../../local/services/lambda/state.ts';
import { service as states } from '../../local/services/states/index.ts';
import type { StatesState } from '../../local/services/states/state.ts';
import { World } from '../../local/world/world.ts';

const home = { account: '111111111111', region: 'us-east-1' };
const away = { account: '222222222222', region: 'eu-west-1' };
const role = 'arn:aws:iam::111111111111:role/events';
const START = Date.UTC(2026, 10, 22, 3, 0, 0);
const MINUTE = 60_000;
const services = new Map([events, lambda, states].map((service) => [service.name, service]));

function setUp(seed = 'events') {
  const world = new World(services, { seed, latency: [1, 1], start: START });
  const received: { at: number; event: any }[] = [];
  for (const place of [home, away]) {
    world.state<LambdaState>('lambda', place).register({
      name: 'listener',
      timeoutSeconds: 30,
      memoryMb: 128,
      handler: async (event, { clock }) => void received.push({ at: clock.now() - START, event }),
    });
  }
  const call = (operation: string, input: object, place = home): Promise<any> =>
    world.clock.settle(world.call({ place, service: 'events', operation, input }));
  const rule = async (more: object, target: object = {}, place = home): Promise<void> => {
    await call('PutRule', { Name: 'r', ...more }, place);
    const Arn = `arn:aws:lambda:${place.region}:${place.account}:function:listener`;
    await call('PutTargets', { Rule: 'r', Targets: [{ Id: 't', Arn, ...target }] }, place);
  };
  const put = (detail: object, more: object = {}) =>
    call('PutEvents', { Entries: [{ Source: 'shop', DetailType: 'Sealed', Detail: JSON.stringify(detail), ...more }] });
  return { world, received, call, rule, put, state: world.state<EventsState>('events', home) };
}

const everything = { EventPattern: '{"source":[{"prefix":""}]}' };

describe('PutEvents', () => {
  test('brings an event, whole, to the targets of the rules that it matches', async () => {
    const { world, received, rule, put } = setUp();
    await rule({ EventPattern: JSON.stringify({ source: ['shop'], detail: { n: [{ numeric: ['>', 1] }] } }) });
    const { FailedEntryCount, Entries } = await put({ n: 2 }, { Resources: ['a'] });
    await put({ n: 1 });
    await world.clock.advance(MINUTE);
    expect(FailedEntryCount).toBe(0);
    expect(received.map(({ event }) => event)).toEqual([
      {
        version: '0',
        id: Entries[0].EventId,
        'detail-type': 'Sealed',
        source: 'shop',
        account: '111111111111',
        time: '2026-11-22T03:00:00Z',
        region: 'us-east-1',
        resources: ['a'],
        detail: { n: 2 },
      },
    ]);
  });

  test('refuses entry by entry, and takes what is for a bus that is not there', async () => {
    const { call } = setUp();
    const good = { Source: 's', DetailType: 'd', Detail: '{}' };
    const Entries = [
      good,
      { ...good, Detail: '[]' },
      { ...good, Source: '' },
      { ...good, Source: 'aws.s3' },
      { ...good, EventBusName: 'x' },
    ];
    const answer = await call('PutEvents', { Entries });
    expect(answer.FailedEntryCount).toBe(3);
    expect(answer.Entries.map((entry: { ErrorCode?: string }) => entry.ErrorCode)).toEqual([
      undefined,
      'MalformedDetail',
      'InvalidArgument',
      'NotAuthorizedForSourceException',
      undefined,
    ]);
    await expect(call('PutEvents', { Entries: new Array(11).fill(good) })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('other services tell on the default bus', async () => {
    const { world, received, rule, state } = setUp();
    await rule({ EventPattern: '{"source":["aws.backup"]}' });
    state.emit({ source: 'aws.backup', 'detail-type': 'Backup Job State Change', detail: { state: 'COMPLETED' } });
    await world.clock.advance(MINUTE);
    expect(received[0]!.event).toMatchObject({ source: 'aws.backup', detail: { state: 'COMPLETED' } });
  });

  test('delivers at least once: where the seed says so, twice', async () => {
    const { world, received, rule, put, state } = setUp();
    state.duplicates = 1;
    await rule(everything);
    await put({});
    await world.clock.advance(5 * MINUTE);
    expect(received).toHaveLength(2);
    expect(received[0]!.event.id).toBe(received[1]!.event.id);
  });
});

describe('targets', () => {
  const transform = (InputTemplate: string, InputPathsMap: Record<string, string> = {}) => ({
    InputTransformer: { InputTemplate, InputPathsMap },
  });
  test.each([
    ['Input', { Input: '{"fixed":true}' }, { fixed: true }],
    ['InputPath', { InputPath: '$.detail.list[1]' }, 'b'],
    [
      'names in a text',
      transform('"<who> of <count>, <none>."', { who: '$.detail.who', count: '$.detail.count', none: '$.detail.no' }),
      'me "x" of 2, .',
    ],
    [
      'names as JSON',
      transform('{"w":<who>,"c":<count>,"l":<list>}', { who: '$.detail.who', count: '$.detail.count', list: '$.detail.list' }),
      { w: 'me "x"', c: 2, l: ['a', 'b'] },
    ],
    [
      'names of its own',
      transform('{"rule":<aws.events.rule-name>,"at":"<aws.events.event.ingestion-time>"}'),
      { rule: 'r', at: expect.stringMatching(/^2026-11-22T03:00:0\d/) },
    ],
  ])('shapes what a target is given: %s', async (_, shape, expected) => {
    const { world, received, rule, put } = setUp();
    await rule(everything, shape);
    await put({ who: 'me "x"', count: 2, list: ['a', 'b'] });
    await world.clock.advance(MINUTE);
    expect(received.map(({ event }) => event)).toEqual([expected]);
  });

  test('starts a state machine', async () => {
    const { world, call, put } = setUp();
    const states = world.state<StatesState>('states', home);
    const definition = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'P', States: { P: { Type: 'Pass', End: true } } });
    const { arn } = states.create({ name: 'm', type: 'STANDARD', definition, roleArn: role, tags: {} });
    await call('PutRule', { Name: 'r', ...everything });
    const target = { Id: 't', Arn: arn, InputPath: '$.detail' };
    await expect(call('PutTargets', { Rule: 'r', Targets: [target] })).rejects.toThrow('RoleArn is required');
    await call('PutTargets', { Rule: 'r', Targets: [{ ...target, RoleArn: role }] });
    await put({ a: 1 });
    await world.clock.advance(MINUTE);
    expect([...states.executions.values()].map(({ status, output }) => [status, output])).toEqual([['SUCCEEDED', '{"a":1}']]);
  });

  test('a throttled target is tried again, one that is gone is not', async () => {
    const { world, received, rule, put, state } = setUp();
    await rule(everything);
    let throttled = 0;
    const answer = { code: 'TooManyRequestsException', message: 'Rate exceeded', status: 429 };
    world.faults = ({ operation }) => (operation === 'Invoke' && throttled++ < 3 ? { when: 'before', answer } : undefined);
    await put({});
    await world.clock.advance(MINUTE);
    expect([throttled, received.length]).toEqual([4, 1]);
    world.state<LambdaState>('lambda', home).remove('listener');
    await put({});
    await world.clock.advance(60 * MINUTE);
    expect(throttled).toBe(5);
    expect(state.undelivered).toMatchObject([{ rule: 'r', why: expect.stringContaining('Function not found') }]);
  });

  test('reaches a bus of another region and account, after its darkness too, and no bus beyond', async () => {
    const { world, received, call, put, state } = setUp();
    await call('PutRule', { Name: 'out', ...everything });
    const Arn = `arn:aws:events:${away.region}:${away.account}:event-bus/default`;
    await call('PutTargets', { Rule: 'out', Targets: [{ Id: 'b', Arn, RoleArn: role }] });
    await call('PutPermission', { StatementId: 'home', Action: 'events:PutEvents', Principal: home.account }, away);
    await call('PutRule', { Name: 'in', ...everything }, away);
    const listener = `arn:aws:lambda:${away.region}:${away.account}:function:listener`;
    const back = `arn:aws:events:${home.region}:${home.account}:event-bus/default`;
    await call(
      'PutTargets',
      {
        Rule: 'in',
        Targets: [
          { Id: 'l', Arn: listener },
          { Id: 'b', Arn: back, RoleArn: role },
        ],
      },
      away,
    );
    world.dark.add(away.region);
    await put({ n: 1 });
    await world.clock.advance(120 * MINUTE);
    expect([received.length, state.undelivered.length]).toEqual([0, 0]);
    world.dark.clear();
    await world.clock.advance(60 * MINUTE);
    expect(received.map(({ event }) => [event.account, event.region, event.detail.n])).toEqual([[home.account, home.region, 1]]);
    world.dark.add(away.region);
    await put({ n: 2 });
    await world.clock.advance(26 * 60 * MINUTE);
    world.dark.clear();
    await world.clock.advance(60 * MINUTE);
    expect(received).toHaveLength(1);
    expect(state.undelivered).toHaveLength(1);
  });

  test('refuses by name what it does not deliver to', async () => {
    const { call } = setUp();
    await call('PutRule', { Name: 'r', ...everything });
    const put = (target: object) => call('PutTargets', { Rule: 'r', Targets: [{ Id: 't', ...target }] });
    await expect(put({ Arn: 'arn:aws:kinesis:us-east-1:111111111111:stream/s' })).rejects.toMatchObject({
      code: 'NotImplemented',
      message: expect.stringContaining('targets of kinesis'),
    });
    const Arn = 'arn:aws:lambda:us-east-1:111111111111:function:listener';
    await expect(put({ Arn, InputPath: '$..a' })).rejects.toMatchObject({ code: 'NotImplemented' });
    await expect(put({ Arn, Input: '{' })).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('rules', () => {
  test('fire by rate and by cron, in UTC, and not while disabled', async () => {
    const { world, received, call, rule } = setUp();
    await rule({ ScheduleExpression: 'rate(2 hours)' });
    await world.clock.advance(5 * 60 * MINUTE);
    expect(received.map(({ at }) => Math.floor(at / MINUTE))).toEqual([120, 240]);
    expect(received[0]!.event).toMatchObject({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      time: '2026-11-22T05:00:00Z',
    });
    await call('DisableRule', { Name: 'r' });
    await world.clock.advance(24 * 60 * MINUTE);
    expect(received).toHaveLength(2);
    await call('PutRule', { Name: 'r', ScheduleExpression: 'cron(30 4 * * ? *)' });
    await world.clock.advance(48 * 60 * MINUTE);
    expect(received.slice(2).map(({ event }) => event.time)).toEqual(['2026-11-24T04:30:00Z', '2026-11-25T04:30:00Z']);
  });

  test('are kept, listed and deleted as AWS does', async () => {
    const { call, rule } = setUp();
    await rule({ ...everything, Description: 'all' });
    expect(await call('DescribeRule', { Name: 'r' })).toMatchObject({ ...everything, State: 'ENABLED', Description: 'all' });
    expect((await call('ListTargetsByRule', { Rule: 'r' })).Targets).toHaveLength(1);
    await expect(call('DeleteRule', { Name: 'r' })).rejects.toThrow('it has targets');
    expect(await call('RemoveTargets', { Rule: 'r', Ids: ['t', 'u'] })).toMatchObject({
      FailedEntryCount: 1,
      FailedEntries: [{ TargetId: 'u', ErrorCode: 'ResourceNotFoundException' }],
    });
    await call('DeleteRule', { Name: 'r' });
    await expect(call('DescribeRule', { Name: 'r' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    for (const ScheduleExpression of [
      'rate(1 hours)',
      'rate(5 minute)',
      'rate(0 minutes)',
      'cron(* * * * * *)',
      'cron(0 25 * * ? *)',
      'at(2027-01-01T00:00:00)',
    ])
      await expect(call('PutRule', { Name: 's', ScheduleExpression })).rejects.toThrow('ScheduleExpression is not valid');
    await call('CreateEventBus', { Name: 'own' });
    await expect(call('PutRule', { Name: 's', EventBusName: 'own', ScheduleExpression: 'rate(1 hour)' })).rejects.toThrow(
      'default event bus',
    );
    expect(await call('PutRule', { Name: 's', EventBusName: 'own', ...everything })).toEqual({
      RuleArn: 'arn:aws:events:us-east-1:111111111111:rule/own/s',
    });
  });
});

describe('patterns beyond the recordings', () => {
  const matches = async (pattern: object, detail: object): Promise<boolean> => {
    const envelope = { id: '1', account: '1', source: 's', time: 't', region: 'r', 'detail-type': 'd' };
    const input = { Event: JSON.stringify({ ...envelope, detail }), EventPattern: JSON.stringify({ detail: pattern }) };
    return (await setUp().call('TestEventPattern', input)).Result;
  };
  const people = {
    people: [
      { name: 'a', age: 1 },
      { name: 'b', age: 2 },
    ],
  };

  test('what is asked of one array must hold of one element', async () => {
    expect(await matches({ people: { name: ['a'], age: [1] } }, people)).toBe(true);
    expect(await matches({ people: { name: ['a'], age: [2] } }, people)).toBe(false);
  });

  test('$or is one of several, together with all the rest', async () => {
    const pattern = { kind: ['x'], $or: [{ a: [1] }, { b: [{ 'anything-but': [1, 2] }] }] };
    expect(await matches(pattern, { kind: 'x', a: 1 })).toBe(true);
    expect(await matches(pattern, { kind: 'x', a: 2, b: 3 })).toBe(true);
    expect(await matches(pattern, { kind: 'x', a: 2, b: 2 })).toBe(false);
    expect(await matches(pattern, { kind: 'y', a: 1 })).toBe(false);
  });

  test('a wildcard is no regular expression, and its star can be escaped', async () => {
    expect(await matches({ f: [{ wildcard: 'a.*c' }] }, { f: 'a.bc' })).toBe(true);
    expect(await matches({ f: [{ wildcard: 'a.*c' }] }, { f: 'abbc' })).toBe(false);
    expect(await matches({ f: [{ wildcard: '\\**' }] }, { f: '*x' })).toBe(true);
    expect(await matches({ f: [{ wildcard: '\\**' }] }, { f: 'x' })).toBe(false);
  });
});
