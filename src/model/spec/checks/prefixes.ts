import { comparePrefixes, contains, type Prefix } from '../../address.ts';
import type { Path } from '../document.ts';
import type { Site } from '../kinds.ts';
import { type Declared, type Objects, type Report, valid, whereIs } from '../objects.ts';

interface Placed {
  readonly at: Declared<Site>;
  readonly path: Path;
  readonly role: 'pods' | 'servers' | 'vips';
  readonly cloud: boolean;
  readonly prefix: Prefix;
}

/** The widest prefix of each family that one site, or its proxies, may hold. */
const widest = { 4: 8, 6: 16 } as const;

export function isTooWide({ family, length }: Prefix): boolean {
  return length < widest[family];
}

/** What is expected in place of a prefix that is too wide. */
export function widestText({ family }: Prefix): string {
  return `a length of at least ${widest[family]} for IPv${family}`;
}

/**
 * No prefix overlaps another, whatever its role, within a site or between sites, so that an address tells its site. One
 * exception: several cloud sites may list the same `vips` prefix, written alike, since their anycast address is in each
 * of them.
 */
export function checkPrefixes(objects: Objects, report: Report): void {
  const placed = valid(objects.Site.byName.values()).flatMap(({ at, value }) => prefixesOf(at, value));
  for (const { at, path, prefix } of placed) {
    if (!isTooWide(prefix)) continue;
    report(at, path, {
      reason: 'PrefixTooWide',
      message: `${prefix.text} is too wide to be one site's`,
      expected: widestText(prefix),
      fix: 'list the prefixes that the site really has',
    });
  }
  // In sorted order a prefix comes right before all prefixes that it contains: those that contain the next one are a stack.
  const open: Placed[] = [];
  for (const next of placed.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))) {
    while (open.length > 0 && !contains((open.at(-1) ?? next).prefix, next.prefix)) open.pop();
    const clash = open.find((outer) => !mayShare(outer, next));
    if (clash !== undefined) overlap(clash, next, report);
    open.push(next);
  }
}

function prefixesOf(at: Declared<Site>, site: Site): readonly Placed[] {
  const cloud = site.spec.type === 'cloud';
  return (['pods', 'servers', 'vips'] as const).flatMap((role) =>
    site.spec.prefixes[role].map((prefix, index) => ({
      at,
      path: ['spec', 'prefixes', role, index],
      role,
      cloud,
      prefix,
    })),
  );
}

function mayShare(a: Placed, b: Placed): boolean {
  const alike = a.prefix.text === b.prefix.text && a.role === 'vips' && b.role === 'vips';
  return alike && a.cloud && b.cloud && a.at !== b.at;
}

function overlap(outer: Placed, inner: Placed, report: Report): void {
  const anycast = outer.role === 'vips' && inner.role === 'vips' && outer.cloud && inner.cloud && outer.at !== inner.at;
  report(inner.at, inner.path, {
    reason: 'OverlappingPrefixes',
    message: `${inner.prefix.text} overlaps ${outer.prefix.text}, the ${outer.role} of ${whereIs(outer.at, outer.path)}`,
    expected: anycast ? 'the same prefix in every cloud site, or prefixes apart' : 'prefixes that share no address',
    fix: anycast ? `write ${outer.prefix.text} in both` : 'give each its own range',
  });
}
