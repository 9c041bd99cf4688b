/** Answers as ExaBGP 4.2 does, in order; `refuse` makes it refuse a prefix, `forget` makes it leave one command unanswered. */
export class FakeExabgp {
  readonly commands: string[] = [];
  readonly rib = new Map<string, string>();
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
      const session = '10.1.0.1        65010     0:00:06 established           5          1';
      return [
        'Peer            AS        up/down state       |     #sent     #recvd',
        ...(this.established ? [session] : []),
        'done',
      ];
    }
    if (line === 'show adj-rib out extensive')
      return [...this.rib]
        .map(
          ([prefix, rest]) =>
            `neighbor 10.1.0.1 local-ip x ipv4 unicast ${prefix} ${rest.replace(/\[(.*)\]/, '[ $1 ]')}`,
        )
        .concat('done');
    if (line.includes(' announce eor ')) return [this.established ? 'done' : 'error'];
    const match = /^neighbor 10\.1\.0\.1 (announce|withdraw) attributes (.*) nlri (.*)$/.exec(line);
    const prefixes = match?.[3]?.split(' ') ?? [];
    if (match === null || prefixes.includes(this.refuse)) return ['error'];
    for (const prefix of prefixes) {
      if (match[1] === 'announce') this.rib.set(prefix, match[2] ?? '');
      else this.rib.delete(prefix);
    }
    return ['done'];
  }
}
