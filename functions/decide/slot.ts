/**
 * The slot of a restore point: when it was due and what asked for it. Two triggers of one slot make one point, so a schedule that fires
 * twice, a duplicated event and a repeated command all end in the same place.
 */

/** `20261122T040000Z-hourly`: sorts by time, safe in object keys, tags and execution names. */
export function slotOf(due: string | number | Date, asker: string): string {
  const at = new Date(due);
  if (Number.isNaN(at.getTime())) throw new RangeError(`"${String(due)}" is not a time that a restore point can be due at.`);
  const time = at
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${time}-${nameOf(asker)}`;
}

const SLOT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z0-9][a-z0-9-]*)$/;

/** When a slot was due, in milliseconds, and what asked for it. */
export function readSlot(slot: string): { due: number; asker: string } {
  const match = SLOT.exec(slot);
  if (!match) throw new RangeError(`"${slot}" is not a slot; one looks like 20261122T040000Z-hourly.`);
  const [, year, month, day, hour, minute, second, asker] = match;
  return { due: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`), asker: asker as string };
}

export const isSlot = (text: string): boolean => SLOT.test(text);

/** An execution's name: the slot under its application; Step Functions allows 80 characters and no colons. */
export const executionName = (application: string, slot: string): string => `${nameOf(application)}-${slot}`.slice(0, 80);

const nameOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '') || 'point';
