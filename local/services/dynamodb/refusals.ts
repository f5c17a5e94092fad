import { refuse } from '../../world/service.ts';

/** DynamoDB's answer to almost everything that is wrong with a request. */
export const validation = (message: string): never => refuse('ValidationException', message);

/** The same, with the words that DynamoDB puts before what is wrong with a value. */
export const invalidValue = (why: string): never => validation(`One or more parameter values were invalid: ${why}`);

/** Parameters from before there were expressions; ignoring one would do something else than was asked. */
const LEGACY: Readonly<Record<string, string>> = {
  Expected: 'ConditionExpression',
  ConditionalOperator: 'ConditionExpression',
  AttributeUpdates: 'UpdateExpression',
  AttributesToGet: 'ProjectionExpression',
  KeyConditions: 'KeyConditionExpression',
  QueryFilter: 'FilterExpression',
  ScanFilter: 'FilterExpression',
};

export function refuseLegacy(input: object): void {
  for (const [name, instead] of Object.entries(LEGACY)) {
    if ((input as Record<string, unknown>)[name] !== undefined)
      refuse('NotImplemented', `The local AWS does not model DynamoDB's legacy parameter ${name}; use ${instead}.`, {
        status: 501,
      });
  }
}
