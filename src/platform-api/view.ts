import type { PlatformView, SpecObjectView } from '../model/source-status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Verdict } from '../platform/spec-api.ts';
import type { PlatformApi } from './source.ts';

/** How many objects that are not in force `/status` names; the log has them all. */
const mostShown = 100;

/** The part of `/status` about the APIs that are a source of the spec. */
export function viewOf(
  apis: readonly PlatformApi[],
  verdicts: readonly Verdict[],
): Pick<PlatformView, 'apis' | 'notInForce'> {
  const other = verdicts.filter(({ reason }) => reason !== 'InForce').slice(0, mostShown);
  const views = apis.map((api) => {
    const { place, objects } = api.current();
    return { place, objects: objects.length, ...api.status() };
  });
  return withoutUndefined({
    apis: views.length === 0 ? undefined : views,
    notInForce: other.length === 0 ? undefined : other.map(objectView),
  });
}

function objectView({ place, kind, name, state, reason, message }: Verdict): SpecObjectView {
  return { place, object: `${kind}/${name}`, state, reason, message };
}
