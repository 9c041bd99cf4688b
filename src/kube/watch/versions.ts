/**
 * Whether a resourceVersion is older than one of the same resource. Versions of Kubernetes' own resources are numbers of one
 * history (KEP 5504); of others, such as those of an aggregated API, nothing is known: they are never older.
 */
export function isOlder(version: string, than: string | undefined): boolean {
  if (than === undefined || !isNumber(version) || !isNumber(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}

function isNumber(version: string): boolean {
  return /^[1-9]\d*$/.test(version);
}
