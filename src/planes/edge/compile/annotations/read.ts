import { mostSimilar } from '../../../../model/spec/similar.ts';
import { compareKeys } from '../../../../model/values.ts';
import type { EdgeProblem, EdgeReason } from '../../reasons.ts';
import { quoted } from '../address.ts';
import { boundedProblems, mostProblems } from '../condition.ts';
import { isHost } from '../names.ts';
import { annotationPrefix, type KnownAnnotation, knownAnnotations } from './known.ts';
import {
  type Parsed,
  parseAppRoot,
  parseBoolean,
  parseRedirectCode,
  parseRedirectTarget,
  parseSize,
  parseWhole,
} from './values.ts';

/** What the annotations of an Ingress ask for its routes; a field is absent where nothing was asked. */
export interface RouteWishes {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly redirect?: { readonly code: number; readonly to: string };
  readonly sslRedirect?: boolean;
  readonly forceSslRedirect?: boolean;
  readonly hsts?: boolean;
  readonly hstsMaxAgeSeconds?: number;
  readonly hstsIncludeSubDomains?: boolean;
  readonly hstsPreload?: boolean;
  readonly appRoot?: string;
  /** 0: no limit. */
  readonly maxBodyBytes?: number;
  readonly connectSeconds?: number;
  readonly sendSeconds?: number;
  readonly readSeconds?: number;
}

/** A list of addresses that is not read yet. */
export interface WrittenList {
  /** The annotation that has it, without the prefix. */
  readonly name: string;
  readonly text: string;
}

/** The annotations of one Ingress, whatever its pool says of them. */
export interface IngressAnnotations {
  /** The Ingress, as problems name it. */
  readonly object: string;
  readonly wishes: RouteWishes;
  /** Absent when there are none, and when they are among the wishes: they are read only when there is room for them. */
  readonly lists?: { readonly allow?: WrittenList; readonly deny?: WrittenList };
  /** Why there is no room for the lists; nothing of the Ingress is served then. */
  readonly roomless?: EdgeProblem;
  /** What is served otherwise than the annotations say. */
  readonly findings: readonly EdgeProblem[];
  /** What limits access and cannot be obeyed. */
  readonly access: readonly EdgeProblem[];
  /** In ingress-nginx what limits access would hold for all that is on the hosts of the Ingress. */
  readonly wholeHosts: boolean;
  readonly canary: boolean;
  /** Other hosts for which ingress-nginx would serve the same; those that are regular expressions are not among them. */
  readonly aliases: readonly string[];
  /** With one of these ingress-nginx reads paths as regular expressions; a target that is the path itself counts for nothing. */
  readonly useRegex: boolean;
  readonly rewriteTarget: string;
}

/** Shared by all Ingresses that have none, so that their routes share their settings. */
const none: IngressAnnotations = {
  object: '',
  wishes: {},
  findings: [],
  access: [],
  wholeHosts: false,
  canary: false,
  aliases: [],
  useRegex: false,
  rewriteTarget: '',
};
const daySeconds = 86_400;
/** What ingress-nginx finds empty: it removes spaces, but no line ends. */
const blank = /^[^\S\n]*$/;

/** Reads what an Ingress has of annotations of ingress-nginx; `object` is how problems name it. */
export function readAnnotations(
  object: string,
  annotations: Readonly<Record<string, string>> | undefined,
): IngressAnnotations {
  const given = new Map<string, string>();
  for (const [key, value] of Object.entries(annotations ?? {}).sort(compareKeys))
    if (key.startsWith(annotationPrefix)) given.set(key.slice(annotationPrefix.length), value);
  return given.size === 0 ? none : new Reader(object, given).read();
}

class Reader {
  readonly #object: string;
  readonly #given: ReadonlyMap<string, string>;
  readonly #findings: EdgeProblem[] = [];
  readonly #access: EdgeProblem[] = [];
  #wholeHosts = false;

  constructor(object: string, given: ReadonlyMap<string, string>) {
    this.#object = object;
    this.#given = given;
  }

