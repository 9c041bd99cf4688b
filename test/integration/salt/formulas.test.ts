import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { componentNames, type ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import { fleetPlatform, oneOfEachRole, shippedUnits } from '../../support/fleet.ts';
import { type Minion, scratchMinion } from '../../support/salt/minion.ts';

/** Each formula has the furniture that Salt's own conventions name, its example is true, and every host that a fleet may have is compiled by the pinned Salt. */
const formulas = resolve(import.meta.dirname, '../../../salt/formulas/tideline');
const names = readdirSync(formulas, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let minion: Minion;
beforeAll(async () => {
  minion = await scratchMinion('formulas');
});

interface Rendered {
  readonly id: string;
  readonly states?: readonly string[];
  readonly errors?: readonly string[];
}

/** What Salt makes of documents, by their ids. */
async function rendered(documents: readonly (readonly [ServerDocument, secrets?: unknown])[]) {
  for (const [document, secrets] of documents) {
    await writeFile(minion.documentOf(document.server.id), JSON.stringify(document));
    if (secrets !== undefined)
      await writeFile(join(minion.shared, 'secrets', `${document.server.id}.json`), JSON.stringify(secrets));
  }
  await writeFile(join(minion.shared, 'ids'), documents.map(([{ server }]) => `${server.id}\n`).join(''));
  const script = '/opt/tideline/test/support/salt/render.py';
  const text = await minion.run('sh', '-c', `"$0" ${script} < /mnt/ids`, minion.python);
  const answers = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Rendered);
  return new Map(answers.map((answer) => [answer.id, answer] as const));
}

describe('formulas', () => {
  it('there is one for each component of a document', () => {
    expect(names.filter((name) => name !== 'artifacts')).toEqual([...componentNames].toSorted());
  });

  it.each(names)('%s has a README that names its state, and an example', (name) => {
    const text = readFileSync(join(formulas, name, 'README.md'), 'utf8');
    expect(text).toMatch(new RegExp(`^# tideline\\.${name}\n`));
    expect(text).toContain(`state.apply tideline.${name} test=True`);
    expect(text).toContain('## Pillar');
  });

  it('examples are rendered with everything that they name, and no state of theirs fails for want of something', async () => {
    const examples = names.map((name) => {
      const { tideline, tideline_secrets: secrets } = parse(
        readFileSync(join(formulas, name, 'pillar.example'), 'utf8'),
      ) as {
        readonly tideline: ServerDocument;
        readonly tideline_secrets?: unknown;
      };
      return { name, document: { ...tideline, server: { ...tideline.server, id: `example-${name}` } }, secrets };
    });
    const answers = await rendered(examples.map(({ document, secrets }) => [document, secrets] as const));
    for (const { name, document } of examples) {
      const { states = [], errors } = answers.get(`example-${name}`) ?? {};
      expect(errors, name).toBeUndefined();
      expect(document.components.map((component) => component.name)).toEqual(name === 'artifacts' ? [] : [name]);
      for (const { files, units, directories } of document.components) {
        const wanted = [
          ...Object.keys(directories).map((path) => `${name} folder ${path}`),
          ...Object.keys(files).map((path) => `${name} file ${path}`),
          ...Object.entries(units).flatMap(([unit, { running }]) => [
            `${name} unit ${unit}`,
            ...(running ? [`${name} service ${unit}`] : []),
          ]),
        ];
        expect(
          wanted.filter((id) => !states.includes(id)),
          name,
        ).toEqual([]);
      }
      for (const artifact of Object.keys(document.artifacts)) expect(states).toContain(`artifact ${artifact}`);
      for (const path of Object.keys(document.pki.keys)) expect(states).toContain(`pki keys ${path}`);
    }
  });

  it('compiles one host of each role, version and site', async () => {
    const versions = [
      { kubernetes: '1.36.3', etcd: '3.6.8', containerd: '2.1.4' },
      { kubernetes: '1.33.4', etcd: '3.5.32', containerd: '1.7.28' },
    ];
    const hosts = versions.flatMap((version, which) =>
      oneOfEachRole.flatMap(([role, server, shape]) => {
        const { documents } = compileFleet(fleetPlatform({ ...shape, versions: version, sites: 2 }), shippedUnits());
        return [0, 1].map((site) => {
          const document = documents.get(server.replace('site0', `site${site}`));
          if (document === undefined) throw new Error(`there is no ${server} of the site ${site}`);
          const id = `${role}-${which}-${document.server.id}`;
          return { ...document, server: { ...document.server, id } };
        });
      }),
    );
    const answers = await rendered(hosts.map((document) => [document] as const));
    expect(hosts).toHaveLength(versions.length * oneOfEachRole.length * 2);
    for (const { server, components } of hosts) {
      const { states = [], errors } = answers.get(server.id) ?? {};
      expect(errors, server.id).toBeUndefined();
      const wanted = components.flatMap(({ name, files }) => Object.keys(files).map((path) => `${name} file ${path}`));
      expect(
        wanted.filter((id) => !states.includes(id)),
        server.id,
      ).toEqual([]);
    }
  }, 600_000);
});
