import { attributes, type Properties, type ResourceTypes } from './resource.ts';

const dates = ({ StartDate, EndDate, ...rest }: Properties): Properties => ({
  ...rest,
  ...(StartDate === undefined ? {} : { StartDate: new Date(StartDate) }),
  ...(EndDate === undefined ? {} : { EndDate: new Date(EndDate) }),
});

export const scheduler: ResourceTypes = {
  'AWS::Scheduler::Schedule': {
    properties: [
      'Name',
      'GroupName',
      'Description',
      'ScheduleExpression',
      'ScheduleExpressionTimezone',
      'FlexibleTimeWindow',
      'StartDate',
      'EndDate',
      'State',
      'Target',
      'KmsKeyArn',
    ],
    replaced: ['Name', 'GroupName'],
    async create(properties, { call, name }) {
      const Name = properties['Name'] ?? name(64);
      const { ScheduleArn } = await call('scheduler', 'CreateSchedule', { ...dates(properties), Name });
      return attributes(Name, { Arn: ScheduleArn });
    },
    async update(properties, made, { call }) {
      await call('scheduler', 'UpdateSchedule', { ...dates(properties), Name: made.id });
      return made;
    },
    remove: async ({ id: Name }, { call }, { GroupName }) =>
      void (await call('scheduler', 'DeleteSchedule', { Name, ...(GroupName ? { GroupName } : {}) })),
  },
};
