import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { countVault } from './count-vault.ts'

async function vaultWith(files: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'count-vault-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), '')
  }
  return root
}

const name = (id: string) => `EMAIL_2026-11-20_invoice_${id}.md`

test('counts tasks by state, conflict copies apart, strangers not at all', async () => {
  const root = await vaultWith([
    `Needs_Action/email/${name('aaaaaa')}`,
    `Needs_Action/payment/${name('bbbbbb')}`,
    `Needs_Action/email/todo.txt`,
    `In_Progress/cloud/${name('cccccc')}`,
    `Pending_Approval/email/${name('dddddd')}`,
    `Pending_Approval/email/EMAIL_2026-11-20_invoice_dddddd.conflict-cloud-20261120T100000Z-0a1b2c3d.md`,
    'Plans/trip.conflict-local-20261120T100000Z-0a1b2c3d.md',
    `Done/2026-11/${name('eeeeee')}`,
    `Done/2026-10/${name('ffffff')}`,
    'HALT.md',
  ])
  expect(await countVault(root, '2026-11')).toEqual({
    needs_action: 2,
    in_progress: { cloud: 1 },
    pending: 1,
    approved: 0,
    rejected: 0,
    done: 1,
    conflicts: 2,
    halted: true,
  })
})

test('counts an empty vault as zero', async () => {
  expect((await countVault(await vaultWith([]), '2026-11')).needs_action).toBe(0)
})
