import type { EdgePart } from './snapshot.ts';

/** A finding of the blade that writes statuses to its cluster. */
interface Own {
  readonly severity: 'warning';
  readonly what: string;
}

/** So many objects are named; a former controller may own thousands. */
const mostNames = 3;

/** The statuses that another program writes: people who look at such an object see the address of somebody else. */
export function publishingFindings(publishing: EdgePart['publishing']): readonly Own[] {
  if (publishing === undefined || !publishing.leading) return [];
  const { contested, ownedByOther } = publishing;
  const others = ownedByOther.filter((object) => !contested.includes(object));
  return [
    ...told(contested, 'which another controller writes again whenever it is taken over', 'StatusContested'),
    ...told(others, 'which another field manager owns', 'OwnedByOther'),
  ];
}

function told(objects: readonly string[], why: string, reason: string): readonly Own[] {
  if (objects.length === 0) return [];
  const more = objects.length > mostNames ? ` and ${objects.length - mostNames} more` : '';
  const what = `does not write the status of ${objects.slice(0, mostNames).join(', ')}${more}, ${why} (${reason})`;
  return [{ severity: 'warning', what }];
}
