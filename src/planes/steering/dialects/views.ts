import type { AddressCheck, View } from './dialect.ts';

/** Caches views by `answersKey`, as long as the array of failed checks is the same: hosts that answer alike get the same view. */
export function cacheViews(): (failed: readonly AddressCheck[], key: string, make: () => View) => View {
  let last: { readonly failed: readonly AddressCheck[]; readonly views: Map<string, View> } | undefined;
  return (failed, key, make) => {
    if (last?.failed !== failed) last = { failed, views: new Map() };
    const view = last.views.get(key) ?? make();
    last.views.set(key, view);
    return view;
  };
}
