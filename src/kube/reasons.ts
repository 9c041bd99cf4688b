/**
 * Every named state and refusal of this room. The stale reasons of `source.ts` are among them; the others name one file
 * or one object.
 */
export const kubeReasons = {
  SourceMissing: 'The manifest folder does not exist (any more).',
  SourceEmpty: 'The folder exists but holds no object of a kind we read.',
  SourceUnreadable: 'A file cannot be read or parsed, or is still being written; its last good content stays in force.',
  SourceImplausible:
    'Most objects of a kind vanished in one step; they stay in force until a person accepts the change.',
  SourceUnreachable: 'The kube-apiserver cannot be reached.',
  NotReadable: 'The operating system refuses to read the file or folder.',
  BadYaml: 'The file is neither YAML nor JSON.',
  NotAnObject: 'A document is not a Kubernetes object: it has no apiVersion and kind.',
  FileTooLarge: 'The file is larger than any manifest; reading it could use up the memory of the agent.',
  FileEmpty: 'A file that held objects is empty now: delete the file to delete its objects.',
  StillChanging: 'The file is being written without a pause.',
  MissingName: 'The object has no usable metadata.name; it is dropped.',
  WrongType: 'A field of the object has the wrong type; the last good version of the object stays in force.',
  DuplicateObject: 'The object is in two places; the first by file name counts.',
} as const;

export type KubeReason = keyof typeof kubeReasons;
