import type { Distribution } from '../../../../answers/distribution.ts';
import type { RecordSet } from '../../../../answers/record.ts';
import { type AddressType, addressTypes, type HealthCheck } from '../../compile/entries.ts';
import type { Dialect, Reading, View } from '../dialect.ts';
import { route53Dialect } from '../route53/dialect.ts';
import { rememberViews } from '../views.ts';
import { compileLua } from './lua.ts';
import { Program } from './program.ts';

/** One LUA record set a host, which decides by itself. */
export const powerDnsDialect: Dialect = {
  title: 'PowerDNS',
  limits: {
    recordsPerName: 1,
    levels: 1,
    /** PowerDNS has no limit of its own for these; they keep a request as small as one to Route 53. */
    values: 400,
    batch: { elements: 1000, characters: 32_000 },
  },
  answerTypes: ['A', 'AAAA', 'LUA'],
  compile: compileLua,
  interpret,
};

/** Records that are no LUA answer as they stand, which is what Route 53 makes of a record without routing. */
function interpret(records: readonly RecordSet[]): Reading {
  const scripts = scriptsByHost(records);
  const plain = route53Dialect.interpret(records);
  const remember = rememberViews<Program | Script>();
  return {
    types(host) {
      const script = scripts.get(host);
      return script === undefined ? plain.types(host) : addressTypes.filter((type) => script.programs.has(type));
    },
    view(host, type, failed) {
      const script = scripts.get(host);
      if (script === undefined) return plain.view(host, type, failed);
      const program = script.programs.get(type);
      return remember(failed, program ?? script, () => viewOf(program, script, failed));
    },
  };
}

function viewOf(program: Program | undefined, { otherwise }: Script, failed: readonly HealthCheck[]): View {
  if (program === undefined) return { answer: () => otherwise, trace: () => [], clusterOf: () => undefined };
  return {
    answer: program.without(new Set(failed.map(({ address }) => address))),
    trace: () => [],
    clusterOf: (address) => program.clusterOf(address),
  };
}

/** What a LUA record of a host holds. */
interface Script {
  readonly programs: ReadonlyMap<AddressType, Program>;
  /** The answer for a type that no program is for: none, or nobody knows when part of the record is not ours. */
  readonly otherwise: Distribution;
}

const nothing: Distribution = new Map();
const unknownScript: Distribution = new Map([['an unknown script', 1]]);

function scriptsByHost(records: readonly RecordSet[]): ReadonlyMap<string, Script> {
  // The hosts of a policy have the same script: parsed once, it is also evaluated once.
  const known = new Map<string, Program | undefined>();
  const programOf = (value: string): Program | undefined => {
    if (!known.has(value)) known.set(value, Program.parse(value));
    return known.get(value);
  };
  return new Map(
    records.flatMap(({ name, type, target }) =>
      type === 'LUA' && target.kind === 'values' ? [[name, scriptOf(target.values.map(programOf))] as const] : [],
    ),
  );
}

function scriptOf(values: readonly (Program | undefined)[]): Script {
  const ours = values.filter((program) => program !== undefined);
  return {
    programs: new Map(ours.map((program) => [program.type, program])),
    otherwise: ours.length === values.length ? nothing : unknownScript,
  };
}
