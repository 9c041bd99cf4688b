import { compareText } from '../../model/values.ts';
import type { ServerDocument } from './compile/document.ts';
import { type Called, ofSilent } from './run/reach.ts';

/** What is not as it should be with one server; a server without any is as the spec says. */
export interface ServerStatus {
  readonly server: string;
  readonly problems: readonly string[];
  /** Days until its first certificate ends; absent where nobody knows. */
  readonly certificateDays?: number;
}

export interface StatusInput {
  readonly documents: ReadonlyMap<string, ServerDocument>;
  /** Servers that have not got their document yet. */
  readonly pending: ReadonlySet<string>;
  /** What `tideline_units.status` of each server said. */
  readonly answers: ReadonlyMap<string, Called>;
  readonly nowMs: number;
}

const dayMs = 86_400_000;
/** Certificates are signed again when a third of a year is left; who has less than this was forgotten. */
const soonDays = 30;

/** The desired state of each server against the real one, by name. */
export function statusOf({ documents, pending, answers, nowMs }: StatusInput): readonly ServerStatus[] {
  return [...documents.values()]
    .map(({ server, artifacts }): ServerStatus => {
      const { id } = server;
      const unapplied = pending.has(id) ? ['has not got its document'] : [];
      const real = answers.get(id);
      if (real === undefined || 'silent' in real)
        return { server: id, problems: [ofSilent('does not answer', real), ...unapplied] };
      if ('error' in real) return { server: id, problems: [`cannot say how it is: ${real.error}`, ...unapplied] };
      const { versions, failed, stale, reboot, certificates } = viewOf(real.value);
      const days = Object.values(certificates).map((end) => Math.floor((end * 1000 - nowMs) / dayMs));
      const first = days.length === 0 ? undefined : Math.min(...days);
      const other = Object.entries(versions).filter(([name, version]) => artifacts[name]?.version !== version);
      return {
        server: id,
        problems: [
          ...unapplied,
          ...other.map(
            ([name, version]) =>
              `has ${name} ${version ?? 'not at all'} instead of ${artifacts[name]?.version ?? 'none'}`,
          ),
          ...(failed.length === 0 ? [] : [`does not run ${failed.join(', ')}`]),
          ...Object.entries(stale).map(([unit, newer]) => `runs ${unit} with an older ${newer}`),
          ...(reboot ? ['waits for a reboot'] : []),
          ...(first === undefined || first >= soonDays ? [] : [`has a certificate that ends in ${first} days`]),
        ],
        ...(first === undefined ? {} : { certificateDays: first }),
      };
    })
    .toSorted((a, b) => compareText(a.server, b.server));
}

interface View {
  readonly versions: Readonly<Record<string, string | null>>;
  readonly failed: readonly string[];
  readonly stale: Readonly<Record<string, string>>;
  readonly reboot: boolean;
  readonly certificates: Readonly<Record<string, number>>;
}

/** A server of an older version of these modules leaves fields out. */
function viewOf(value: unknown): View {
  const known = typeof value === 'object' && value !== null ? (value as Partial<View>) : {};
  return { versions: {}, failed: [], stale: {}, reboot: false, certificates: {}, ...known };
}
