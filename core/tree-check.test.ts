import { expect, test } from 'vitest'
import { checkTree } from './tree-check.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const AGENTS = new Set(['cloud', 'local'])
const check = (...paths: string[]) =>
  checkTree(
    paths.map((path) => ({ path, mode: '100644', size: 10 })),
    AGENTS,
  )

test('a tree that honest commits lead to has no fault', () => {
  const copy = F.replace('.md', '.conflict-cloud-20261120T100102Z-0a1b2c3d.md')
  expect(
    check(
      'Dashboard.md',
      `Pending_Approval/email/${F}`,
      `Pending_Approval/email/${copy}`,
      'Plans/Über.md',
      'Logs/old-agent/2026-11-20.jsonl',
    ),
  ).toEqual([])
})

test.each<[string, string[]]>([
  ['path-unknown', ['.gitattributes/x', 'secrets.txt', 'Review.md']],
  ['task-in-two-places', [`Pending_Approval/email/${F}`, `Done/2026-11/${F}`]],
  ['name-differs-only-in-case', ['Plans/Trip.md', 'Plans/trip.md']],
  ['agent-unknown', [`In_Progress/stranger/${F}`]],
])('finds %s', (rule, paths) => {
  expect(check(...paths).map((one) => one.rule)).toContain(rule)
})

test('finds a link, a program and a file that is too large', () => {
  const entries = [
    { path: 'Plans/a.md', mode: '120000', size: 1 },
    { path: 'Plans/b.md', mode: '100755', size: 1 },
    { path: 'Plans/c.md', mode: '100644', size: 1024 * 1024 },
  ]
  expect(checkTree(entries, AGENTS).map((one) => one.rule)).toEqual(['mode', 'mode', 'size'])
})
