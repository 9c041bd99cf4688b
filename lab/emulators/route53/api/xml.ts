import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { messageOf } from '../../../../src/model/values.ts';
import { ApiError, invalidInput } from '../reasons.ts';

const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';

/** An element of a request: either text or children, never both. */
export interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  htmlEntities: true,
});

/** The root element of a request body. Document types, attributes other than the namespace, and mixed content are refused. */
export function parseXml(body: string): Element {
  if (body.includes('<!')) throw new ApiError('MalformedInput', 'document types, comments and CDATA are not taken');
  const valid = XMLValidator.validate(body);
  if (valid !== true)
    throw new ApiError('MalformedInput', `not well-formed XML, line ${valid.err.line}: ${valid.err.msg}`);
  const roots = elementsOf(parseLimited(body));
  const [root] = roots;
  if (root === undefined || roots.length > 1)
    throw new ApiError('MalformedInput', 'exactly one root element is expected');
  return root;
}

/** Parses a body; the parser throws at limits of its own (depth, entities). */
function parseLimited(body: string): unknown {
  try {
    return parser.parse(body);
  } catch (error) {
    throw new ApiError('MalformedInput', messageOf(error));
  }
}

/** The elements of the parser's ordered form: `[{ name: [...children], ':@': { attributes } }, { '#text': '...' }]`. */
function elementsOf(nodes: unknown): readonly Element[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown): readonly Element[] => {
    if (typeof node !== 'object' || node === null) return [];
    const entries = Object.entries(node);
    const [name, content] = entries.find(([key]) => key !== ':@') ?? ['', []];
    if (name === '' || name === '#text' || name.startsWith('?')) return [];
    checkAttributes(name, entries.find(([key]) => key === ':@')?.[1]);
    const children = elementsOf(content);
    const text = textOf(content);
    if (children.length > 0 && text.trim() !== '')
      throw new ApiError('MalformedInput', `element ${name} has both text and elements`);
    return [{ name, text: children.length > 0 ? '' : text, children }];
  });
}

function checkAttributes(name: string, attributes: unknown): void {
  if (typeof attributes !== 'object' || attributes === null) return;
  for (const [key, value] of Object.entries(attributes)) {
    if (key !== 'xmlns' || value !== namespace)
      throw invalidInput(`unexpected attribute ${key}="${String(value)}" on element ${name}`);
  }
}

function textOf(nodes: unknown): string {
  if (!Array.isArray(nodes)) return '';
  return nodes
    .map((node: unknown) =>
      typeof node === 'object' && node !== null && '#text' in node && typeof node['#text'] === 'string'
        ? node['#text']
        : '',
    )
    .join('');
}

/** The content of an element that is written: text is escaped on writing, undefined leaves the element out. */
type XmlContent = string | number | boolean | readonly XmlNode[] | undefined;
export type XmlNode = readonly [name: string, content: XmlContent];

/** Renders a whole response document. */
export function renderDocument(name: string, children: readonly XmlNode[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${children.map(renderNode).join('')}</${name}>`;
}

function renderNode([name, content]: XmlNode): string {
  if (content === undefined) return '';
  const inner = Array.isArray(content) ? content.map(renderNode).join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\r\n]/g, (character) => `&#${character.codePointAt(0) ?? 10};`);
}
