import type { ControlPlane, Identity } from '../../../lab/control-plane/control-plane.ts';
import { rulesOf, without } from '../deploy/rights.ts';
import { eventually } from './control-plane.ts';

/** Runs `act` while edge agents may not patch Events, and the API server confirms that they may not. */
export async function withoutPatchingEvents(
  plane: ControlPlane,
  who: Identity,
  act: () => Promise<void>,
): Promise<void> {
  const rules = await rulesOf(plane, 'clusterrole', 'tideline-edge');
  const grant = { verb: 'patch', apiGroup: 'events.k8s.io', resource: 'events', name: '' };
  const grantAll = (next: typeof rules): Promise<string> =>
    plane.kubectl(['patch', 'clusterrole', 'tideline-edge', '--type=merge', '-p', JSON.stringify({ rules: next })]);
  const as = [`--as=${who.user}`, ...(who.groups ?? []).map((group) => `--as-group=${group}`)];
  const may = (): Promise<boolean> =>
    plane.kubectl(['auth', 'can-i', 'patch', 'events.events.k8s.io', '-n', 'video', ...as]).then(
      () => true,
      () => false,
    );
  await grantAll(without(rules, grant));
  try {
    await eventually(async () => !(await may()));
    await act();
  } finally {
    await grantAll(rules);
    await eventually(may);
  }
}
