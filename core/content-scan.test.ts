import { describe, expect, it } from 'vitest'
import { joined as j, noise } from '#tests/secrets/noise.ts'
import { guardScan, lazyScan, MAX_SCANNED_BYTES, rememberingScan, ruleScan, scanInLayers } from './content-scan.ts'
import type { ContentScan } from './ports/content-scan.ts'
import { isScanRule, scanChanges, scanMessage, shownPath } from './scan-changes.ts'

const TOKEN = j('gh', 'p_', noise(36))
const content = (text: string | Uint8Array) => ({ path: 'Plans/x.md', bytes: Buffer.from(text) })
const finding = (rule: string): ContentScan => ({ scan: async () => [{ rule, kind: 'block' }] })

describe('a scan in layers', () => {
  it('tells what each layer found, each rule once', async () => {
    const scan = scanInLayers([finding('a'), finding('b'), finding('a')])
    expect((await scan.scan(content('x'))).map(({ rule }) => rule)).toEqual(['a', 'b'])
  })

  it('takes a layer that fails for one that found something', async () => {
    const broken: ContentScan = { scan: () => Promise.reject(new Error('out of memory')) }
    const throwing: ContentScan = {
      scan() {
        throw new Error('at once')
      },
    }
    for (const layer of [broken, throwing])
      expect(await scanInLayers([layer]).scan(content('x'))).toEqual([{ rule: 'scan.failed', kind: 'block' }])
  })

  it('looks into nothing larger than it is made for', async () => {
    const found = await scanInLayers([]).scan(content(new Uint8Array(MAX_SCANNED_BYTES + 1)))
    expect(found).toEqual([{ rule: 'scan.too-large', kind: 'block' }])
    expect(await scanInLayers([]).scan(content(new Uint8Array(MAX_SCANNED_BYTES)))).toEqual([])
  })
})

describe('a layer that is loaded late', () => {
  it('is loaded once, and not before a text comes that it could find something in', async () => {
    let loads = 0
    const scan = lazyScan(/ghp_/, async () => {
      loads++
      return finding('secretlint.github')
    })
    expect(await scan.scan(content('plain words'))).toEqual([])
    expect(loads).toBe(0)
    for (const text of [TOKEN, Buffer.from(`the ${TOKEN} of today`).toString('base64')])
      expect(await scan.scan(content(text))).toHaveLength(1)
    expect(loads).toBe(1)
  })

  it('keeps everything back that it should have looked into, when it does not load', async () => {
    const scan = scanInLayers([lazyScan(/ghp_/, () => Promise.reject(new Error('no such module')))])
    expect(await scan.scan(content(TOKEN))).toEqual([{ rule: 'scan.failed', kind: 'block' }])
    expect(await scan.scan(content('plain words'))).toEqual([])
  })
})

describe('the rules', () => {
  it.each<[string, string | Uint8Array]>([
    ['in UTF-8', TOKEN],
    ['in UTF-16', Buffer.from(`\ufeff${TOKEN}`, 'utf16le')],
    ['in UTF-16 without a mark', Buffer.from(`key ${TOKEN} end`, 'utf16le')],
    [
      'among other bytes',
      Buffer.concat([Buffer.from([0, 200, 1]), Buffer.from(`key=${TOKEN}`), Buffer.from([255, 0])]),
    ],
    ['at the seam of two pieces', `${'x '.repeat(131_060)}${TOKEN} ${'x '.repeat(131_060)}`],
  ])('look into a text %s', async (_how, text) => {
    expect(await ruleScan.scan(content(text))).toContainEqual({ rule: 'secret.github-token', kind: 'block' })
  })

  it('tell what is only to be masked from what is to be kept back', async () => {
    expect(await ruleScan.scan(content('Your login code is 482913'))).toEqual([
      { rule: 'secret.one-time-code', kind: 'mask' },
    ])
  })
})

describe('a scan that remembers', () => {
  it('asks again after a failure', async () => {
    const answers = ['scan.failed', 'secret.password']
    const scan = rememberingScan({ scan: async () => [{ rule: answers.shift() ?? 'asked too often', kind: 'block' }] })
    const rules = async () => (await scan.scan(content('x'))).map(({ rule }) => rule)
    expect([await rules(), await rules(), await rules()]).toEqual([
      ['scan.failed'],
      ['secret.password'],
      ['secret.password'],
    ])
  })
})

describe('the changes of a commit', () => {
  const seen: string[] = []
  const spy: ContentScan = {
    async scan({ bytes }) {
      seen.push(Buffer.from(bytes).toString())
      return []
    },
  }
  const looked = async (changes: Parameters<typeof scanChanges>[0]) => {
    seen.length = 0
    await scanChanges(changes, spy)
    return seen
  }

  it('are looked into when they bring something, not when they move or remove it', async () => {
    const [old, fresh] = [Buffer.from('old'), Buffer.from('new')]
    expect(await looked([{ path: 'Plans/a.md', after: fresh }])).toEqual(['Plans/a.md', 'new'])
    expect(await looked([{ path: 'Plans/a.md', before: old }])).toEqual([])
    expect(
      await looked([
        { path: 'Plans/a.md', before: old },
        { path: 'Plans/b.md', after: Buffer.from('old') },
      ]),
    ).toEqual(['Plans/b.md'])
  })

  it('that only want masking keep nothing back', async () => {
    const code = { path: 'Plans/a.md', after: Buffer.from('Your login code is 482913') }
    expect(await scanChanges([code], ruleScan)).toEqual([])
    expect(await scanMessage('Your login code is 482913', ruleScan)).toEqual([])
    expect(await scanMessage(`Sync ${TOKEN}`, ruleScan)).toEqual(['secret.github-token'])
  })

  it('are shown without a name that carries a secret', async () => {
    const [named] = await scanChanges([{ path: `Plans/${TOKEN}.md`, after: Buffer.from(TOKEN) }], ruleScan)
    expect(named).toEqual({ path: `Plans/${TOKEN}.md`, rule: 'secret.github-token-in-name' })
    expect(named && shownPath(named)).toBe('Plans/...')
    expect(shownPath({ path: 'Plans/a.md', rule: 'secret.github-token' })).toBe('Plans/a.md')
    expect(['known-secret.x', 'secret.x', 'secretlint.x', 'scan.failed', 'local-only-path'].map(isScanRule)).toEqual([
      ...[true, true, true, true],
      false,
    ])
  })
})

describe('the guard', () => {
  it('is asked about the bytes as they are and about every reading of them', async () => {
    const readings: string[] = []
    const scan = guardScan({
      find(bytes) {
        readings.push(Buffer.from(bytes).toString())
        return undefined
      },
    })
    await scan.scan(content('> a\u200bb %41'))
    expect(readings).toEqual(['> a\u200bb %41', 'ab %41', 'ab A'])
  })
})