  read(): IngressAnnotations {
    this.#judgeAll();
    const lists = present({ allow: this.#allowed(), deny: this.#list('denylist-source-range') });
    const wishes = present<RouteWishes>({
      redirect: this.#redirect(),
      sslRedirect: this.#take('ssl-redirect', parseBoolean),
      forceSslRedirect: this.#take('force-ssl-redirect', parseBoolean),
      hsts: this.#take('hsts', parseBoolean),
      hstsMaxAgeSeconds: this.#take('hsts-max-age', (text) => parseWhole(text, 0, 9_999_999_999)),
      hstsIncludeSubDomains: this.#take('hsts-include-subdomains', parseBoolean),
      hstsPreload: this.#take('hsts-preload', parseBoolean),
      appRoot: this.#take('app-root', parseAppRoot),
      maxBodyBytes: this.#take('proxy-body-size', parseSize),
      connectSeconds: this.#take('proxy-connect-timeout', (text) => parseWhole(text, 1, 75)),
      sendSeconds: this.#take('proxy-send-timeout', (text) => parseWhole(text, 1, daySeconds)),
      readSeconds: this.#take('proxy-read-timeout', (text) => parseWhole(text, 1, daySeconds)),
    });
    return {
      object: this.#object,
      wishes,
      ...(Object.keys(lists).length === 0 ? {} : { lists }),
      findings: boundedProblems(this.#findings),
      access: this.#access,
      wholeHosts: this.#wholeHosts,
      canary: isTrue(this.#given.get('canary')),
      aliases: (this.#given.get('server-alias') ?? '')
        .split(',')
        .map((text) => text.trim())
        .filter(isHost),
      useRegex: isTrue(this.#given.get('use-regex')),
      rewriteTarget: this.#given.get('rewrite-target')?.trim() ?? '',
    };
  }

  /** Notes a finding for each annotation that is not obeyed. */
  #judgeAll(): void {
    for (const [name, value] of this.#given) {
      const known = Object.hasOwn(knownAnnotations, name) ? knownAnnotations[name] : undefined;
      if (known === undefined) this.#findUnknown(name);
      else if (known.harmless?.includes(value.trim().toLowerCase()) !== true) this.#judge(name, value, known);
    }
  }

  /** As in ingress-nginx, which takes the Ingress for an ordinary one where it cannot read the value. */
  #judgeCanary(name: string, value: string): void {
    if (!parseBoolean(value).ok)
      this.#findings.push(
        this.#problem('AnnotationInvalid', name, `${quoted(value)} cannot be read`, '"true" or "false"'),
      );
    else if (isTrue(value))
      this.#findings.push(this.#problem('CanaryUnsupported', name, 'this Ingress is the canary of another one'));
  }

  #judge(name: string, value: string, { fate, note, wholeHosts }: KnownAnnotation): void {
    const more = note === undefined ? '' : `: ${note.charAt(0).toLowerCase()}${note.slice(1).replace(/\.$/, '')}`;
    // In ingress-nginx what is empty counts as not given.
    if (fate === 'limitsAccess' && blank.test(value))
      this.#findings.push(this.#problem('AnnotationIgnored', name, 'it is empty, which counts as not given'));
    else if (fate === 'limitsAccess') {
      this.#access.push(this.#problem('AccessAnnotationUnsupported', name, `${name} limits access${more}`));
      this.#wholeHosts ||= wholeHosts === true;
    } else if (fate === 'canary') this.#judgeCanary(name, value);
    else if (fate === 'ignored')
      this.#findings.push(this.#problem('AnnotationIgnored', name, `${name} is not supported${more}`));
  }

  #findUnknown(name: string): void {
    // Looking for what was meant costs about a millisecond, and an object may have thousands of annotations.
    const few = this.#findings.length < mostProblems;
    const similar = few ? mostSimilar(name.slice(0, 63), Object.keys(knownAnnotations)) : undefined;
    const problem = this.#problem('AnnotationUnknown', name, `${quoted(name)} is no annotation of ingress-nginx`);
    this.#findings.push({ ...problem, ...(similar === undefined ? {} : { fix: `did you mean ${similar}?` }) });
  }

  /**
   * As in ingress-nginx 1.9 and later, `whitelist-source-range` is an alias: it counts where `allowlist-source-range` is missing
   * or empty, and counts as missing where it is empty itself. An empty `allowlist-source-range` alone denies everybody.
   */
  #allowed(): WrittenList | undefined {
    const [name, alias] = ['allowlist-source-range', 'whitelist-source-range'];
    const aliasText = this.#given.get(alias);
    const aliasCounts = aliasText !== undefined && aliasText !== '' && (this.#given.get(name) ?? '') === '';
    if (!aliasCounts && aliasText !== undefined) {
      const wins = this.#given.has(name);
      const why = wins ? `${name} is given as well and wins` : 'it is empty, which counts as not given';
      this.#findings.push(this.#problem('AnnotationIgnored', alias, why));
    }
    if (aliasCounts && this.#given.has(name))
      this.#findings.push(this.#problem('AnnotationIgnored', name, `it is empty, and ${alias} is given`));
    return this.#list(aliasCounts ? alias : name);
  }

  #list(name: string): WrittenList | undefined {
    const text = this.#given.get(name);
    return text === undefined ? undefined : { name, text };
  }

  /** As in ingress-nginx, a temporal redirect wins over a permanent one. */
  #redirect(): RouteWishes['redirect'] {
    const permanent = this.#redirectOf('permanent-redirect', 301);
    const temporal = this.#redirectOf('temporal-redirect', 302);
    if (permanent !== undefined && temporal !== undefined)
      this.#findings.push(
        this.#problem('AnnotationIgnored', 'permanent-redirect', 'temporal-redirect is given as well and wins'),
      );
    return temporal ?? permanent;
  }

  #redirectOf(name: string, usual: number): RouteWishes['redirect'] {
    const to = this.#take(name, parseRedirectTarget);
    const code = this.#take(`${name}-code`, parseRedirectCode) ?? usual;
    return to === undefined ? undefined : { code, to };
  }

  #take<T>(name: string, parse: (text: string) => Parsed<T>): T | undefined {
    const text = this.#given.get(name);
    if (text === undefined) return undefined;
    const parsed = parse(text.trim());
    if (parsed.ok) return parsed.value;
    this.#findings.push(this.#problem('AnnotationInvalid', name, `${quoted(text)} cannot be read`, parsed.expected));
    return undefined;
  }

  #problem(reason: EdgeReason, name: string, message: string, expected?: string): EdgeProblem {
    const path = `metadata.annotations[${annotationPrefix}${name.slice(0, 80)}]`;
    return { reason, object: this.#object, path, message, ...(expected === undefined ? {} : { expected }) };
  }
}

function isTrue(text: string | undefined): boolean {
  const parsed = parseBoolean(text ?? '');
  return parsed.ok && parsed.value;
}

/** The fields that have a value. */
function present<Fields extends object>(
  fields: { readonly [Field in keyof Fields]: Fields[Field] | undefined },
): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}
