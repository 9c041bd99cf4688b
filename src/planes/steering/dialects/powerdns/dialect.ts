import type { Distribution } from '../../../../answers/distribution.ts';
import type { RecordSet } from '../../../../answers/record.ts';
import { type AddressType, addressTypes } from '../../compile/entries.ts';
import type { AddressCheck, Dialect, Reading, Recognition, View } from '../dialect.ts';
import { route53Dialect } from '../route53/dialect.ts';
import { cacheViews } from '../views.ts';
import { powerDnsLimits } from './limits.ts';
import { compileLua, isOurScript } from './lua.ts';
import { Program } from './program.ts';

const answerTypes: readonly string[] = ['A', 'AAAA', 'LUA'];

/** One LUA record set for each host, whose script chooses the answer. */
export const powerDnsDialect: Dialect = {
  title: 'PowerDNS',
  limits: powerDnsLimits,
  answerTypes,
  compile: compileLua,
  // Its preset; another one is a setting of the server, which its records do not hold.
  detection: () => ({ seconds: 5, because: 'one failed check, unless lua-health-checks-interval is not 5 s' }),
  interpret,
  recognise,
  plain: (host, records) => ({
    records: records.filter(({ name, type }) => name === host && answerTypes.includes(type)),
    notices: [
      {
        reason: 'ScriptStays',
        message: `${host}: its LUA record stays as it is, with its own health checks; it needs the settings of the server as before`,
      },
    ],
  }),
};

/**
 * A record that is no LUA record answers with its values, as a record without routing does in Route 53; so that dialect reads
 * it.
 */
function interpret(records: readonly RecordSet[]): Reading {
  const scripts = scriptsByHost(records);
  const plain = route53Dialect.interpret(records);
  const cachedView = cacheViews();
  const programs = new Set([...scripts.values()].flatMap((script) => [...script.programs.values()]));
  const answersKey: Reading['answersKey'] = (host, type, failed) => {
    const script = scripts.get(host);
    if (script === undefined) return plain.answersKey(host, type, failed);
    const program = script.programs.get(type);
    if (program === undefined) return script.otherwise === nothing ? 'nothing' : 'unknown script';
    const down = downOf(failed);
    return [program.id, ...program.addresses.filter((address) => down.has(address))].join(' ');
  };
  return {
    // A script has no names for its checks: their addresses tell them apart.
    checks: [...programs].flatMap(({ addresses }) => addresses.map((address) => ({ key: address, address }))),
    types(host) {
      const script = scripts.get(host);
      return script === undefined ? plain.types(host) : addressTypes.filter((type) => script.programs.has(type));
    },
    apart(host, type) {
      const script = scripts.get(host);
      return script === undefined ? plain.apart(host, type) : (script.programs.get(type)?.networks ?? []);
    },
    answersKey,
    view(host, type, failed) {
      const script = scripts.get(host);
      if (script === undefined) return plain.view(host, type, failed);
      return cachedView(failed, answersKey(host, type, failed), () =>
        viewOf(script.programs.get(type), script, failed),
      );
    },
  };
}

const downOf = (failed: readonly AddressCheck[]): ReadonlySet<string> => new Set(failed.map(({ address }) => address));

function recognise(host: string, records: readonly RecordSet[]): Recognition | undefined {
  const answers = records.filter(({ name, type }) => name === host && answerTypes.includes(type));
  const values = answers.flatMap(({ type, target }) =>
    type === 'LUA' && target.kind === 'values' ? target.values : [],
  );
  const ours = values.filter(isOurScript);
  if (ours.length === 0) return undefined;
  const isOurs = ours.length === values.length && answers.every(({ type }) => type === 'LUA');
  return isOurs
    ? { isOurs, by: 'its LUA record has exactly the script of this version' }
    : { isOurs, by: 'it has answers beside a script of ours, or a script that was changed' };
}

function viewOf(program: Program | undefined, { otherwise }: Script, failed: readonly AddressCheck[]): View {
  if (program === undefined) return { answer: () => otherwise, trace: () => [], clusterOf: () => undefined };
  return {
    answer: program.answerWhileDown(downOf(failed)),
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
  // The hosts of a policy have the same script; programs of policies that differ only in what they probe have the same tables.
  const known = new Map<string, Program | undefined>();
  const ids = new Map<string, string>();
  const idOf = (tables: string): string => {
    const id = ids.get(tables) ?? `#${ids.size}`;
    ids.set(tables, id);
    return id;
  };
  const programOf = (value: string): Program | undefined => {
    if (!known.has(value)) known.set(value, Program.parse(value, idOf));
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
