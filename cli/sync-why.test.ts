import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type InitReport, initZone } from './init/init-zone.ts'
import { whyOf } from './sync-why.ts'
import type { ZoneHome } from './zone-home.ts'

const PASSWORD = 'Blaue-Katze-17-lacht'
const TASK = 'EMAIL_2026-11-20_invoice_7h3k9q.md'
let local: ZoneHome
let cloud: ZoneHome
beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), 'sync-why-'))
  const make = async (zone: 'cloud' | 'local'): Promise<InitReport> =>
    initZone({ root: join(root, zone), zone, settings: {}, secrets: { 'imap-password': PASSWORD } })
  local = (await make('local')).home
  cloud = (await make('cloud')).home
  return () => rmSync(root, { recursive: true })
})

const put = (path: string, content: string | Uint8Array = 'x\n', home = local) => {
  mkdirSync(dirname(join(home.vault, path)), { recursive: true })
  writeFileSync(join(home.vault, path), content)
}
const ruleOf = async (path: string, home = local) => {
  const { carried, rule, because } = await whyOf(home, path)
  expect(because.length).toBeGreaterThan(20)
  return `${carried ? 'carried' : 'kept out'}: ${rule}`
}

describe('sync why', () => {
  // The list of what must never cross, by name.
  it.each([
    ['.env', 'path-segment'],
    ['.env.local', 'path-segment'],
    ['Inbox/.env', 'path-segment'],
    ['whatsapp.session', 'path-unknown'],
    ['Inbox/whatsapp.session', 'path-unknown'],
    ['tokens.json', 'path-unknown'],
    ['Plans/token.json', 'path-unknown'],
    ['tokens/gmail.md', 'path-unknown'],
    ['credentials.json', 'path-unknown'],
    ['Inbox/credentials.json', 'path-unknown'],
    ['Attachments/credentials.json', 'path-unknown'],
    ['banking/accounts.csv', 'path-unknown'],
    ['banking/notes.md', 'path-unknown'],
    ['Plans/banking/notes.md', 'path-unknown'],
    ['.wwebjs_auth/session/Default/Cookies', 'path-segment'],
    ['.wwebjs_cache/2.2412.54.html', 'path-segment'],
    ['auth_info_baileys/creds.json', 'path-unknown'],
    ['secrets/imap-password', 'path-unknown'],
    ['id_ed25519', 'path-unknown'],
    ['server.pem', 'path-unknown'],
    ['storageState.json', 'path-unknown'],
    ['.obsidian/plugins/x/data.json', 'path-segment'],
    ['.git/config', 'path-segment'],
    ['Logs/cloud/2026-11-20.jsonl.key', 'path-unknown'],
    ['../secrets/imap-password', 'path-segment'],
  ])('keeps %s out by its path', async (path, rule) => {
    if (!path.startsWith('..')) put(path)
    expect(await ruleOf(path)).toBe(`kept out: ${rule}`)
  })

  it('says the path of a file outside the vault’s words, also when it is given from elsewhere', async () => {
    put('Plans/trip.md', 'by train\n')
    expect(await ruleOf(join(local.vault, 'Plans/trip.md'))).toBe('carried: carried')
  })

  it.each<[string, string, () => void]>([
    ['a link', 'kept out: not-a-regular-file', () => symlinkSync('/etc/hosts', join(local.vault, 'Plans/link.md'))],
    ['a folder', 'kept out: not-a-regular-file', () => mkdirSync(join(local.vault, 'Plans/link.md'))],
    ['too large', 'kept out: size', () => put('Plans/link.md', 'x'.repeat(256 * 1024 + 1))],
    ['no UTF-8', 'kept out: not-utf8-text', () => put('Plans/link.md', new Uint8Array([0x61, 0xff]))],
    ['absent', 'kept out: absent', () => {}],
    ['a secret of this zone', 'kept out: known-secret.imap-password', () => put('Plans/link.md', `pw ${PASSWORD}`)],
    [
      'one in base64',
      'kept out: known-secret.imap-password',
      () => put('Plans/link.md', Buffer.from(`the pw is ${PASSWORD}`).toString('base64')),
    ],
    [
      'a password',
      'kept out: secret.password',
      () => put('Plans/link.md', ['Das Passwort lautet: Sommer', '2026#'].join('')),
    ],
    ['plain words', 'carried: carried', () => put('Plans/link.md')],
  ])('looks into a file that is %s', async (_what, answer, make) => {
    rmSync(join(local.vault, 'Plans/link.md'), { recursive: true, force: true })
    mkdirSync(join(local.vault, 'Plans'), { recursive: true })
    make()
    expect(await ruleOf('Plans/link.md')).toBe(answer)
  })

  it('knows whose a file is', async () => {
    put('Dashboard.md', 'all is well\n', cloud)
    put('Logs/local/2026-11-20.jsonl', '{}\n', cloud)
    put(`Approved/${TASK}`, 'x\n', cloud)
    expect(await ruleOf('Dashboard.md', cloud)).toBe('kept out: local-only-path')
    expect(await ruleOf('Logs/local/2026-11-20.jsonl', cloud)).toBe('kept out: not-your-ledger')
    expect(await ruleOf(`Approved/${TASK}`, cloud)).toBe('kept out: local-only-path')
    put('Dashboard.md', 'all is well\n')
    expect(await ruleOf('Dashboard.md')).toBe('carried: carried')
    put('Review.md', '- [x] Approve\n')
    expect(await ruleOf('Review.md')).toBe('kept out: path-unknown')
  })

  it('does not say a name that carries a secret twice', async () => {
    put(`Inbox/${PASSWORD}.md`)
    expect(await ruleOf(`Inbox/${PASSWORD}.md`)).toBe('kept out: known-secret.imap-password-in-name')
  })

  it('knows what sync held back, and a conflict copy', async () => {
    put('Plans/odd.md')
    const held = [{ path: 'Plans/odd.md', rule: 'too-many-changes' }]
    writeFileSync(join(local.state, 'sync-status.json'), JSON.stringify({ state: 'ok', at: '', held }))
    expect(await ruleOf('Plans/odd.md')).toBe('kept out: too-many-changes')
    put('Plans/odd.conflict-cloud-20261120T100000Z-12345678.md')
    expect(await ruleOf('Plans/odd.conflict-cloud-20261120T100000Z-12345678.md')).toBe('carried: conflict-copy')
  })
})
