import type { Verb } from '../../aws/verb.ts';
import { at, type Law, must } from './stage.ts';

/** A verb asked for nothing answers nothing. */
export const nothingIsNothing: Law = async (kind, _, stage) => {
  const verbs = [
    kind.capture.start,
    kind.capture.settle,
    kind.copy.start,
    kind.copy.settle,
    kind.restore.start,
    kind.restore.settle,
    kind.preview,
    kind.expire,
  ];
  for (const verb of verbs) {
    const answer = await at(verb as Verb<any, readonly never[], readonly unknown[]>, stage, stage.home.place)([]);
    must(answer.length === 0, `A verb that was asked for nothing answers ${JSON.stringify(answer)}.`);
  }
};

/** What a kind loses is told in sentences, for people. */
export const tellsItsLosses: Law = async (kind) => {
  must(kind.loses.length > 0, 'Every restore loses something: ids, at least.');
  for (const sentence of kind.loses) must(/^\p{Lu}.*\.$/u.test(sentence), `"${sentence}" is no sentence.`);
};
