import type { EdgeNotice } from '../model/status.ts';

/** What a finding says of the agent itself. */
interface Own {
  readonly severity: 'fault' | 'warning';
  readonly what: string;
}

type Notice = Pick<EdgeNotice, 'subject' | 'reason' | 'message'>;

/** Notices of which a person reads each: more of one reason are counted, since a worker may have thousands of blocks. */
const mostOfReason = 3;

/** What is announced of pods, or of a blade, although something is wrong about it. `waits` are the reasons that doubts tell of. */
export function noticeFindings(notices: readonly Notice[], waits: (reason: string) => boolean): readonly Own[] {
  const told = notices.filter(({ reason }) => !waits(reason));
  return [...Map.groupBy(told, ({ reason }) => reason)].flatMap(([reason, those]) => {
    const findings = those.slice(0, mostOfReason).map((notice) => findingOf(notice));
    const more = those.length - findings.length;
    const [first] = findings;
    return more === 0 || first === undefined
      ? findings
      : [...findings, { severity: first.severity, what: `has ${more} more of these (${reason})` }];
  });
}

function findingOf({ subject, reason, message }: Notice): Own {
  switch (reason) {
    case 'RouteShadows':
    case 'RuleShadows':
      return {
        severity: 'fault',
        what: `sends packets to ${subject} elsewhere: ${message} (${reason})`,
      };
    case 'VipAddressLeft':
      return { severity: 'warning', what: `still has the address ${subject}: ${message} (${reason})` };
    case 'PoolEditWaits':
    case 'SiteEditWaits':
    case 'ExportBanWaits':
      return { severity: 'warning', what: `still announces ${subject}: ${message} (${reason})` };
    default:
      return { severity: 'warning', what: `announces ${subject} all the same: ${message} (${reason})` };
  }
}
