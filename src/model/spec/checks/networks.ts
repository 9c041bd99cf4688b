import { comparePrefixes, contains, type Prefix, parsePrefix, widened } from '../../address.ts';
import { longestNetwork } from '../../geo/networks.ts';
import type { Path } from '../document.ts';
import type { TrafficPolicy } from '../kinds.ts';
import type { Report, Valid } from '../objects.ts';
import { isTooWide, widestText } from './prefixes.ts';

interface Named {
  readonly path: Path;
  readonly network: Prefix;
}

/** Resolvers tell of every network of the rules, and no address is in two of them, so that one rule decides for it. */
export function checkNetworks({ at, value }: Valid<TrafficPolicy>, report: Report): void {
  const named = value.spec.rules.flatMap(({ networks = [] }, index) =>
    networks.flatMap((text, position): readonly Named[] => {
      const network = parsePrefix(text);
      return network === undefined ? [] : [{ path: ['spec', 'rules', index, 'networks', position], network }];
    }),
  );
  for (const { path, network } of named) {
    const longest = longestNetwork[network.family];
    if (isTooWide(network))
      report(at, path, {
        reason: 'PrefixTooWide',
        message: `${network.text} is too wide to be one network of clients`,
        expected: widestText(network),
        fix: 'list the networks that are meant, or let spec.default answer everyone',
      });
    if (network.length > longest)
      report(at, path, {
        reason: 'NetworkTooNarrow',
        message: `${network.text} is more specific than what can be told apart: name servers are asked with a part of a client's address`,
        expected: `a length of at most ${longest} for IPv${network.family}`,
        fix: `write ${widened(network, longest).text}, if all of it is to be answered so`,
      });
  }
  // In sorted order a prefix comes right before all prefixes that it contains.
  let outer: Named | undefined;
  for (const next of named.toSorted((a, b) => comparePrefixes(a.network, b.network))) {
    if (outer === undefined || !contains(outer.network, next.network)) {
      outer = next;
      continue;
    }
    report(at, next.path, {
      reason: 'NetworksOverlap',
      message: `${next.network.text} is in ${outer.network.text}, which line ${at.document.lineOf(outer.path)} names`,
      expected: 'networks that share no address',
      fix: 'remove one, or write the parts of the wider one that are meant',
    });
  }
}
