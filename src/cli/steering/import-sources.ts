import { basename } from 'node:path';
import { InputError } from '../../model/problem.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { ZoneFile } from '../../planes/steering/import/zone-file.ts';
import type { SteeringReason } from '../../planes/steering/reasons.ts';

/** A zone to import, and its name in lower case without the last dot. */
export interface FoundZone {
  readonly zone: string;
  readonly file: ZoneFile;
}

/** What a zone file may hold at most; octoDNS and master files have some 100 bytes for a record. */
const mostBytes = 32 << 20;

export const cleanZone = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Reads the YAML file of one zone of octoDNS; its name is that of the zone. */
export async function zoneOfYaml(file: string, zone: string | undefined): Promise<FoundZone> {
  const { parseZoneFile } = await import('../../planes/steering/import/octodns.ts');
  const fix = 'name the YAML file of one zone, as the YamlProvider of octoDNS has it (not a folder of a split zone)';
  const text = await textOf(file, fix);
  try {
    const value = await valueOf(file, text, fix);
    return { zone: cleanZone(zone ?? basename(file).replace(/\.ya?ml$/, '')), file: parseZoneFile(value) };
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(file, messageOf(error), fix);
  }
}

/** Reads a master file, as BIND has it; the zone is that of the option, else of its SOA. */
export async function zoneOfMaster(file: string, zone: string | undefined): Promise<FoundZone> {
  const { MasterFileError, parseMasterFile } = await import('../../planes/steering/import/master-file.ts');
  const { zoneOfMasterFile, zoneOfSoa } = await import('../../planes/steering/import/bind.ts');
  const fix =
    'name the file of one zone, with its own records alone (named-compilezone writes such a file), and --zone';
  const text = await textOf(file, fix);
  try {
    const origin = cleanZone(zone ?? nameOfFile(file));
    const records = parseMasterFile(text, origin);
    const found = cleanZone(zone ?? zoneOfSoa(records) ?? origin);
    return { zone: found, file: zoneOfMasterFile(records, found, file) };
  } catch (error) {
    if (!(error instanceof MasterFileError)) throw error;
    throw unreadable(file, error.message, fix, error.line);
  }
}

/** `video.example` of `db.video.example`, `video.example.zone` and the like. */
function nameOfFile(file: string): string {
  return basename(file)
    .replace(/^db\./, '')
    .replace(/\.(?:zone|db|hosts|txt)$/, '');
}

async function textOf(file: string, fix: string): Promise<string> {
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const bytes = await readBounded(file, mostBytes).catch((error: unknown) => {
    throw unreadable(file, messageOf(error), fix);
  });
  return bytes.toString('utf8');
}

/** The value of YAML text. Its own check for keys that stand twice compares each with each, which takes minutes for a large zone. */
async function valueOf(file: string, text: string, fix: string): Promise<unknown> {
  const { isMap, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const options = { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;
  const document = parseDocument(text, options);
  const [error] = document.errors;
  if (error !== undefined) throw unreadable(file, error.message, fix, lineCounter.linePos(error.pos[0]).line);
  const names = new Set<string>();
  for (const { key } of isMap(document.contents) ? document.contents.items : []) {
    const name = String(key);
    if (names.has(name)) throw unreadable(file, `the record ${name} stands there twice`, fix);
    names.add(name);
  }
  return document.toJS();
}

function unreadable(file: string, message: string, fix: string, line?: number): InputError {
  const reason: SteeringReason = 'ZoneFileUnreadable';
  return new InputError({ reason, file, ...withoutUndefined({ line }), message, fix });
}
