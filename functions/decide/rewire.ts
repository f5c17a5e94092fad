import type { Place, Rename } from '../domain.ts';

/** A text with its old names replaced, and which they were. */
export interface Rewired {
  readonly text: string;
  readonly changes: readonly Rename[];
}

/**
 * Where a string stands. In `settings` (ConfigMaps, Secrets, environment, arguments) a bare name such as a table's may be meant. Elsewhere
 * (names, selectors, references) the same word is more likely a Service or a Deployment, and only what cannot be mistaken is replaced.
 */
export type Where = 'settings' | 'structure';

export type Rewire = (text: string, where: Where) => Rewired;

/** Something in a text that still names what is lost: an ARN, a host, an id, a zone, a region, an account. */
export interface Suspicion {
  readonly what: 'ARN' | 'host' | 'id' | 'zone' | 'region' | 'account';
  readonly names: string;
}

/** What a restored text should not name any more. */
export interface Lost {
  /** Absent where the target lies in the same region (or account). */
  readonly region?: string;
  readonly account?: string;
  /** Identifiers that have become others. */
  readonly was: ReadonlySet<string>;
  /** Identifiers that were made for this restore, and are no suspicion. */
  readonly is: ReadonlySet<string>;
}

/**
 * Compiles renames into one pass over a text, the longest first, whole tokens only: `shop` is not found in `workshop` nor in `shop-media`,
 * and what was put in is not looked at again.
 */
export function rewiring(renames: readonly Rename[]): Rewire {
  const useful = renames.filter(({ was, is }) => was !== '' && was !== is).sort((a, b) => b.was.length - a.was.length);
  const byName = new Map(useful.map((rename) => [rename.was, rename]));
  const compile = (chosen: readonly Rename[]): RegExp | undefined =>
    chosen.length === 0 ? undefined : new RegExp(chosen.map(pattern).join('|'), 'gm');
  const patterns: Record<Where, RegExp | undefined> = {
    settings: compile(useful),
    structure: compile(useful.filter(unmistakable)),
  };
  return (text, where) => {
    const changes = new Map<string, Rename>();
    const found = patterns[where];
    const replaced = found
      ? text.replace(found, (was) => {
          const rename = byName.get(was)!;
          changes.set(was, rename);
          return rename.is;
        })
      : text;
    return { text: replaced, changes: [...changes.values()] };
  };
}

/** The same for base64 as Secrets keep it: decoded, replaced, encoded again. What is not text is left alone. */
export function rewireBase64(encoded: string, rewire: Rewire): Rewired {
  const text = decodeText(encoded);
  const rewired = text === undefined ? undefined : rewire(text, 'settings');
  if (!rewired || rewired.changes.length === 0) return { text: encoded, changes: [] };
  return { ...rewired, text: Buffer.from(rewired.text).toString('base64') };
}

/** The text that base64 stands for; undefined where the bytes are not UTF-8. */
export function decodeText(encoded: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}

/**
 * The renames that follow from the places alone: the hosts of ECR's registries, which replication fills under the same repository names.
 * Nothing else is guessed, for no other name is sure to exist at the target.
 */
export function placeRenames(home: Place, target: Place): Rename[] {
  const host = ({ account, region }: Place, form: string) => form.replace('ACCOUNT', account).replace('REGION', region);
  return ['ACCOUNT.dkr.ecr.REGION.amazonaws.com', 'ACCOUNT.dkr-ecr.REGION.on.aws', 'ACCOUNT.dkr.ecr-fips.REGION.amazonaws.com']
    .map((form): Rename => ({ was: host(home, form), is: host(target, form), what: 'registry' }))
    .filter(({ was, is }) => was !== is);
}

/** What a text restored from `home` into `target` should not name any more. */
export const lostBy = (home: Place, target: Place, renames: readonly Rename[]): Lost => ({
  ...(home.region === target.region ? {} : { region: home.region }),
  ...(home.account === target.account ? {} : { account: home.account }),
  was: new Set(renames.filter((rename) => rename.was !== rename.is && unmistakable(rename)).map(({ was }) => was)),
  is: new Set(renames.map(({ is }) => is)),
});

/** Every name of something lost in a text, the longest name of each place only: an ARN, not also the region inside it. */
export function suspicions(text: string, lost: Lost): Suspicion[] {
  const found: (Suspicion & { from: number; to: number })[] = [];
  for (const { what, pattern, isLost } of LOOKS) {
    for (const match of text.matchAll(pattern)) {
      const names = match[0].replace(/[.:/-]+$/, '');
      const [from, to] = [match.index, match.index + names.length];
      if (found.some((other) => other.from <= from && to <= other.to) || !isLost(names, lost)) continue;
      found.push({ what, names, from, to });
    }
  }
  return [...new Map(found.map(({ what, names }) => [names, { what, names }])).values()];
}

const WORD = '[A-Za-z0-9_-]';

