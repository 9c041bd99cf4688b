import type { StepContext, StepFault, StepHandlers } from './handlers.ts';
import { type Applied, type Called, ofSilent } from './reach.ts';
import type { RunWave, Step } from './steps.ts';

type Applying = Extract<Step, { readonly do: 'apply' }>;

/** The steps that need nothing but the way to the servers. */
export const reachHandlers: Required<Pick<StepHandlers, 'apply' | 'restart' | 'call'>> = {
  apply: applyDocuments,
  async restart({ servers }, { reach, signal, say }) {
    const answers = await reach.call(servers, 'tideline_units.restart', {}, signal);
    const restarted = [...answers].flatMap(([server, called]) =>
      'value' in called ? restartedOf(called.value).map((unit) => `${unit} on ${server}`) : [],
    );
    if (restarted.length > 0) say(`restarted ${restarted.join(', ')}`);
    return calledFaults(servers, answers, 'tideline_units.restart');
  },
  async call({ servers, function: name, arguments: args }, { reach, signal }) {
    return calledFaults(servers, await reach.call(servers, name, args, signal), name);
  },
};

async function applyDocuments(
  { servers, components }: Applying,
  { reach, signal, say }: StepContext,
): Promise<readonly StepFault[]> {
  const answers = await reach.apply(servers, { ...(components === undefined ? {} : { components }), signal });
  const well = servers.filter((server) => isOk(answers.get(server)));
  const changes = [...answers.values()].flatMap((one) => ('changes' in one ? one.changes : []));
  say(`${well.length} of ${servers.length} servers as their documents say, ${changes.length} changes`);
  return servers.flatMap((server) => appliedFaults(server, answers.get(server)));
}

/** The servers that have their whole document when a wave is done. */
export function appliedIn({ steps }: RunWave): readonly string[] {
  const whole = steps.flatMap((step) => (step.do === 'apply' && step.components === undefined ? step.servers : []));
  return [...new Set(whole)];
}

function isOk(one: Applied | undefined): boolean {
  return one !== undefined && 'ok' in one && one.ok;
}

const silence = 'did not answer, and nobody knows what it did';

function appliedFaults(server: string, one: Applied | undefined): readonly StepFault[] {
  if (one === undefined || 'silent' in one) return [{ server, message: ofSilent(silence, one) }];
  if (one.ok) return [];
  return one.failed.map(({ state, comment }) => ({
    server,
    message: state === '' ? comment : `${state}: ${comment}`,
  }));
}

function calledFaults(
  servers: readonly string[],
  answers: ReadonlyMap<string, Called>,
  name: string,
): readonly StepFault[] {
  return servers.flatMap((server) => {
    const called = answers.get(server);
    if (called === undefined || 'silent' in called) return [{ server, message: ofSilent(silence, called) }];
    const problem = 'error' in called ? called.error : problemIn(called.value, name);
    return problem === undefined ? [] : [{ server, message: `${name}: ${problem}` }];
  });
}

/** What each function that a step calls says when it is done; a function that is not listed says anything but nothing. */
const said: Readonly<Record<string, string>> = {
  'tideline_drain.announce_api': 'state',
  'tideline_drain.move_etcd_leader': 'moved',
  'tideline_drain.withdraw_api': 'state',
  'tideline_etcd.add': 'changed',
  'tideline_etcd.alone': 'changed',
  'tideline_etcd.join': 'changed',
  'tideline_etcd.promote': 'changed',
  'tideline_etcd.remove': 'changed',
  'tideline_etcd.replace': 'changed',
  'tideline_etcd.restore': 'changed',
  'tideline_etcd.snapshot': 'sha256',
  'tideline_etcd.update': 'changed',
  'tideline_units.restart': 'restarted',
  'tideline_units.retire': 'retired',
  'tideline_units.start': 'started',
  'tideline_units.stop': 'stopped',
};

/** Why an answer does not say that the function was done. */
function problemIn(value: unknown, name: string): string | undefined {
  const answer = recordOf(value);
  const problem = answer['problem'] ?? answer['error'];
  if (problem !== undefined && problem !== null) return typeof problem === 'string' ? problem : JSON.stringify(problem);
  const key = said[name];
  const isDone = key === undefined ? Object.keys(answer).length > 0 : key in answer;
  return isDone ? undefined : `its answer does not say that it was done: ${JSON.stringify(value).slice(0, 200)}`;
}

function restartedOf(value: unknown): readonly string[] {
  const { restarted } = recordOf(value);
  return Array.isArray(restarted) ? restarted.map(String) : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : {};
}
