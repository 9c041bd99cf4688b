import type { HealthCheck } from '../compile/entries.ts';
import type { View } from './dialect.ts';

/**
 * Caches views by a key of the records they read, as long as the array of failed checks is the same. Hosts with the same records
 * get the same view, so that a hundred hosts of a policy are verified as one.
 */
export function cacheViews<Key>(): (failed: readonly HealthCheck[], key: Key, make: () => View) => View {
  let last: { readonly failed: readonly HealthCheck[]; readonly views: Map<Key, View> } | undefined;
  return (failed, key, make) => {
    if (last?.failed !== failed) last = { failed, views: new Map() };
    const view = last.views.get(key) ?? make();
    last.views.set(key, view);
    return view;
  };
}
