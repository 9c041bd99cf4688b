/**
 * Every named state and refusal of this room. The stale reasons of `source.ts` are among them; the others name one file
 * or one object.
 */
export const kubeReasons = {
  SourceMissing: 'The manifest folder does not exist (any more).',
  SourceEmpty: 'The folder or the cluster is there but holds no object of a kind we read.',
  SourceUnreadable:
    'A file cannot be read or parsed, or is still being written, or the kube-apiserver sends what is no answer; the last good content stays in force.',
  SourceImplausible:
    'Most objects of a kind vanished in one step; they stay in force until a person accepts the change.',
  SourceUnreachable: 'The kube-apiserver cannot be reached, or has said nothing for too long.',
  SourceUnauthorized:
    'The kube-apiserver does not know us, or the kubeconfig, token or exec plugin gives nothing to be known by.',
  SourceUntrusted: 'The certificate of the kube-apiserver is not by the authority that the kubeconfig names.',
  SourceForbidden: 'The kube-apiserver knows us but a right is missing; the message names it.',
  SourceThrottled: 'The kube-apiserver has too much to do and sends us away (429).',
  SourceKindMissing: 'A CustomResourceDefinition that we read is not installed in the cluster.',
  NotReadable: 'The operating system refuses to read the file or folder.',
  BadYaml: 'The file is neither YAML nor JSON.',
  NotAnObject: 'A document is not a Kubernetes object: it has no apiVersion and kind.',
  FileTooLarge: 'The file is larger than any manifest; reading it could use up the memory of the agent.',
  FileEmpty: 'A file that held objects is empty now: delete the file to delete its objects.',
  StillChanging: 'The file is being written without a pause.',
  MissingName: 'The object has no usable metadata.name; it is dropped.',
  WrongType: 'A field of the object has the wrong type; the last good version of the object stays in force.',
  BadEvent: 'A watch sent something that is no event; everything of that kind is listed again.',
  DuplicateObject: 'The object is in two places; the first by file name counts.',
  OwnedByOther: 'Another field manager owns a field that we would write: it keeps it, and we ask again after minutes.',
  StatusUndone: 'Somebody removed or replaced a status that we wrote; it is written again, ever more slowly.',
  WriteForbidden: 'The kube-apiserver does not let us write a status or an event; tried again after a minute.',
  WriteRefused: 'The kube-apiserver says that a status or an event of ours is not valid; tried again after minutes.',
  LeaseNotWritable: 'The Lease cannot be read or written; whoever leads stops before its time is over.',
} as const;

export type KubeReason = keyof typeof kubeReasons;
