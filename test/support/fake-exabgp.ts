const [first, second] = ['10.1.0.1', '10.1.0.2'] as const;

/**
 * Answers as ExaBGP 4.2 does, in order; `refuse` makes it refuse a prefix (`refuseToSecond` only to the second neighbour), `forget` makes
 * it leave one command unanswered.
 */
export class FakeExabgp {
  readonly commands: string[] = [];
  /** Of the first neighbour, and of one that only a relay with two sessions speaks of. */
  readonly rib = new Map<string, string>();
  readonly ribOfSecond = new Map<string, string>();
  refuseToSecond = '';
  refuse = '';
  forget = '';
  established = true;

  answer(line: string): readonly string[] {
    this.commands.push(line);
    if (this.forget !== '' && line.includes(this.forget)) {
      this.forget = '';
      return [];
    }
    if (line === 'show neighbor summary') {
      const sessions = [first, second].map(
        (address) => `${address}        65010     0:00:06 established           5          1`,
      );
      return [
        'Peer            AS        up/down state       |     #sent     #recvd',
        ...(this.established ? sessions : []),
        'done',
      ];
    }
    if (line === 'show adj-rib out extensive')
      return [...shown(first, this.rib), ...shown(second, this.ribOfSecond), 'done'];
    if (line.includes(' announce eor ')) return [this.established ? 'done' : 'error'];
    const match = /^neighbor (10\.1\.0\.[12]) (announce|withdraw) attributes (.*) nlri (.*)$/.exec(line);
    const prefixes = match?.[4]?.split(' ') ?? [];
    const toSecond = match?.[1] === second;
    if (match === null || prefixes.includes(this.refuse) || (toSecond && prefixes.includes(this.refuseToSecond)))
      return ['error'];
    const rib = toSecond ? this.ribOfSecond : this.rib;
    for (const prefix of prefixes) {
      if (match[2] === 'announce') rib.set(prefix, match[3] ?? '');
      else rib.delete(prefix);
    }
    return ['done'];
  }
}

/** A table as `show adj-rib out extensive` prints it. */
function shown(neighbor: string, rib: ReadonlyMap<string, string>): readonly string[] {
  return [...rib].map(
    ([prefix, rest]) => `neighbor ${neighbor} local-ip x ipv4 unicast ${prefix} ${rest.replace(/\[(.*)\]/, '[ $1 ]')}`,
  );
}
