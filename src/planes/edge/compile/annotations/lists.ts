import type { EdgeProblem, EdgeRefusal } from '../../reasons.ts';
import { quoted } from '../address.ts';
import { annotationPrefix } from './known.ts';
import type { IngressAnnotations, WrittenList } from './read.ts';
import { parsePrefixes } from './values.ts';

/** The length of the lists of addresses of an Ingress that are not read yet. */
export function listLength({ lists }: IngressAnnotations): number {
  return (lists?.allow?.text.length ?? 0) + (lists?.deny?.text.length ?? 0);
}

/** The annotations with their lists of addresses. A list that cannot be read refuses the routes of its Ingress. */
export function readLists(annotations: IngressAnnotations): IngressAnnotations {
  const { lists, ...rest } = annotations;
  if (lists === undefined) return annotations;
  const wishes = { ...rest.wishes };
  const access = [...rest.access];
  for (const which of ['allow', 'deny'] as const) {
    const list = lists[which];
    const parsed = list === undefined ? undefined : parsePrefixes(list.text);
    if (list === undefined || parsed === undefined) continue;
    if (parsed.ok) wishes[which] = parsed.value;
    else {
      const message = `${quoted(list.text)} cannot be read`;
      const { expected } = parsed;
      access.push({ reason: 'AccessAnnotationInvalid', ...placeOf(rest.object, list), message, expected });
    }
  }
  return { ...rest, wishes, access };
}

/** The annotations without their lists of addresses, for which there is no room: nothing of the Ingress is served. */
export function refuseLists(annotations: IngressAnnotations, fault: EdgeRefusal): IngressAnnotations {
  const { lists, ...rest } = annotations;
  const list = lists?.allow ?? lists?.deny;
  return list === undefined ? annotations : { ...rest, roomless: { ...fault, ...placeOf(rest.object, list) } };
}

function placeOf(object: string, { name }: WrittenList): Pick<EdgeProblem, 'object' | 'path'> {
  return { object, path: `metadata.annotations[${annotationPrefix}${name}]` };
}
