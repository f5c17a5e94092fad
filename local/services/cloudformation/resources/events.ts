import { attributes, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

/** A rule with its targets, those of before that are no longer wanted taken away. */
async function put(Name: string, properties: Properties, { call }: Maker, before: readonly { readonly Id: string }[] = []) {
  const { Description, EventBusName, EventPattern, ScheduleExpression, RoleArn, State, Targets = [], Tags } = properties;
  const rule = given({ Name, Description, EventBusName, ScheduleExpression, RoleArn, State, Tags });
  const { RuleArn } = await call('events', 'PutRule', {
    ...rule,
    ...(EventPattern ? { EventPattern: JSON.stringify(EventPattern) } : {}),
  });
  const of = given({ Rule: Name, EventBusName });
  const gone = before.map(({ Id }) => Id).filter((id) => !Targets.some(({ Id }: { Id: string }) => Id === id));
  if (gone.length > 0) await call('events', 'RemoveTargets', { ...of, Ids: gone });
  if (Targets.length > 0) await call('events', 'PutTargets', { ...of, Targets });
  return attributes(Name, { Arn: RuleArn });
}

/** A statement of a bus's policy, in place of an earlier one of its name; `Principal`, `Action` and `Condition` are the older way to write one. */
async function permit(properties: Properties, { call }: Maker) {
  const { EventBusName = 'default', StatementId, Statement, Action, Principal, Condition } = properties;
  const bus = { EventBusName };
  if (!Statement) {
    await call('events', 'PutPermission', given({ ...bus, StatementId, Action, Principal, Condition }));
    return attributes(StatementId, {});
  }
  const { Policy = '{"Version":"2012-10-17","Statement":[]}' } = await call('events', 'DescribeEventBus', { Name: EventBusName });
  const policy = JSON.parse(Policy);
  const others = [policy.Statement].flat().filter(({ Sid }: { Sid?: string }) => Sid !== StatementId);
  const Changed = { ...policy, Statement: [...others, { Sid: StatementId, ...Statement }] };
  await call('events', 'PutPermission', { ...bus, Policy: JSON.stringify(Changed) });
  return attributes(StatementId, {});
}

export const events: ResourceTypes = {
  'AWS::Events::EventBusPolicy': {
    properties: ['EventBusName', 'StatementId', 'Statement', 'Action', 'Principal', 'Condition'],
    replaced: ['EventBusName', 'StatementId'],
    create: permit,
    update: (properties, _, maker) => permit(properties, maker),
    async remove({ id: StatementId }, { call }, { EventBusName }) {
      await call('events', 'RemovePermission', given({ EventBusName, StatementId }));
    },
  },
  'AWS::Events::Rule': {
    properties: [
      'Name',
      'Description',
      'EventBusName',
      'EventPattern',
      'ScheduleExpression',
      'RoleArn',
      'State',
      'Targets',
      'Tags',
    ],
    replaced: ['Name', 'EventBusName'],
    create: (properties, maker) => put(properties['Name'] ?? maker.name(64), properties, maker),
    update: (properties, { id }, maker, before) => put(id, properties, maker, before['Targets']),
    async remove({ id: Name }, { call }, { EventBusName, Targets = [] }) {
      const Ids = Targets.map(({ Id }: { Id: string }) => Id);
      if (Ids.length > 0) await call('events', 'RemoveTargets', given({ Rule: Name, EventBusName, Ids }));
      await call('events', 'DeleteRule', given({ Name, EventBusName }));
    },
  },
};
