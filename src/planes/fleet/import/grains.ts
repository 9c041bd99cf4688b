import { badFleet } from '../reasons.ts';
import { type FieldPlaces, type FoundServer, textsAt, textsOf } from './found.ts';

/** Where Salt's own grains, and those that people commonly set, say what a Server has. The id of the minion is its name. */
export const grainPlaces: FieldPlaces = {
  name: ['id'],
  site: ['site', 'datacenter', 'datacentre', 'dc'],
  rack: ['rack'],
  class: ['server_class', 'productname'],
  addresses: ['ipv4', 'ipv6'],
  cluster: ['cluster'],
  roles: ['roles', 'role'],
  status: ['status'],
  serial: ['serialnumber'],
  uplink: ['uplink'],
  gpu: ['gpus'],
};

/** The machines of what `salt '*' grains.items --out=json --static` printed. Throws an InputError. */
export function foundInGrains(text: string, file: string, places: FieldPlaces): readonly FoundServer[] {
  return Object.entries(objectOf(text, file)).map(([id, grains]) => {
    const tree = isObject(grains) ? { id, ...grains } : { id };
    const texts = textsOf(places, (place) => textsAt(tree, place));
    const usable = { ...texts, addresses: texts.addresses.filter(isReached), gpu: nvidia(tree) };
    return { at: `${file}: ${id}`, texts: { ...usable, ...uplinkOf(tree, usable), ...silent(grains) } };
  });
}

/** A minion that did not answer has `false`, or a sentence: it is known by name alone. */
const silent = (grains: unknown): { readonly status?: readonly string[] } =>
  isObject(grains) ? {} : { status: ['no answer'] };

function objectOf(text: string, file: string): Readonly<Record<string, unknown>> {
  const fix = "name the file of: salt '*' grains.items --out=json --static";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const more = /^\}\s*\{/m.test(text) ? ': it has one value for each minion; add --static' : '';
    throw badFleet('SourceUnreadable', `${file} is no JSON${more}`, fix);
  }
  if (isObject(value)) return value;
  throw badFleet('SourceUnreadable', `${file} has no object with the grains of each minion`, fix);
}

/** No address of loopback or of a link, which every machine has alike. */
const isReached = (text: string): boolean => !/^(127\.|169\.254\.|::1$|fe[89ab][0-9a-f]:)/i.test(text);

/** The interface that has the first address; tunnels and bridges of containers have others. */
function uplinkOf(tree: unknown, { addresses, uplink }: Pick<FoundServer['texts'], 'addresses' | 'uplink'>) {
  if (uplink.length > 0 || !isObject(tree) || !isObject(tree.ip_interfaces)) return {};
  const interfaces = Object.entries(tree.ip_interfaces);
  const of = (address: string) => interfaces.filter(([, held]) => Array.isArray(held) && held.includes(address));
  const names = addresses.map((address) => of(address).map(([name]) => name)[0] ?? '');
  return { uplink: names.length === addresses.length ? names : [] };
}

/** The models of NVIDIA GPUs, one text for each. */
function nvidia(tree: unknown): readonly string[] {
  if (!isObject(tree) || !Array.isArray(tree.gpus)) return [];
  return tree.gpus
    .filter(isObject)
    .flatMap(({ vendor, model }) => (vendor === 'nvidia' && typeof model === 'string' ? [model] : []));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
