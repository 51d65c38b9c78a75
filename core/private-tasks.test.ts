import { expect, test } from 'vitest'
import { type KnownKey, staysHere } from './private-tasks.ts'
import { type Domain, type VaultPath, vaultPath } from './vault-path.ts'

const F = 'PAYMENT_2026-11-20_rent_7h3k9q.md'
const COPY = F.replace('.md', '.conflict-local-20261120T100000Z-12345678.md')
const at = (folder: string, name = F): VaultPath => vaultPath(`${folder}/${name}`)
const own = (folder: string, domain: Domain | undefined, name = F) => ({ path: at(folder, name), domain })
const key = (ours: KnownKey['ours'], hub: readonly VaultPath[] = [], hasStayed = false) =>
  staysHere({ ours, hub, hasStayed })
const NEEDS = 'Needs_Action/payment'

test.each<[what: string, ours: KnownKey['ours'], hub?: readonly VaultPath[], hasStayed?: boolean]>([
  ['a new task of a local-only domain', [own(NEEDS, 'payment')]],
  ['… that nobody can read', [own('Needs_Action/whatsapp', undefined)]],
  ['a draft that waits', [own('Pending_Approval/payment', 'payment')]],
  ['a draft in the wrong folder', [own('Pending_Approval/email', 'payment')]],
  ['what is being worked on', [own('In_Progress/local', 'whatsapp')]],
  ['an approval', [own('Approved', 'payment')]],
  ['a rejection', [own('Rejected', 'payment')]],
  ['what is done', [own('Done/2026-11', 'payment')]],
  ['what the hub has open, once it is claimed', [own('In_Progress/local', 'payment')], [at(NEEDS)]],
  ['… once it waits for the person', [own('Pending_Approval/payment', 'payment')], [at(NEEDS)]],
  ['… and cannot be read any more', [own('Approved', undefined)], [at(NEEDS)]],
  ['what nobody can read and the hub has never had', [own('Approved', undefined)]],
  ['… among what is done', [own('Done/2026-11', undefined)]],
  ['what stayed before and cannot be read any more', [own('Pending_Approval/email', undefined)], [], true],
  ['what stayed before and says another domain now', [own('Done/2026-11', 'email')], [], true],
  ['what stayed before and was given back', [own(NEEDS, 'payment')], [], true],
  ['a copy of it', [own('Pending_Approval/payment', 'payment', COPY)]],
  ['what the hub was given while private domains were carried', [own('Approved', 'payment')], [at('Approved')]],
  ['the dashboard', [{ path: vaultPath('Dashboard.md'), domain: undefined }], [vaultPath('Dashboard.md')]],
])('%s stays on its machine', (_what, ours, hub, hasStayed) => {
  expect(key(ours, hub, hasStayed)).toBe(true)
})

test.each<[what: string, ours: KnownKey['ours'], hub?: readonly VaultPath[], hasStayed?: boolean]>([
  ['a payment that the cloud has found and nobody has claimed', [own(NEEDS, 'payment')], [at(NEEDS)]],
  ['… that the person has broken', [own(NEEDS, undefined)], [at(NEEDS)]],
  ['a task of a shared domain', [own('Needs_Action/email', 'email')]],
  ['… that waits', [own('Pending_Approval/email', 'email')], [at('Pending_Approval/email')]],
  ['… that nobody can read, in its folder', [own('Pending_Approval/email', undefined)]],
  ['… that nobody can read and the hub knows', [own('Approved', undefined)], [at('Pending_Approval/email')]],
  ['what is not here', [], [at(NEEDS)]],
  ['a plan', [{ path: vaultPath('Plans/rent.md'), domain: undefined }]],
  ['the handbook', [{ path: vaultPath('Company_Handbook.md'), domain: undefined }]],
])('%s is carried', (_what, ours, hub, hasStayed) => {
  expect(key(ours, hub, hasStayed)).toBe(false)
})
