import { InputError } from '../../model/problem.ts';

/** Why a command of the fleet ends without a result. */
export const fleetReasons = {
  NoFleet: 'The platform spec has no Fleet, so nobody says what servers are to be.',
  FlagRemoved: 'A command line has a flag that this version of the program refuses at its start. A fault of ours.',
  FolderNotCompiled: 'The folder has no documents that `tideline fleet compile` wrote, or one of them cannot be read.',
  SourceUnreadable: 'What an import is to read is no list of servers, no grains or no NetBox.',
  MappingUnfit: 'An option of an import says what a text means in a way that means nothing.',
  NetboxRefused: 'NetBox refuses what it was asked for: the token, or a filter.',
  NetboxUnreachable: 'NetBox did not answer, several times.',
  SigningKeyUnfit:
    'The private key that documents are to be signed by cannot be read, is of another kind, or others may read it.',
  FolderNotWritten: 'A file of the folder of documents could not be written.',
} as const;
export type FleetReason = keyof typeof fleetReasons;

export function badFleet(reason: FleetReason, message: string, fix: string): InputError {
  return new InputError({ reason, message, fix });
}