/** An id of EC2 or EFS: a prefix and 8 or 17 hexadecimal digits (EC2 user guide, "Resource IDs"). */
const ID = /^(?:[a-z]+-)+(?:[0-9a-f]{8}|[0-9a-f]{17})$/;
const ZONE_OR_REGION = /^[a-z]{2}(?:-[a-z]+)+-\d+[a-z]?$/;

/** Whether a name can only mean the thing itself, wherever it stands. */
const unmistakable = ({ was }: Rename): boolean => /[:/.]/.test(was) || ID.test(was) || ZONE_OR_REGION.test(was);

/**
 * How a name is recognised. What cannot be mistaken needs only ends of tokens around it. A bare name must be a value: the whole text, a
 * line, quoted, or behind `=`, `: `, `- ` or a comma; a bucket's also within an S3 address. A Service's short name (`cart.shop`) must not go on
 * as another host (`cart.shop.example.com`).
 */
function pattern(rename: Rename): string {
  const name = rename.was.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (unmistakable(rename)) {
    const before = /^\w/.test(rename.was) ? `(?<!${WORD})` : '';
    const after = rename.what === 'service' ? `(?!${WORD}|\\.[A-Za-z])` : /\w$/.test(rename.was) ? `(?!${WORD})` : '';
    return `${before}${name}${after}`;
  }
  const behind = String.raw`(?:^|["'=,]|:[ \t]+|-[ \t]+|--[\w-]+[ \t]+)`;
  const ahead = String.raw`(?!["']\s*:)(?=$|["',;&}\])\r]|[ \t]+#|[ \t]*$)`;
  const value = `(?<=${behind})${name}${ahead}`;
  return rename.what === 'bucket'
    ? `${value}|(?<=\\bs3[an]?://)${name}(?!${WORD})|(?<![\\w.-])${name}(?=\\.s3[.-])|(?<=\\.amazonaws\\.com/)${name}(?!${WORD})`
    : value;
}

/** `use1`, as ElastiCache and others shorten `us-east-1` in their hosts. */
function shortRegion(region: string): string {
  const [area = '', ...rest] = region.split('-');
  const number = rest.pop() ?? '';
  const letters = rest
    .join('')
    .replace(/(north|south)?(east|west)?(central)?(gov)?/g, (_, ns = '', ew = '', c = '', gov = '') =>
      [ns, ew, c, gov].map((part: string) => part.slice(0, 1)).join(''),
    );
  return `${area}${letters}${number}`;
}

interface Look {
  readonly what: Suspicion['what'];
  readonly pattern: RegExp;
  isLost(names: string, lost: Lost): boolean;
}

/** From the longest kind of name to the shortest. */
const LOOKS: readonly Look[] = [
  {
    what: 'ARN',
    pattern: /arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:[^\s"'`,;<>{}()[\]\\]+/g,
    isLost: (arn, lost) => {
      if (lost.was.has(arn)) return true;
      if (lost.is.has(arn)) return false;
      const [, , , region, account] = arn.split(':');
      return (lost.region !== undefined && region === lost.region) || (lost.account !== undefined && account === lost.account);
    },
  },
  {
    what: 'host',
    pattern: /(?<![\w.-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+/g,
    isLost: (host, lost) => {
      if (lost.was.has(host)) return true;
      if (lost.is.has(host)) return false;
      const labels = host.split('.');
      const { region, account } = lost;
      const inRegion = (label: string) =>
        label === region ||
        label === shortRegion(region!) ||
        label.endsWith(`-${region}`) ||
        (label.startsWith(region!) && /^[a-z]$/.test(label.slice(region!.length)));
      return (region !== undefined && labels.some(inRegion)) || (account !== undefined && labels.includes(account));
    },
  },
  {
    what: 'id',
    pattern: /(?<![\w-])(?:[a-z]+-)+(?:[0-9a-f]{17}|[0-9a-f]{8})(?![\w-])/g,
    /** Ids belong to a region: in another one, none of the old can be right but those that a rename has put there. */
    isLost: (id, lost) => lost.was.has(id) || (lost.region !== undefined && REGIONAL_ID.test(id) && !lost.is.has(id)),
  },
  {
    what: 'zone',
    pattern: /(?<![\w-])[a-z]{2}(?:-[a-z]+)+-\d+[a-z](?![\w-])/g,
    isLost: (zone, lost) => lost.was.has(zone) || zone.slice(0, -1) === lost.region,
  },
  {
    what: 'region',
    pattern: /(?<![A-Za-z0-9-])[a-z]{2}(?:-[a-z]+)+-\d+(?![A-Za-z0-9-])/g,
    isLost: (region, lost) => region === lost.region,
  },
  { what: 'account', pattern: /(?<!\d)\d{12}(?!\d)/g, isLost: (account, lost) => account === lost.account },
];

const REGIONAL_ID =
  /^(?:vol|snap|sg|subnet|vpc|eni|fs|fsap|fsmt|i|ami|rtb|lt|eipalloc|acl|igw|nat|vpce|tgw|pl|sgr)-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;
