import { z } from 'zod';
import { ClientNetwork, ContinentCode, DnsName, HostName, Name, PlaceCode } from '../fields.ts';

const WeightedCluster = z.strictObject({
  name: Name.describe('Name of a Cluster.'),
  weight: z
    .int()
    .min(0)
    .max(255)
    .default(100)
    .describe('Share of the answers, relative to the others; 0: none while another is healthy.'),
  failover: z
    .array(Name.describe('Name of a Cluster.'))
    .max(32)
    .optional()
    .describe(
      'Tried in order for the share of this cluster when it is not healthy, before the others take that over. A cluster of weight 0 has no share.',
    ),
});

const countryCodes = z.array(PlaceCode).max(246).default([]);
const continentCodes = z.array(ContinentCode).max(7).default([]);

const Never = z.strictObject({
  clusters: z.array(Name.describe('Name of a Cluster.')).min(1).max(32).describe('The clusters that they never reach.'),
  countries: countryCodes.describe('ISO 3166-1 alpha-2 codes, and states of the US such as `US-CA`.'),
  continents: continentCodes.describe('Continents, with all of their countries.'),
  unknownLocation: z.boolean().default(false).describe('Also users whose country nobody knows.'),
});

const Answer = {
  clusters: z.array(WeightedCluster).min(1).max(32).describe('The clusters that answer. At least one weight is not 0.'),
  failover: z
    .array(Name.describe('Name of a Cluster.'))
    .max(32)
    .default([])
    .describe('Tried in order when none of `clusters` is healthy.'),
};

/** Which clusters answer which countries; a policy and what is proposed for one say it alike. */
export const Rule = z.strictObject({
  countries: countryCodes.describe(
    'ISO 3166-1 alpha-2 codes, and states of the US such as `US-CA` (ISO 3166-2), each in one rule only. A state beats its country, a country its continent. Only Route 53 knows states.',
  ),
  continents: continentCodes.describe('Continents, each in one rule only.'),
  ...Answer,
});

/** A rule of a policy names networks as well, which no overlay does. */
const PolicyRule = Rule.extend({
  networks: z
    .array(ClientNetwork)
    .max(250)
    .optional()
    .describe(
      'Networks of clients, such as an office or a provider, each in one rule only and none inside another: `192.0.2.0/24`, at most /24 and /48. A network beats the country, the state and the continent of its users. What `never` keeps from any country it keeps from every network. At Route 53, countries of a policy with networks have room for two choices.',
    ),
});

const Failback = z
  .strictObject({
    mode: z
      .enum(['immediate', 'heldDown', 'gradual', 'byHand'])
      .default('immediate')
      .describe(
        'immediate: at once, which needs nobody. heldDown: when the cluster has been healthy for a while. gradual: the same, in steps. byHand: by `tideline steering failback`. All but the first need the steering agent.',
      ),
    holdMinutes: z
      .int()
      .min(1)
      .max(10_080)
      .default(30)
      .describe('For so long without a break the cluster must have been healthy: heldDown and gradual.'),
    stepShare: z
      .number()
      .min(0.01)
      .max(1)
      .default(0.1)
      .describe('Of all traffic of the policy a step leads back so much at most: gradual.'),
    stepMinutes: z.int().min(2).max(1440).default(10).describe('The time from one step to the next: gradual.'),
  })
  .describe(
    'How users return to a cluster that was down, and to which the policy leads them first; gradual also paces how they return from a TrafficOverlay that ends with `afterwards: return`.',
  );

export const TrafficPolicySpec = z
  .strictObject({
    hosts: z
      .array(HostName)
      .min(1)
      .max(500)
      .describe(
        'Host names, each in one policy only, inside the zone. `*.video.example` stands for every name below `video.example` that has no records.',
      ),
    dns: z
      .strictObject({
        zone: DnsName.describe('The DNS zone of the hosts.'),
        providers: z
          .array(z.enum(['route53', 'powerdns']))
          .min(1)
          .max(2)
          .describe('The DNS providers that hold the records.'),
      })
      .describe('Where the records go.'),
    ttlSeconds: z.int().min(1).max(86_400).default(60).describe('How long resolvers may keep an answer.'),
    rules: z
      .array(PolicyRule)
      .max(253)
      .prefault([])
      .describe(
        'Which clusters answer which countries and networks. There are 246 countries, 51 states of the US and 7 continents, each in one rule only.',
      ),
    default: z.strictObject(Answer).describe('Everyone no rule names. Never empty.'),
    never: z
      .array(Never)
      .max(32)
      .default([])
      .describe(
        'Clusters that the users of countries never reach, in failover neither, whichever rule decides for them. All entries hold together.',
      ),
    failback: Failback.optional(),
    minReadyRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("The health endpoint fails when less than this share of the policy's backends has a ready endpoint."),
    guard: z
      .strictObject({
        maxTrafficShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.25)
          .describe('A plan that moves more than this share of the traffic waits for a person.'),
        maxFailoverShare: z
          .number()
          .min(0)
          .max(1)
          .optional()
          .describe(
            'A plan waits for a person by which more of the traffic would be answered otherwise in a failure, or loses a choice, than this share. Absent: that of `maxTrafficShare`. A Drain of the second choice of many does that.',
          ),
        windowMinutes: z
          .int()
          .min(0)
          .max(1440)
          .default(60)
          .describe(
            'What was moved in so many minutes before counts together with what a plan moves; users who return count as not moved. 0: each plan alone.',
          ),
        proposals: z
          .enum(['approve', 'automatic'])
          .optional()
          .describe(
            'Whether a TrafficOverlay takes effect when a person has approved it (`approve`, also when absent), or by itself, within the other limits (`automatic`).',
          ),
        approvers: z
          .enum(['anyone', 'other'])
          .optional()
          .describe(
            'Who may approve a TrafficOverlay: anyone (also when absent), or only somebody other than its owner (`other`).',
          ),
      })
      .prefault({})
      .describe('Limits of what plans may change by themselves.'),
  })
  .describe("Which cluster serves which country's users, for a set of host names.");
