import { operationOf } from '../../aws/call.ts';
import { classify, Transient } from '../../aws/errors.ts';
import type { Verb } from '../../aws/verb.ts';
import type { Place } from '../../domain.ts';
import { callsOf, type Passage } from '../kind.ts';
import { answerOf, disturbed, silence } from './disturb.ts';
import { driven } from './drive.ts';
import { onlySurvive } from './expire.ts';
import { captured, captureWorks, copied, copyWorks, newCut, pointNamed, restoreWorks, seeded } from './motions.ts';
import { A_MINUTE, at, type Law, type LawStage, must, travelled } from './stage.ts';

/** For every call that is never repeated: its answer is lost once, and one survivor is left of what it made. */
export const lostAnswersLeaveOne: Law = async (kind, proof, stage) => {
  const fragile = callsOf(kind).flatMap(({ verb, calls }) =>
    Object.values(calls)
      .filter(({ repeat }) => repeat === 'once')
      .map((call) => ({ verb, call })),
  );
  for (const { verb, call } of fragile) {
    const subject = await seeded(kind, proof, stage);
    let lost = 0;
    const losing = disturbed(stage.transport, (sent) => (sent === call && lost++ === 0 ? 'lose' : undefined), silence);
    const onTheWay = (passage: string) => (verb.startsWith(passage) ? losing : stage.transport);
    const { artifacts, cut } = await persistently(stage, () => captured(subject, { transport: onTheWay('capture') }));
    const copies = await persistently(stage, () => copied(subject, cut, artifacts, onTheWay('copy')));
    const works = restoreWorks(subject, copies, stage.vault);
    const back = await persistently(stage, () => driven(kind.restore, works, stage, stage.vault.place, onTheWay('restore')));
    must(lost > 0, `${verb} never made its call ${operationOf(call)}, so this law says nothing of it; seed what makes it.`);
    await onlySurvive(subject, stage.home.place, artifacts);
    await onlySurvive(subject, stage.vault.place, copies);
    must(back.length === subject.resources.length, 'Every resource is restored all the same.');
  }
};

/** As the machine does: Transient is tried again a little later (a capture with a new cut), anything else ends it. */
export async function persistently<T>(stage: LawStage, run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (!(classify(error) instanceof Transient) || tries === 4) throw error;
      await stage.clock.sleep(A_MINUTE);
    }
  }
}

/** A throttle is Transient from every verb; a refusal is Permanent, or a failed item with a sentence. Neither is swallowed. */
export const errorsAreClassified: Law = async (kind, proof, stage) => {
  const subject = await seeded(kind, proof, stage);
  const { artifacts, cut } = await captured(subject);
  const copies = await copied(subject, cut, artifacts);
  await stage.clock.sleep(A_MINUTE);
  const { home, vault } = stage;
  const startedOf = async <W, Done>(passage: Passage<W, Done>, works: readonly W[], place: Place) => {
    const items = travelled(await at(passage.start, stage, place)(works));
    return works.flatMap((work, i) => {
      const item = items[i]!;
      return item.state === 'started' ? [{ ...work, handle: item.handle }] : [];
    });
  };
  const other = { ...subject, resources: subject.resources };
  const captures = captureWorks(other, { ...newCut(stage), instant: cut.instant! }, pointNamed(subject, 7));
  const asked: readonly (readonly [string, Verb<any, any, any>, Place, unknown])[] = [
    ['discover', kind.discover, home.place, subject.application],
    [
      'capture.start',
      kind.capture.start,
      home.place,
      captureWorks(other, { ...newCut(stage), instant: cut.instant! }, pointNamed(subject, 8)),
    ],
    ['capture.settle', kind.capture.settle, home.place, await startedOf(kind.capture, captures, home.place)],
    ['copy.start', kind.copy.start, vault.place, copyWorks(subject, cut, artifacts, 8)],
    [
      'copy.settle',
      kind.copy.settle,
      vault.place,
      await startedOf(kind.copy, copyWorks(subject, cut, artifacts, 9), vault.place),
    ],
    ['restore.start', kind.restore.start, vault.place, restoreWorks(subject, copies, vault)],
    [
      'restore.settle',
      kind.restore.settle,
      vault.place,
      await startedOf(kind.restore, restoreWorks(subject, copies, vault), vault.place),
    ],
    ['preview', kind.preview, vault.place, restoreWorks(subject, copies, vault)],
    ['strays', kind.strays, vault.place, { application: subject.application.name }],
    ['expire', kind.expire, vault.place, copies.map(({ id }) => ({ id }))],
  ];
  for (const [name, verb, place, input] of asked) {
    if (Object.keys(verb.calls).length === 0 || (Array.isArray(input) && input.length === 0)) continue;
    let calls = 0;
    const refuse = () => {
      calls++;
      return 'refuse' as const;
    };
    const throttled = disturbed(stage.transport, refuse, answerOf('ThrottlingException', 400));
    const soon = await outcomeOf(at(verb, stage, place, throttled)(input));
    if (calls === 0) continue; // it asked nothing of AWS, so there was nothing to classify
    must(
      soon.error instanceof Transient,
      `${name} answers a throttle with ${soon.error?.name ?? JSON.stringify(soon.value)}, not with Transient.`,
    );
    const denied = disturbed(stage.transport, () => 'refuse', answerOf('UnauthorizedOperation', 403));
    const never = await outcomeOf(at(verb, stage, place, denied)(input));
    must(
      (never.error?.message ?? JSON.stringify(never.value)).includes('UnauthorizedOperation'),
      `${name} swallows a refusal: ${JSON.stringify(never)}.`,
    );
    must(!(never.error instanceof Transient), `${name} calls a refusal Transient: it would be tried for ever.`);
  }
};

export async function outcomeOf(asked: Promise<unknown>): Promise<{ value?: unknown; error?: Error }> {
  try {
    return { value: await asked };
  } catch (error) {
    return { error: classify(error) };
  }
}
