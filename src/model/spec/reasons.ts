/** Every reason that `tideline check` can give, with what it means. Warnings are marked; everything else is an error. */
export const reasons = {
  FileMissing: 'A file or folder that was named does not exist.',
  FileUnreadable: 'A file cannot be read: its permissions, or it is not a file.',
  FileEmpty: 'A file holds no object.',
  FolderEmpty: 'A folder holds no YAML or JSON file.',
  FileTooLarge:
    'A file has more bytes, levels, entries or aliases than a spec needs, or a folder more files; it is not parsed, because that could take minutes.',
  NotText: 'A file is not UTF-8 text.',
  BadLineEnds: 'A file has carriage returns alone as line ends.',
  NotYaml: 'The text is not YAML.',
  DuplicateKey: 'A mapping has the same key twice; readers disagree about which one counts.',
  NotAnObject: 'A document is not a mapping with apiVersion, kind, metadata and spec.',
  UnknownApiVersion: 'A document has another apiVersion than tideline.dev/v1alpha1.',
  UnknownKind: 'There is no such kind.',
  ManifestsHoldSpec: 'The manifest folder of a Cluster holds the spec itself.',
  UnknownField: 'There is no such field; it would be ignored silently elsewhere.',
  MissingField: 'A field that has no default is missing.',
  WrongType: 'A value has another type than the field.',
  WrongValue: 'A value is not one of those that the field takes.',
  WrongChoice: 'None, or more than one, of several fields that exclude each other.',
  BadFormat: 'A text has not the form that the field needs.',
  BadAddress: 'Not an IP address.',
  BadPrefix: 'Not an IP prefix, or one with host bits set.',
  OutOfRange: 'A number, or a length of a text or list, outside its range.',
  EmptyList: 'A list that needs an entry has none.',
  DuplicateName: 'Two objects of a kind, or two blades or routers, have one name.',
  NamedTwice: 'A list names the same thing twice.',
  UnknownName: 'A reference to something that is not declared.',
  PoolOfOtherCluster: "A Cluster's entry is the edge pool of another cluster.",
  NoPublicVip: "A Cluster's entry is an edge pool without a public VIP: DNS would have no answer.",
  CheckOnOtherPort:
    "A Cluster's health check speaks HTTPS to the port where its entry takes plain HTTP, or the other way round: it would never succeed.",
  OverlappingPrefixes: 'Two prefixes share addresses, within a site or between sites.',
  PrefixTooWide: 'A prefix so short that a mistake in it would announce, or trust, half the world.',
  MissingServerAsn: 'A site has routers but its servers have no AS number.',
  OutsideServers: 'The address of a blade or server is outside the `servers` prefixes of its sites.',
  OutsideVips:
    "A VIP, an anycast address or that of an API server is outside the `vips` prefixes of its cluster's sites.",
  DuplicateAddress: 'Two things have one address.',
  IngressClassTwice:
    'Two edge pools of one cluster serve one IngressClass: each would replace the addresses that the other writes.',
  TooFewBlades: 'A pool has fewer blades than `minAnnouncers`.',
  VipFamilyUnserved:
    'Warning: a VIP is of an address family that no blade of its pool has, or too few for `minAnnouncers`: BGP announces it with the address of a blade, so nobody does.',
  UnknownCountry:
    'There is no such country, or answers cannot be given for it, or for that part of a country, by itself.',
  NetworksOverlap:
    'Two networks of the rules of a policy share addresses, so that two rules would decide for one user.',
  NetworkTooNarrow:
    'A network of clients is more specific than what resolvers tell of a client: name servers could not tell it apart.',
  CountryTwice: 'A country, state or continent is named by two rules of a policy.',
  RuleForNobody: 'A rule names no users: neither a country nor a continent nor, in a policy, a network.',
  AllWeightsZero: 'Every weight of a rule is 0.',
  EmptyDefault: 'The default of a policy leads nowhere.',
  ForbiddenChoice:
    'A rule or the default gives its users a cluster, first or for all of them, that `never` says they do not reach.',
  NothingAllowed:
    'Users would have no answer over an address family: `never` forbids all clusters of the policy that have one.',
  HostOutsideZone: "A host is not inside the policy's DNS zone.",
  HostTwice: 'A host is in two policies, or twice in one.',
  DrainExpired: 'Warning: a drain has ended. Agents have ended it; in DNS it lasts until the next apply.',
  NoEffect: 'Warning: a field does nothing beside what another one says.',
  FamilyTwice: 'Two addresses or prefixes of one family, where there may be one of each.',
  FamilyWithoutPods: 'A fleet has Services of an address family in which it has no pods.',
  ServerOutsideCluster: 'A server stands in a site in which its cluster is not.',
  RoleMissing: 'An active server of a cluster has no role.',
  RoleWithoutCluster: 'A server has a role and no cluster.',
  RolesApart: 'A server has two roles that do not go together.',
  BladeDiffers: 'A blade of a pool and the server of its name differ: in role, cluster or address.',
  BladeOfNoPool: 'A server has the role blade, and no edge pool names it.',
  FleetTwice: 'A cluster has two fleets.',
  OutsidePods: "A prefix for pods of a fleet is outside the `pods` prefixes of its cluster's sites.",
  NoControlPlane: 'No server of a fleet has the role control-plane.',
  EtcdMembers: 'A fleet has no, an even or too large a number of etcd members.',
  EtcdInOneRack: 'So many members of etcd stand in one rack that its loss ends the cluster.',
  EtcdStretched:
    'Warning: etcd of a fleet stands in several sites, and the loss of one of them loses the quorum all the same.',
  SnapshotUncopied: 'The command that copies snapshots of etcd is no program, or is not told which one to copy.',
  TooFewPodAddresses:
    'A worker, or all together, would run out of addresses for pods before it has as many as its class allows.',
  UnknownVersion: 'A version of Kubernetes whose flags are not known.',
  VersionSkew: 'Versions that are not supported together.',
  SkippedMinor: 'An upgrade that skips a minor version of Kubernetes, or goes back.',
  FamilyWithoutServers: 'A server of a fleet has no address of a family that it needs.',
  ApiUnannounced: "No router takes the API's address of a fleet from a control-plane server.",
  ServicesUnfit: 'A prefix for Services that the API server or the kernel would refuse.',
  PortTaken: 'The port of an API server is that of another program beside it.',
  PackageUnfit: 'A file of a release has a form from which its program cannot be started.',
  ReservedName: 'A server has a name that means something else on every server.',
  ArtifactMissing: 'The release of a fleet lacks a file that its versions need.',
  TargetTwice: 'Two ScalingTargets scale one workload.',
  TargetSiteUnfit:
    'A ScalingTarget names no site where users come to one of several, or one where they come to the whole cluster.',
  OverlayTwice: 'Two TrafficOverlays of a policy speak of the same country.',
  OverlayBroken:
    'Warning: a TrafficOverlay is passed over for countries: its policy or a cluster is gone, or the policy does not allow it.',
  OverlayExpired: 'Warning: a TrafficOverlay has ended, and stays in force because it says so.',
  FailbackNeedsAgent:
    'Warning: `spec.failback` of a policy needs a steering agent that runs in the mode automatic; a folder does not tell whether one does.',
  FailbackUnseen:
    'Warning: a provider of the policy tells nobody what its health checks say, so `spec.failback` does nothing there.',
  OverlaySilent: 'Warning: the owner of a TrafficOverlay does not renew it any more; it stays in force.',
} as const;

export type SpecReason = keyof typeof reasons;
