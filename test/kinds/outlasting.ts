import { type Verb, verb } from '../../functions/aws/verb.ts';
import type { CutClass } from '../../functions/domain.ts';
import type { CaptureWork, Kind } from '../../functions/kinds/kind.ts';

type Asked = Pick<CaptureWork, 'outlasting' | 'exports' | 'homeOnly'>;

/** A kind as a policy has it that asks more of its captures than to be taken; a plain snapshot is fired inside the freeze, by the verb for that. */
export function asking(kind: Kind, asked: Asked): Kind {
  const asks = <V extends Verb<any, readonly any[], any>>(of: V): V =>
    verb(of.calls, (aws, works: readonly CaptureWork[], scene) =>
      of.run(
        aws,
        works.map((work) => ({ ...work, ...asked })),
        scene,
      ),
    ) as unknown as V;
  const fired = asked.outlasting === 'snapshot';
  const start = asks(fired ? kind.snapshot! : kind.capture.start);
  const cut: CutClass = fired ? 'prompt' : 'exact';
  const capture = { ...kind.capture, start, settle: asks(kind.capture.settle) };
  return { ...kind, cut, capture };
}
