import { generateKeyPairSync } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { ruleScan, scanInLayers } from '#core/content-scan.ts'
import { chainEntry, type LedgerHead, renderLedgerLine, signCheckpoint } from '#core/ledger.ts'
import { maskSecrets } from '#core/mask-mail.ts'
import { BUSINESS_MAILS, CODE_MAILS } from './business-mails.ts'
import { CORPORA, measure, rowOf } from './measure.ts'
import { noise } from './noise.ts'

const root = join(import.meta.dirname, '../..')
const scan = scanInLayers([ruleScan, secretlintScan()])
const findIn = async (text: string) =>
  (await scan.scan({ path: 'Plans/x.md', bytes: Buffer.from(text) })).map(({ rule }) => rule)

describe('the figures of docs/secrets.md', () => {
  const page = readFileSync(join(root, 'docs/secrets.md'), 'utf8')
  it.each(Object.entries(CORPORA))('are what the scan finds: %s', async (corpus, texts) => {
    expect(page).toContain(rowOf(await measure(corpus, texts)))
  })
})

describe('nothing is found', () => {
  it.each(BUSINESS_MAILS.map((text) => [text]))('in an ordinary mail: %s', async (text) => {
    expect(await findIn(text)).toEqual([])
    expect(maskSecrets(text).text).toBe(text)
  })

  it.each(CODE_MAILS.map((text) => [text]))('in a mail whose codes were masked: %s', async (text) => {
    const { text: left, masked } = maskSecrets(text)
    expect(masked.length).toBeGreaterThan(0)
    expect(left).not.toMatch(/482 ?913|4821\b/)
    expect(await findIn(left)).toEqual([])
  })

  it.each(globSync(['docs/**/*.md', 'skills/**/*.md', '*.md'], { cwd: root }).map((path) => [path]))(
    'in our own %s',
    async (path) => {
      expect(await findIn(readFileSync(join(root, path), 'utf8'))).toEqual([])
    },
  )

  it('in a ledger of a thousand entries with their signatures', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const lines: string[] = []
    let head: LedgerHead | null = null
    for (let entry = 0; entry < 1_000; entry++) {
      const checkpoint = head && signCheckpoint('cloud', head, privateKey)
      const data =
        entry % 3 === 0 && checkpoint
          ? { ...checkpoint }
          : { message: `sha256:${noise(64, 'hex', `${entry}`)}`, attachments: 2 }
      const sealed = chainEntry(head, {
        at: '2026-11-20T10:00:00.000Z',
        agent: 'cloud',
        type: 'task.created',
        task: noise(26, 'bech32'),
        data,
      })
      lines.push(renderLedgerLine(sealed))
      head = sealed
    }
    expect(await findIn(lines.join('\n'))).toEqual([])
  })
})
