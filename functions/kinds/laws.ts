import { captureSettles, captureTwiceIsOne, vanishedFails } from './laws/capture.ts';
import { copyTwiceIsOne, pointsStandAlone } from './laws/copy.ts';
import { findsExactly, restoredIsNoMember } from './laws/discover.ts';
import { inSmallPages } from './laws/disturb.ts';
import { errorsAreClassified, lostAnswersLeaveOne } from './laws/errors.ts';
import { expireTwiceIsOne, leavesOthersAlone, straysFind } from './laws/expire.ts';
import { previewTells, restoresAtHome, restoresWithHomeDark, restoreTwiceIsOne } from './laws/restore.ts';
import { nothingIsNothing, tellsItsLosses } from './laws/shape.ts';
import type { Law } from './laws/stage.ts';

export type { Proof } from './proof.ts';

const everyLaw: Readonly<Record<string, Law>> = {
  'discovery finds exactly what the scope says': findsExactly,
  'a capture settles': captureSettles,
  'capturing twice makes one artifact': captureTwiceIsOne,
  'strays finds what was made': straysFind,
  'what was captured is restored at home as it was, beside the original': restoresAtHome,
  'what was copied is restored in the vault with home dark': restoresWithHomeDark,
  'restoring twice is one restore': restoreTwiceIsOne,
  'what was restored is no member of the application by itself': restoredIsNoMember,
  'copying twice is one copy': copyTwiceIsOne,
  'points stand alone, whatever they share': pointsStandAlone,
  'expiring twice is one expiry': expireTwiceIsOne,
  'expire leaves alone what we did not make': leavesOthersAlone,
  'a lost answer leaves one survivor': lostAnswersLeaveOne,
  'errors are classified, never swallowed': errorsAreClassified,
  'what vanished fails with a sentence': vanishedFails,
  'a preview tells and changes nothing': previewTells,
  'a verb asked for nothing answers nothing': nothingIsNothing,
  'what is lost is told': tellsItsLosses,
};

/** The laws by what they say. Each is held in the smallest pages that AWS gives. */
export const laws: Readonly<Record<string, Law>> = Object.fromEntries(
  Object.entries(everyLaw).map(([sentence, law]): [string, Law] => [
    sentence,
    (kind, proof, stage) => law(kind, proof, { ...stage, transport: inSmallPages(stage.transport) }),
  ]),
);
