/** The names of BGP's error codes and subcodes (RFC 4271, 4486, 5492, 6608, 8538, 9003, 9384). */
const names: Readonly<Record<number, readonly [name: string, ...subcodes: readonly string[]]>> = {
  1: ['Message Header Error', 'Connection Not Synchronized', 'Bad Message Length', 'Bad Message Type'],
  2: [
    'OPEN Message Error',
    'Unsupported Version Number',
    'Bad Peer AS',
    'Bad BGP Identifier',
    'Unsupported Optional Parameter',
    'Authentication Failure',
    'Unacceptable Hold Time',
    'Unsupported Capability',
  ],
  3: [
    'UPDATE Message Error',
    'Malformed Attribute List',
    'Unrecognized Well-known Attribute',
    'Missing Well-known Attribute',
    'Attribute Flags Error',
    'Attribute Length Error',
    'Invalid ORIGIN Attribute',
    'AS Routing Loop',
    'Invalid NEXT_HOP Attribute',
    'Optional Attribute Error',
    'Invalid Network Field',
    'Malformed AS_PATH',
  ],
  4: ['Hold Timer Expired'],
  5: [
    'Finite State Machine Error',
    'Receive Unexpected Message in OpenSent State',
    'Receive Unexpected Message in OpenConfirm State',
    'Receive Unexpected Message in Established State',
  ],
  6: [
    'Cease',
    'Maximum Number of Prefixes Reached',
    'Administrative Shutdown',
    'Peer De-configured',
    'Administrative Reset',
    'Connection Rejected',
    'Other Configuration Change',
    'Connection Collision Resolution',
    'Out of Resources',
    'Hard Reset',
    'BFD Down',
  ],
};

/** What a NOTIFICATION of this code and subcode says, as `Cease / Administrative Shutdown`. */
export function notificationText(code: number, subcode: number): string {
  const [name, ...subcodes] = names[code] ?? ['an error that no RFC names'];
  const more = subcodes[subcode - 1];
  return more === undefined ? name : `${name} / ${more}`;
}
