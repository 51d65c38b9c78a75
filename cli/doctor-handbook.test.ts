import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { goalsFinding, handbookFinding } from './doctor-handbook.ts'

let vault: string
beforeEach(() => {
  vault = mkdtempSync(join(tmpdir(), 'countersign-handbook-'))
})
afterEach(() => rmSync(vault, { recursive: true, force: true }))

test.each([
  [undefined, 'ok', 'there is none'],
  ['## Rules\n- At most 5 recipients\n', 'ok', 'every rule is understood'],
  ['## Rules\n- At most five recipients\n- Be kind\n', 'failed', /line 2 .*line 3 /],
  ['## Triage\n- from @bank.example: skip\n', 'ok', 'every rule is understood'],
  ['## Triage\n- from the bank: skip\n', 'failed', /line 2 .*“bank” is not understood/],
  [`## Rules\n${'x'.repeat(200_000)}`, 'failed', '200000'],
])('doctor tells which rules of the handbook are not understood: %#', async (text, result, found) => {
  if (text !== undefined) writeFileSync(join(vault, 'Company_Handbook.md'), text)
  const finding = await handbookFinding(vault)
  expect(finding.result).toBe(result)
  expect(finding.found).toMatch(found)
})

test.each([
  [undefined, 'ok', 'none are planned'],
  [
    '## Posts\n- Time zone: Europe/Berlin\n- every Monday X: x\n',
    'ok',
    '1 line plans posts, by the clock of Europe/Berlin',
  ],
  ['## Posts\n- Time zone: Europe/Berlin\n- sometimes X: x\n', 'failed', 'Business_Goals.md, line 3'],
  ['## Posts\n- every Monday X: x\n', 'failed', 'UTC counts'],
])('doctor tells which planned posts are not understood: %#', async (text, result, found) => {
  if (text !== undefined) writeFileSync(join(vault, 'Business_Goals.md'), text)
  const finding = await goalsFinding(vault)
  expect(finding.result).toBe(result)
  expect(finding.found).toMatch(found)
})
