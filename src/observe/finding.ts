/**
 * What a snapshot says that a person should know, the worst first: `outage` means that users or pods cannot be reached by a
 * way that the spec promises; `fault`, that something does not work and nobody may have noticed; `unknown`, that nothing can be
 * said; `warning`, that it will become one of these; `note`, that it is so on purpose.
 */
export interface Finding {
  readonly severity: Severity;
  readonly subject: string;
  /** A clause that goes on after the subject. */
  readonly what: string;
  /** When it began, in milliseconds since the epoch, where that is known. */
  readonly sinceMs?: number;
  /** When it was seen first, where only that is known. */
  readonly seenMs?: number;
}

export const severities = ['outage', 'fault', 'unknown', 'warning', 'note'] as const;
export type Severity = (typeof severities)[number];
