import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { handbookFinding } from './doctor-handbook.ts'

let vault: string
beforeEach(() => {
  vault = mkdtempSync(join(tmpdir(), 'countersign-handbook-'))
})
afterEach(() => rmSync(vault, { recursive: true, force: true }))

test.each([
  [undefined, 'ok', 'there is none'],
  ['## Rules\n- At most 5 recipients\n', 'ok', 'every rule is understood'],
  ['## Rules\n- At most five recipients\n- Be kind\n', 'failed', /line 2 .*line 3 /],
  [`## Rules\n${'x'.repeat(200_000)}`, 'failed', '200000'],
])('doctor tells which rules of the handbook are not understood: %#', async (text, result, found) => {
  if (text !== undefined) writeFileSync(join(vault, 'Company_Handbook.md'), text)
  const finding = await handbookFinding(vault)
  expect(finding.result).toBe(result)
  expect(finding.found).toMatch(found)
})
