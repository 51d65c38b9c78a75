import { beforeEach, describe, expect, it } from 'vitest'
import { credentialNotes } from './credential-notes.ts'
import type { CredentialNews } from './ports/mail.ts'
import type { Zone } from './zone-policy.ts'

const NOW = Date.UTC(2026, 10, 30, 12)
const HOUR = 3_600_000

describe('the credential of a mailbox', () => {
  let notes: { path: string; text: string }[]
  let told: number[]
  let seen: Set<string>
  let now: number

  beforeEach(() => {
    notes = []
    told = []
    seen = new Set()
    now = NOW
  })
  const watching = (name = 'main', zone: Zone = 'cloud') =>
    credentialNotes({
      vault: {
        create: async (path, text) => {
          notes.push({ path, text: String(text) })
          return 'created'
        },
      },
      seen: { has: (key) => seen.has(key), add: (key) => void seen.add(key) },
      clock: { now: () => now },
      expiresAt: (at) => void told.push(at),
      ...{ zone, agent: zone, name, address: 'owner@gmail.test' },
    })
  const news = (changes: Partial<CredentialNews> = {}): CredentialNews => ({
    ...{ name: 'abc', isRefused: false },
    ...changes,
  })

  it('says when it ends, two days ahead and once, also after a restart', async () => {
    const expiresAt = NOW + 49 * HOUR
    await watching()(news({ expiresAt }))
    expect(notes).toEqual([])
    expect(told).toEqual([expiresAt])
    now += 2 * HOUR
    for (const _restart of [1, 2]) for (const _look of [1, 2]) await watching()(news({ expiresAt }))
    expect(notes).toHaveLength(1)
    expect(notes[0]?.path).toMatch(/^Updates\/cloud\/[0-9A-Z]{26}\.md$/)
    expect(notes[0]?.text).toContain('owner@gmail.test (mailbox main) ends on 2026-12-02 at 13:00 UTC')
    expect(notes[0]?.text).toContain('`countersign auth gmail --zone cloud`')
  })

  it('says when it is taken no longer, once, and again of the next one', async () => {
    const tell = watching('office')
    for (const _look of [1, 2, 3]) await tell(news({ isRefused: true }))
    expect(notes).toHaveLength(1)
    expect(notes[0]?.text).toMatch(/not accepted any more, so no mail is read.*--zone cloud --mailbox office`/s)
    await tell(news({ name: 'def', isRefused: true }))
    expect(notes).toHaveLength(2)
  })

  it('of the local zone says what is not done without it', async () => {
    await watching('main', 'local')(news({ isRefused: true }))
    expect(notes[0]?.path).toMatch(/^Updates\/local\//)
    expect(notes[0]?.text).toMatch(/so no mail is sent.*`countersign auth gmail --zone local`/)
  })

  it('of which nobody said when it ends is not told of', async () => {
    await watching()(news())
    expect([notes, told]).toEqual([[], []])
  })
})
