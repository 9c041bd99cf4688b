import type { HealthCheck } from '../compile/entries.ts';
import type { View } from './dialect.ts';

/**
 * Remembers views by what they are of, as long as the array of failed checks is the same. Hosts that hold the same records are
 * given the same view, so that whoever judges a hundred hosts of a policy judges one.
 */
export function rememberViews<Key>(): (failed: readonly HealthCheck[], of: Key, make: () => View) => View {
  let last: { readonly failed: readonly HealthCheck[]; readonly views: Map<Key, View> } | undefined;
  return (failed, of, make) => {
    if (last?.failed !== failed) last = { failed, views: new Map() };
    const view = last.views.get(of) ?? make();
    last.views.set(of, view);
    return view;
  };
}
