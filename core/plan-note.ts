import { code, plain } from './card-text.ts'
import { shortId } from './ids.ts'
import { type Plan, type PlannedStep, progressOf } from './plan.ts'
import { type VaultPath, vaultPath } from './vault-path.ts'

const NOTE = /^Plan ([0-9a-z]{6})\.md$/
const STEP = /^\d+\. (?:✓|✗|▸|·) `([0-9a-z]{6})`/gm
const OVER = '*This plan is over.*'
const MARKS = { done: '✓', ended: '✗', open: '·', drafting: '▸', waiting: '▸', approved: '▸' } as const

export function planNotePath({ root }: Pick<Plan, 'root'>): VaultPath {
  return vaultPath(`Plans/Plan ${shortId(root)}.md`)
}

export function isPlanNote(fileName: string): boolean {
  return NOTE.test(fileName)
}

/** The overview of a plan. It is made anew from where the tasks stand, and nothing is ever decided by it. */
export function renderPlanNote(plan: Plan): string {
  const title = plan.title === '' ? 'a request of this machine' : plain(plan.title)
  return [
    `# Plan: ${title}`,
    `${progressOf(plan)}.`,
    plan.steps.map((step, index) => `${index + 1}. ${lineOf(step)}`).join('\n'),
    ...(plan.isOver ? [OVER] : []),
    '*Written by Countersign from where the tasks stand; what you change here is replaced.*',
    '',
  ].join('\n\n')
}

/** What an earlier note says: of which tasks, by their short ids, and whether all of it is over. */
export function readPlanNote(text: string): { readonly steps: readonly string[]; readonly isOver: boolean } {
  return { steps: [...text.matchAll(STEP)].map(([, id = '']) => id), isOver: text.includes(`\n${OVER}\n`) }
}

function lineOf(step: PlannedStep): string {
  const { id, path, title, zone, state, say, after, isPrivate, stopped } = step
  const what = isPrivate ? 'a step that stays on the local machine' : `[${plain(title)}](../${path})`
  const order =
    after.length > 0 ? `, after ${after.map((one) => code(shortId(one as PlannedStep['id']))).join(' and ')}` : ''
  const halt = stopped === undefined ? '' : `; **stopped**: ${plain(stopped)}`
  return `${MARKS[state]} ${code(shortId(id))} ${what} · ${zone} · ${say}${order}${halt}`
}
