/** Rules of sync, the gate and the scan, each as a sentence for the person; a prefix stands for a family. */
const EXPLANATIONS: readonly (readonly [rule: string, because: string])[] = [
  ['carried', 'No rule keeps it out: it goes to the hub with the next round of sync.'],
  ['synchronised', 'The hub has just these bytes.'],
  [
    'conflict-copy',
    'It is the losing side of a conflict: it is carried, and nothing reads it. Delete it when you are done with it.',
  ],
  ['absent', 'There is no such file in the vault. By its name it would be carried.'],
  ['removed-here', 'It is no more in this vault; the hub still has it until the next round of sync.'],
  [
    'path-unknown',
    'Only files of the folders and names in docs/vault-contract.md are carried. Everything else in the vault is yours alone.',
  ],
  ['path-segment', 'A name that begins with a dot, or ends with a dot or a blank, is never carried.'],
  ['path-length', 'Its path is too long.'],
  ['path-', 'Its path is not written as the vault’s paths are.'],
  ['name-', 'Its name collides with another one where upper and lower case are the same.'],
  ['not-a-regular-file', 'It is no plain file but a link, a pipe or a folder.'],
  ['unreadable-or-too-big', 'It cannot be read, or is larger than files of its kind may be.'],
  ['size', 'It is larger than files of its kind may be.'],
  ['not-utf8-text', 'It is no text in UTF-8, as every note has to be.'],
  [
    'known-secret.',
    'It contains a secret that this zone holds, plain or encoded. Take it out; the rest of the file then goes on.',
  ],
  ['secret.', 'It contains what looks like a secret of this kind. Take it out, or say it in other words.'],
  ['secretlint.', 'It contains a token or key of this provider. Take it out.'],
  ['scan.', 'Its content could not be looked into, so it stays here.'],
  ['local-only-path', 'Only the local zone writes there.'],
  ['domain-local-only', 'Tasks of this domain are for the local zone alone.'],
  ['not-your-', 'It belongs to another agent.'],
  ['hard-link', 'It has a second name elsewhere on this disk (a hard link), so it could be changed from there.'],
  ['path-reserved', 'Its name means something else on some systems.'],
  ['ledger-', 'A ledger is only ever continued.'],
  ['task-file-invalid', 'It is no task file that can be read; the cloud may hand in no other.'],
  ['task-in-two-places', 'The same task stands in two folders.'],
  ['forbidden-transition', 'A task may not be moved from where it was to there by this zone.'],
  ['appears-from-nowhere', 'A task gets there from the folder before it, never anew.'],
  ['presented-', 'It says of itself that it was shown to you, which only the local zone can say.'],
  ['decision-is-the-persons', 'It carries a ticked box, which only you can tick.'],
  ['attachment-is-immutable', 'An attachment is named by its content and never changes.'],
]
const OTHER = 'Sync holds it back by this rule; see docs/vault-contract.md for who may write what, and when.'

/** What a rule means, in a sentence. A secret in a name is one in the name, whatever the kind. */
export function explainRule(rule: string): string {
  const because = EXPLANATIONS.find(([known]) => rule === known || (/[.-]$/.test(known) && rule.startsWith(known)))?.[1]
  if (rule.endsWith('-in-name')) return 'Its name contains a secret. Rename it.'
  return because ?? OTHER
}
