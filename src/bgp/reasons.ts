/** Why a route is not announced, or not withdrawn, although the agent asked for it; and why the relay refused a message. */
export const reasons = {
  MalformedRoute: 'the prefix has host bits set or is no prefix, or an attribute is outside its range',
  DuplicatePrefix: 'the same prefix is asked for twice; the first one counts',
  NextHopFamilyMismatch: 'the next hop is of another family than the prefix',
  NoSessionForFamily:
    'no session carries the family of the prefix; ExaBGP would lose routes of the other family with it',
  DefaultRoute: 'a default route is never announced',
  PrefixTooShort: 'the prefix covers more than the allowed prefix it overlaps with',
  PrefixOutsideSite: "the prefix is in none of the site's allowed prefixes for its class",
  TooManyRoutes: "the server's maximum number of routes is reached; those already announced keep their place",
  AnnouncementRateExceeded: 'too many announcements in the last minute; the guard tries again when the window allows',
  WithdrawalRateExceeded:
    'too many withdrawals in the last minute; the route stays until the window allows its withdrawal',
  MassWithdrawal:
    'too large a part of the routes would go in one step; they stay until this was asked for long enough, or confirmed',
  RejectedByExabgp: 'ExaBGP answered `error`; the relay tries again, one prefix a line, every few seconds',
  SessionDown: 'a BGP session is not established; a router without a session has none of the routes',
  RelayAway: 'no relay answers on the socket: ExaBGP is not running, so no router has a session with this server',
  RelaySilent:
    'the relay is connected and says nothing for five seconds; what ExaBGP announces stays until the relay was killed and started anew',
  ExabgpSilent:
    'ExaBGP answers no command for six seconds; it sends no keepalives either, so the routers drop its sessions after the hold time',
  RoutesYield:
    'no agent was heard for 90 seconds, or the one in charge cannot read its cluster: the routes of pods and servers are announced with eight more AS-path prepends until that is over, so that a living server that announces the same prefix is preferred',
  AgentReplaced: 'another agent has taken charge of the relay; this one sends nothing until that one is gone',
  BadMessage: 'a line on the socket is no message of the protocol; it changes nothing',
} as const;
export type Reason = keyof typeof reasons;

export function isReason(text: unknown): text is Reason {
  return typeof text === 'string' && Object.hasOwn(reasons, text);
}
