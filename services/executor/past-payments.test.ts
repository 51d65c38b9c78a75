import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { riskFacts } from '#core/risk.ts'
import { paymentsKnown } from './past-payments.ts'

test('a handbook that is half saved is no handbook without limits; one that stands, or none, is read', async () => {
  const home = mkdtempSync(join(tmpdir(), 'countersign-known-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const vault = await openVault(home)
  const risk = riskFacts(readHandbookRules(''), [], [], [])
  let stamp: string | undefined
  const known = paymentsKnown({
    vault: { exists: vault.exists, stamp: async () => stamp },
    journal: { payments: () => [] },
    knowledge: async () => ({ risk, fault: undefined }),
  })
  expect((await known()).fault).toBeUndefined()
  writeFileSync(join(home, 'Company_Handbook.md'), '')
  expect((await known()).fault).toContain('saved this very moment')
  stamp = 'it has stood a while'
  expect((await known()).fault).toBeUndefined()
})
