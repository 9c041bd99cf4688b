import { ApiError, invalidInput } from '../reasons.ts';
import { Fields } from './fields.ts';
import { type Account, type ApiRequest, bodyOf, type Operation, pathParameter } from './operation.ts';
import type { XmlNode } from './xml.ts';

/** The key of a resource's tags. Throws when the type is neither `healthcheck` nor `hostedzone`, or the resource does not exist. */
function tagKeyOf(account: Account, request: ApiRequest, id: string): string {
  const type = pathParameter(request, 'type');
  if (type === 'healthcheck') account.healthChecks.require(id);
  else if (type === 'hostedzone') account.zones.require(id);
  else throw invalidInput(`ResourceType must be healthcheck or hostedzone, not ${type}`);
  return `${type}/${id}`;
}

function renderTags(account: Account, key: string): XmlNode {
  const [type = '', id = ''] = key.split('/');
  const tags = [...(account.tags.get(key) ?? [])].map(([name, value]): XmlNode => {
    const pair: readonly XmlNode[] = [
      ['Key', name],
      ['Value', value],
    ];
    return ['Tag', pair];
  });
  return [
    'ResourceTagSet',
    [
      ['ResourceType', type],
      ['ResourceId', id],
      ['Tags', tags],
    ],
  ];
}

const maxTags = 10;

const changeTags: Operation = {
  action: 'ChangeTagsForResource',
  method: 'POST',
  path: 'tags/:type/:id',
  query: [],
  run(account, request) {
    const key = tagKeyOf(account, request, pathParameter(request, 'id'));
    const root = bodyOf(request);
    if (root.name !== 'ChangeTagsForResourceRequest') throw invalidInput(`unexpected root element ${root.name}`);
    const fields = new Fields(root, ['AddTags', 'RemoveTagKeys']);
    const tags = new Map(account.tags.get(key));
    for (const name of fields.texts('RemoveTagKeys', 'Key') ?? []) tags.delete(name);
    for (const element of fields.list('AddTags', 'Tag') ?? []) {
      const tag = new Fields(element, ['Key', 'Value']);
      const name = tag.requiredText('Key');
      const value = tag.text('Value') ?? '';
      if (name.length > 128 || value.length > 256) throw invalidInput(`Tag ${name.slice(0, 128)} is too long`);
      tags.set(name, value);
    }
    if (tags.size > maxTags) throw new ApiError('InvalidInput', `a resource has at most ${maxTags} tags`);
    account.tags.set(key, tags);
    return { status: 200, root: 'ChangeTagsForResourceResponse', children: [] };
  },
};

const listTags: Operation = {
  action: 'ListTagsForResource',
  method: 'GET',
  path: 'tags/:type/:id',
  query: [],
  run(account, request) {
    const key = tagKeyOf(account, request, pathParameter(request, 'id'));
    return { status: 200, root: 'ListTagsForResourceResponse', children: [renderTags(account, key)] };
  },
};

const listTagsForResources: Operation = {
  action: 'ListTagsForResources',
  method: 'POST',
  path: 'tags/:type',
  query: [],
  run(account, request) {
    const root = bodyOf(request);
    if (root.name !== 'ListTagsForResourcesRequest') throw invalidInput(`unexpected root element ${root.name}`);
    const ids = new Fields(root, ['ResourceIds']).texts('ResourceIds', 'ResourceId') ?? [];
    if (ids.length === 0 || ids.length > 10) throw invalidInput('ResourceIds must have 1 to 10 entries');
    const sets = ids.map((id) => renderTags(account, tagKeyOf(account, request, id)));
    return { status: 200, root: 'ListTagsForResourcesResponse', children: [['ResourceTagSets', sets]] };
  },
};

export const tagOperations: readonly Operation[] = [changeTags, listTags, listTagsForResources];
