/**
 * A model of how ingress-nginx (controller.go, location.go and template.go of its 1.12) makes locations of the Ingresses of a
 * host, and of how nginx chooses among them.
 */

export interface NginxPath {
  readonly text: string;
  readonly type: 'Exact' | 'Prefix' | 'ImplementationSpecific';
}

/** An Ingress; a list of them is in the order of their age. */
export interface PathOwner {
  readonly limits: boolean;
  /** It has `use-regex`. */
  readonly regex: boolean;
  readonly paths: readonly NginxPath[];
}

interface Location extends NginxPath {
  readonly owner: PathOwner;
}

export type Answer = 'open' | 'limited' | 'nobody';

/** Whether the Ingress that answers for a path limits access. */
export function whoServes(owners: readonly PathOwner[], uri: string): Answer {
  const locations = locationsOf(owners);
  const regex = locations.some(({ owner }) => owner.regex);
  const found = regex ? byRegex(locations, uri) : byText(locations, uri);
  return found === undefined ? 'nobody' : found.owner.limits ? 'limited' : 'open';
}

function locationsOf(owners: readonly PathOwner[]): readonly Location[] {
  const given = new Map<string, Location>();
  for (const owner of owners)
    for (const { text, type } of owner.paths) {
      const key = `${type} ${text}`;
      if (!given.has(key)) given.set(key, { text, type, owner });
    }
  const exact = new Set([...given.values()].filter(({ type }) => type === 'Exact').map(({ text }) => text));
  return [...given.values()].flatMap((location): readonly Location[] => {
    const { text, type, owner } = location;
    if (text === '/' || type !== 'Prefix' || owner.regex) return [location];
    const slashed = { ...location, text: text.endsWith('/') ? text : `${text}/` };
    return exact.has(text) ? [slashed] : [slashed, { ...location, type: 'Exact' }];
  });
}

function byRegex(locations: readonly Location[], uri: string): Location | undefined {
  const order = locations.toSorted((a, b) => {
    if (a.text.length !== b.text.length) return b.text.length - a.text.length;
    return a.text === b.text ? 0 : a.text < b.text ? 1 : -1;
  });
  return order.find(({ text }) => new RegExp(`^${text}`, 'i').test(uri));
}

function byText(locations: readonly Location[], uri: string): Location | undefined {
  const exact = locations.find(({ type, text }) => type === 'Exact' && text === uri);
  if (exact !== undefined) return exact;
  let best: Location | undefined;
  for (const location of locations)
    if (location.type !== 'Exact' && uri.startsWith(location.text) && location.text.length > (best?.text.length ?? 0))
      best = location;
  return best;
}
