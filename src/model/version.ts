/** Versions of three numbers, `1.36.3`, as the spec has them: major, minor, patch. */

export function versionNumbers(version: string): readonly [major: number, minor: number, patch: number] {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return [major, minor, patch];
}

/** The second number of a version: 36 of 1.36.3. */
export function minorOf(version: string): number {
  return versionNumbers(version)[1];
}

/** Orders versions, the older one first. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionNumbers(a), versionNumbers(b)];
  const differs = left.findIndex((part, index) => part !== right[index]);
  return differs < 0 ? 0 : (left[differs] ?? 0) - (right[differs] ?? 0);
}
