import type { KubeReason } from '../reasons.ts';

/** Where the fault is and what to do about it, as far as that is known. */
interface Details {
  readonly line?: number;
  readonly expected?: string;
  readonly fix?: string;
}

/** The error for a file that is refused as a whole. */
export class BadFile extends Error {
  readonly reason: KubeReason;
  readonly line: number | undefined;
  readonly details: Details;
  constructor(reason: KubeReason, message: string, details: Details = {}) {
    super(message);
    this.name = 'BadFile';
    this.reason = reason;
    this.line = details.line;
    this.details = details;
  }
}
