/** The first of many servers on one line, and how many there are beside these. */
export function few(names: readonly string[]): string {
  return names.length <= 6 ? names.join(' ') : `${names.slice(0, 5).join(' ')} and ${names.length - 5} more`;
}
