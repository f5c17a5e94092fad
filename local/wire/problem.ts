import { Refusal } from '../world/service.ts';
import { type Model, type Shape, traitsOf } from './schema.ts';

/** An error on its way to the wire. */
export interface Problem {
  /** What the SDK calls it. */
  readonly name: string;
  /** What the query protocols call it, where they have a shorter code (Smithy, `awsQueryError`). */
  readonly code: string;
  /** Whether a JSON answer says that code too. */
  readonly queryCompatible: boolean;
  readonly message: string;
  readonly status: number;
  readonly type: 'Sender' | 'Receiver';
  /** Its schema, where the SDK has one. */
  readonly shape?: Shape;
  readonly fields: Readonly<Record<string, unknown>>;
}

const INTERNAL = {
  name: 'InternalFailure',
  code: 'InternalFailure',
  queryCompatible: false,
  status: 500,
  type: 'Receiver',
  fields: {},
} as const;

/** Anything thrown, as AWS would answer it. What is no Refusal is a fault of ours and becomes an InternalFailure that says so. */
export function problemOf(model: Model | undefined, error: unknown): Problem {
  if (!(error instanceof Refusal)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ...INTERNAL, message };
  }
  const shape = model && shapeOfError(model, error.code);
  const { awsQueryError, httpError, error: blame } = shape ? traitsOf(shape) : {};
  const [code, queryStatus] = awsQueryError ?? [error.code];
  const modelled = (model?.protocol === 'awsQuery' ? queryStatus : undefined) ?? httpError ?? (blame === 'server' ? 500 : 400);
  const status = error.status ?? modelled;
  return {
    name: shape?.getName() ?? error.code,
    code,
    queryCompatible: model?.queryCompatible ?? false,
    message: error.message,
    status,
    type: status >= 500 ? 'Receiver' : 'Sender',
    ...(shape ? { shape } : {}),
    fields: error.fields,
  };
}

function shapeOfError({ errors }: Pick<Model, 'errors'>, code: string): Shape | undefined {
  return errors.get(code) ?? [...errors.values()].find((shape) => traitsOf(shape).awsQueryError?.[0] === code);
}
