/** One line of the engine made wrong. The schedules must notice each of them. */
export interface Mutant {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Noticed by the first few schedules already. */
  readonly isQuick?: true
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'the losing side of a conflict is not kept',
    file: 'core/merge.ts',
    from: 'copies.push(...copiesOf(winner?.path, losers, input))',
    to: '',
    isQuick: true,
  },
  {
    what: 'a deletion wins over an edit',
    file: 'core/merge-task.ts',
    from: 'left.blob === base.blob ? undefined : left?.path',
    to: 'true ? undefined : left?.path',
    isQuick: true,
  },
  {
    what: 'the base is that of the commit, not of each file',
    file: 'services/sync/merge/plan-merge.ts',
    from: 'base: deps.store.baseOf(wanted)',
    to: 'base: deps.store.hubOf(wanted) as never',
    isQuick: true,
  },
  {
    what: 'files are replaced whatever stands there now',
    file: 'adapters/memory/work-tree.ts',
    from: 'sameIdentity(files.get(path)?.identity, expected)',
    to: 'files.has(path)',
  },
  {
    what: 'the hub takes a commit that does not follow its head',
    file: 'adapters/memory/repo.ts',
    from: "if (hub.head !== expected) return { kind: 'rejected', cause: 'raced', reason: 'stale info' }\n  hub.head = commit",
    to: 'hub.head = commit',
    isQuick: true,
  },
  {
    what: 'a push without an answer counts as landed',
    file: 'services/sync/sync-cycle.ts',
    from: "if (outcome.kind !== 'landed') continue",
    to: "if (outcome.kind === 'rejected') continue",
    isQuick: true,
  },
  {
    what: 'the base is written before the push has landed',
    file: 'services/sync/hub/push-intent.ts',
    from: 'store.update({ addIntent: intent, facts: { hlc } })',
    to: 'store.update({ addIntent: intent, facts: { hlc }, base: intent.rows.map(({ path, row }) => [path, row] as const) })',
    isQuick: true,
  },
  {
    what: 'what is dirty is forgotten before it is committed',
    file: 'services/sync/sync-cycle.ts',
    from: 'const keys = new Set(deps.attention.open)',
    to: 'const keys = new Set(deps.attention.open); deps.attention.open.clear()',
  },
  {
    what: 'a push that was begun is not written down',
    file: 'services/sync/hub/push-intent.ts',
    from: 'store.update({ addIntent: intent, facts: { hlc } })',
    to: 'store.update({ facts: { hlc } })',
  },
  {
    what: 'a clone that was lost is taken for one that holds the base',
    file: 'services/sync/sync-cycle.ts',
    from: 'await forgetLostClone(deps)',
    to: '',
  },
  {
    what: 'an approval of the hub is put into the local Approved/',
    file: 'core/merge-task.ts',
    from: "if (!path || context.zone !== 'local' ||",
    to: 'if (true ||',
  },
  {
    what: 'an edit of before a claim undoes the claim',
    file: 'core/merge-task.ts',
    from: 'if (ahead !== 0)',
    to: 'if (false)',
  },
  {
    what: 'a task that left one folder is not looked for in the others',
    file: 'services/sync/work-tree/scan-work-tree.ts',
    from: 'for (const name of lost) for (const folder of folders)',
    to: 'for (const name of []) for (const folder of folders)',
  },
  {
    what: 'nothing is looked at again once everything was scanned',
    file: 'services/sync/sync-cycle.ts',
    from: 'if (scan.isWhole) wakeEverything(deps)',
    to: '',
    isQuick: true,
  },
]
