import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../model/problem.ts';
import { addSpecOptions, type SpecArguments, specSources } from './spec-sources.ts';

function given(...words: readonly string[]): SpecArguments {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addSpecOptions(command);
  command.parse(words, { from: 'user' });
  return command.opts<SpecArguments>();
}

/** The own trust and the others, as texts. */
function sourcesOf(hasApi: boolean, ...words: readonly string[]): readonly string[] {
  const { own, others } = specSources(given(...words), 'paris', hasApi);
  return [
    `own: ${[...(own ?? ['unnamed'])].join()}`,
    ...others.map(({ cluster, kubeconfig, trust }) => `${cluster} ${kubeconfig}: ${[...trust].join()}`),
  ];
}

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ reason }) => reason).join();
    throw error;
  }
  return 'none';
}

describe('the sources of the platform spec', () => {
  it.each<[string, boolean, readonly string[], readonly string[]]>([
    ['a folder, and the own API unbelieved', true, ['--platform', 'p'], ['own: unnamed']],
    ['the own API alone', true, ['--platform-trust', 'paris'], ['own: sites,zones,clusters']],
    [
      'several APIs, each for what it is trusted',
      true,
      ['--platform-api', 'b=/b', '--platform-api', 'c=/c', '--platform-trust', 'b=sites,clusters'],
      ['own: unnamed', 'b /b: sites,clusters', 'c /c: '],
    ],
    [
      'trust in the same API, named in parts',
      true,
      ['--platform-trust', 'paris=sites', '--platform-trust', 'paris=clusters'],
      ['own: sites,clusters'],
    ],
    [
      'another API for a cluster that is a folder of manifests',
      false,
      ['--platform-api', 'b=/b', '--platform-trust', 'b'],
      ['own: unnamed', 'b /b: sites,zones,clusters'],
    ],
  ])('are %s', (_, hasApi, words, expected) => {
    expect(sourcesOf(hasApi, ...words)).toEqual(expected);
  });

  it.each<[string, boolean, readonly string[], string]>([
    ['no folder and nobody trusted', true, [], 'NoSpecSource'],
    ['no folder, and trust for sites alone', true, ['--platform-trust', 'paris=sites'], 'NoSpecSource'],
    ['no folder and no API', false, [], 'NoSpecSource'],
    ['trust in an API that is not followed', true, ['--platform', 'p', '--platform-trust', 'b'], 'UnknownName'],
    ['trust in a cluster that has no API', false, ['--platform', 'p', '--platform-trust', 'paris'], 'UnknownName'],
    ['the own cluster as another', true, ['--platform', 'p', '--platform-api', 'paris=/p'], 'NamedTwice'],
    ['a cluster twice', true, ['--platform', 'p', '--platform-api', 'b=/p', '--platform-api', 'b=/q'], 'NamedTwice'],
  ])('refuse %s', (_, hasApi, words, reason) => {
    expect(reasonOf(() => sourcesOf(hasApi, ...words))).toBe(reason);
  });

  it.each([
    ['--platform-api', 'b'],
    ['--platform-api', '../b=/b'],
    ['--platform-trust', 'b=everything'],
    ['--platform-trust', 'B'],
  ])('refuse the words %s %s', (option, value) => {
    expect(() => given(option, value)).toThrow(/expected|none of/);
  });
});
