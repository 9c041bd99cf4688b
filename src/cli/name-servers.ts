import { type Command, InvalidArgumentError, Option } from 'commander';
import type { NameServer } from '../observe/ask-dns.ts';

export interface NameServerArguments {
  readonly nameServer: readonly NameServer[];
}

/** Adds the option that names the name servers to ask, the same for every command that asks them. */
export function addNameServerOption(command: Command): Command {
  return command.addOption(
    new Option('--name-server <address[:port]>', 'ask this one (default: those of the zone); may be repeated')
      .argParser(parseNameServers)
      .env('TIDELINE_NAME_SERVERS')
      .default([], 'NS records of the zone'),
  );
}

/** One, or several with commas between them, as an environment variable has them; an empty one names none. */
function parseNameServers(text: string, before: readonly NameServer[]): readonly NameServer[] {
  if (text === '') return before;
  return [...before, ...text.split(',').map(parseNameServer)];
}

function parseNameServer(text: string): NameServer {
  const [, bracketed, plain, port = '53'] =
    /^(?:\[([\da-fA-F:.]+)\]|([\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*:[\da-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('Expected ADDRESS or ADDRESS:PORT, of IPv6 [ADDRESS]:PORT.');
  return { address, port: Number(port) };
}
