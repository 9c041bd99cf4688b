import { compareKeys } from '../../../../model/values.ts';
import { ownFolder, publicFolder } from '../access.ts';
import type { Component, FileAccess, ServerPki } from '../document.ts';

/** The folders of keys, each for the user of its keys alone, and those above them. What goes in stands in `pki` of the document. */
export function pki({ keys, authorities }: ServerPki): Component {
  const own = Object.entries(keys).map(([path, { user }]) => [folderOf(path), ownFolder(user)] as const);
  const open = Object.keys(authorities).map((path) => [folderOf(path), publicFolder] as const);
  const above = [...own, ...open].map(([folder]) => [folderOf(folder), publicFolder] as const);
  const all: readonly (readonly [string, FileAccess])[] = [
    ...above.filter(([folder]) => folder !== '/etc'),
    ...open,
    ...own,
  ];
  return {
    name: 'pki',
    artifacts: [],
    directories: Object.fromEntries(all.toSorted(compareKeys)),
    files: {},
    units: {},
  };
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
