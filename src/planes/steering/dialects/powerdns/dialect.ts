import type { Distribution } from '../../../../answers/distribution.ts';
import type { RecordSet } from '../../../../answers/record.ts';
import { type AddressType, addressTypes, type HealthCheck } from '../../compile/entries.ts';
import type { Dialect, Reading, View } from '../dialect.ts';
import { route53Dialect } from '../route53/dialect.ts';
import { cacheViews } from '../views.ts';
import { compileLua } from './lua.ts';
import { Program } from './program.ts';

/** One LUA record set for each host, whose script chooses the answer. */
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

/**
 * A record that is no LUA record answers with its values, as a record without routing does in Route 53; so that dialect reads
 * it.
 */
function interpret(records: readonly RecordSet[]): Reading {
  const scripts = scriptsByHost(records);
  const plain = route53Dialect.interpret(records);
  const cachedView = cacheViews<Program | Script>();
  return {
    types(host) {
      const script = scripts.get(host);
      return script === undefined ? plain.types(host) : addressTypes.filter((type) => script.programs.has(type));
    },
    view(host, type, failed) {
      const script = scripts.get(host);
      if (script === undefined) return plain.view(host, type, failed);
      const program = script.programs.get(type);
      return cachedView(failed, program ?? script, () => viewOf(program, script, failed));
    },
  };
}

function viewOf(program: Program | undefined, { otherwise }: Script, failed: readonly HealthCheck[]): View {
  if (program === undefined) return { answer: () => otherwise, trace: () => [], clusterOf: () => undefined };
  return {
    answer: program.answerWhileDown(new Set(failed.map(({ address }) => address))),
    trace: () => [],
    clusterOf: (address) => program.clusterOf(address),
  };
}

/** The programs in the LUA record of a host. */
interface Script {
  readonly programs: ReadonlyMap<AddressType, Program>;
  /** The answer for a type that has no program: nothing, or `an unknown script` when part of the record is not ours. */
  readonly otherwise: Distribution;
}

const nothing: Distribution = new Map();
const unknownScript: Distribution = new Map([['an unknown script', 1]]);

function scriptsByHost(records: readonly RecordSet[]): ReadonlyMap<string, Script> {
  // The hosts of a policy have the same script; one Program object for all of them is also evaluated once.
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
