import type { Need } from '../../src/kube/needs.ts';
import { rightsOf, rightText } from '../../src/kube/rights.ts';
import { agents, needsOf } from '../../src/preflight/agents.ts';
import { preflightNeeds } from '../../src/preflight/needs.ts';
import { preflightChecks, preflightReasons } from '../../src/preflight/reasons.ts';

const introduction = `# What \`tideline check --cluster\` can say

<!-- Made by \`make generate\` from src/preflight/reasons.ts and the needs.ts of each plane; do not edit. -->

\`\`\`
tideline check --cluster paris PATH...                          # the Cluster's own source: kubeconfig or manifest folder
tideline check --cluster paris --kubeconfig FILE PATH...        # another kubeconfig, still compared with the spec
tideline check --cluster --kubeconfig FILE --context NAME       # without a platform spec
\`\`\`

It looks at a cluster as the agents will, with the kubeconfig that they will have, and says for everything that is not as it
should be what was found, what was expected, and a command that mends it. Commands speak as an administrator of the cluster.

- \`--as edge\`, \`--as network\`: only what this agent needs. \`--pods-from podCIDRs\`: as the network agent's option.
- \`ok\`; \`warning\`: works, and will surprise; \`failed\`: an agent would not work; \`unknown\`: could not be seen, most often for lack
  of a right, which is named.
- Exit code 0: nothing failed, 1: something did, 2: bad input. \`--output json\` prints the same for programs.
- With the kubeconfig of \`deploy/kubeconfig check\` (group \`tideline:check\`, which may read no Secret) the rights are those of the agents'
  groups, asked for by SubjectAccessReviews; with any other kubeconfig they are its own, as those of the agent that will have it.
- It sends GET requests and reviews (\`SelfSubject*Review\`, \`SubjectAccessReview\`), up to fifty, and nothing else; it never writes. It ends
  within 10 seconds.
- A step that fails ends the report where the next could say nothing of its own: without a connection there are no rights.
- The server's certificate, readiness and clock are looked at without credentials: nothing secret goes to a server that is not
  verified. The Date header has whole seconds: the difference of the clocks is known to within a second and the round trip, and
  better near a limit, where more answers are asked for.
`;

/** The text of `docs/reference/check-cluster.md`: every check and every reason of the preflight, and the rights of each party. */
export function checkClusterReference(): string {
  const rows = (catalogue: Readonly<Record<string, string>>) =>
    Object.entries(catalogue).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`);
  return [
    introduction,
    '## Checks\n\n| check | what is looked at |\n|---|---|',
    ...rows(preflightChecks),
    '\n## Reasons\n\n| reason | meaning |\n|---|---|',
    ...rows(preflightReasons),
    `\n## Rights\n\nWhat \`deploy/rbac\` grants, and this command checks; \`crd.projectcalico.org\` or \`projectcalico.org\`, as the cluster
serves Calico.\n\n| party | right | what for |\n|---|---|---|`,
    ...agents.flatMap((agent) => rightRows(agent, needsOf(agent, 'calico'))),
    ...rightRows('check', preflightNeeds),
    '',
  ].join('\n');
}

function rightRows(party: string, needs: readonly Need[]): readonly string[] {
  return rightsOf(needs, 'crd.projectcalico.org').map((right) => {
    const where = right.namespace === undefined ? '' : ` in ${right.namespace}`;
    return `| ${party} | \`${rightText(right.verbs.join(', '), right)}\`${where} | ${right.why} |`;
  });
}
