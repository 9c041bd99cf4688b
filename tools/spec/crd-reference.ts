import { overlayReasons } from '../../src/model/platform/overlay-standing.ts';
import { standingReasons } from '../../src/model/platform/policy-standing.ts';
import { apiKindNames } from '../../src/model/spec/kinds.ts';
import { reasons, type SpecReason } from '../../src/model/spec/reasons.ts';
import { edgeReasons } from '../../src/planes/edge/reasons.ts';
import { steeringReasons } from '../../src/planes/steering/reasons.ts';
import { ownCrds } from '../../src/preflight/needs.ts';
import { crdOf } from './crd.ts';
import { differences } from './differences.ts';
import { type Scope, scopes } from './scopes.ts';
import { conditionTypes } from './status.ts';

const introduction = `# The platform spec in a cluster

<!-- Made by \`make generate\` from tools/spec; do not edit. -->

\`deploy/crds\` holds a CustomResourceDefinition for every kind. The API server (tested with 1.36; nothing newer
than 1.30 is used) refuses by itself what
\`tideline check\` refuses in one object: by the schema, or by a rule in CEL whose message starts with the reason of
[errors](errors.md). \`test/clusters/crds.test.ts\` sends thousands of right and wrong objects to both and compares.

\`kubectl apply -k deploy\` installs only those of the kinds that agents read from the API of their cluster
([spec.md](../operations/spec.md)): an object that nobody obeys must not be accepted. The others are for clusters whose API agents were told
to trust, and for pipelines that have an API server check a folder (\`kubectl apply --dry-run=server\`).

\`\`\`
The TrafficPolicy "video" is invalid: spec.rules[0].countries[1]: Invalid value: UnknownCountry: not one of the ...
\`\`\`
`;

/** The text of `docs/reference/crds.md`: what the API server checks, what it cannot check, and the status that is written to it. */
export function crdReference(): string {
  return [introduction, kindTable(), checkedSection(), differenceTable(), statusSection()].join('\n');
}

function kindTable(): string {
  const rows = apiKindNames.map((kind) => {
    const { names } = crdOf(kind).spec;
    const installed = ownCrds.includes(crdOf(kind).metadata.name) ? 'yes' : 'no';
    return `| ${kind} | \`${names.plural}\` | \`${names.shortNames.join('`, `')}\` | ${installed} |`;
  });
  return ['## Kinds\n', '| kind | resource | short | installed |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function checkedSection(): string {
  return [
    '## Who checks what\n',
    'Checked by the API server too, for one object alone:\n',
    list(['object', 'both']),
    'Checked by `tideline check` and the agents only, because more than one object, or the rule that decides for each country, must be known:\n',
    list(['platform', 'both']),
    'Texts and files, which an API server never sees:\n',
    list(['file']),
  ].join('\n');
}

function list(wanted: readonly Scope[]): string {
  const some = (Object.keys(reasons) as SpecReason[]).filter((reason) => wanted.includes(scopes[reason]));
  return `${some.map((reason) => `- \`${reason}\`: ${reasons[reason]}`).join('\n')}\n`;
}

function differenceTable(): string {
  const rows = Object.values(differences).map(
    ({ what, loader, server, why }) => `| ${what} | ${loader} | ${server} | ${why} |`,
  );
  const head = ['| what | `tideline check` | API server | why |', '|---|---|---|---|'];
  return ['## Where the two differ\n', ...head, ...rows, ''].join('\n');
}

function statusSection(): string {
  const types = Object.entries(conditionTypes).flatMap(([kind, conditions]) =>
    Object.entries(conditions).map(([type, meaning]) => `| ${kind} | \`${type}\` | ${meaning} |`),
  );
  return [
    '## Status\n',
    '`status.addresses` of an EdgePool has the shape of Gateway API. Conditions are those of Kubernetes, one a type:\n',
    '| kind | condition | true when |',
    '|---|---|---|',
    ...types,
    '\nThe reasons of an EdgePool are those of the edge:\n',
    ...reasonLines(edgeReasons),
    '\n`Accepted` of the other kinds has a reason of [spec.md](../operations/spec.md), and `InForce` of one that is not accepted has the same.',
    '`InForce` of a TrafficPolicy and `InDns` of a Drain are `True` with `InForce`, or have the reason for which a zone waits or fails; that of a TrafficOverlay or',
    'TrafficVerdict may also say what becomes of the proposal or of the word:\n',
    ...reasonLines({ ...standingReasons, ...overlayReasons, ...steeringReasons }),
    '',
  ].join('\n');
}

function reasonLines(reasons: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(reasons).map(([reason, meaning]) => `- \`${reason}\`: ${meaning}`);
}
