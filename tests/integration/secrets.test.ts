import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initHub } from '#adapters/git/hub.ts'
import { readGuard, secretsInFolder, writeGuard } from '#adapters/keys/guard-file.ts'
import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { guardScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { judgeRange } from '#core/gate.ts'
import type { Oid } from '#core/ports/repo.ts'
import { joined as j, noise } from '#tests/secrets/noise.ts'
import { Attacker, type HostileFile } from '#tests/support/git-attacker.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'

const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md'
const LOG = 'Logs/cloud/2026-11-20.jsonl'
const TOKEN = j('gh', 'p_', noise(36))
const KEY = j('-----BEGIN ', 'PRIVATE', ' KEY-----\n', noise(64, 'base64'), '\n')
/** A secret that the local zone holds. */
const PASSWORD = 'Blaue-Katze-17-lacht'

let zones: Zones
let hub: string
let head: Oid
beforeAll(async () => {
  zones = await makeZones()
  const keys = join(zones.home('local'), 'keys')
  const password = { name: 'smtp-password', bytes: Buffer.from(PASSWORD), kind: 'text' as const }
  await writeGuard(keys, [...(await secretsInFolder(keys)), password])
  hub = await makeHub(zones)
  await using cloud = await openClone(zones, 'cloud', hub)
  head = await commitFiles(cloud, null, { 'Plans/trip.md': 'by train\n', [LOG]: '{"seq":1}\n' })
  expect(await cloud.push({ commit: head, expected: null })).toEqual({ kind: 'landed' })
})
afterAll(() => zones[Symbol.dispose]())

type Files = Readonly<Record<string, HostileFile | null>>
const commit =
  (files: Files, more: { message?: string; author?: string; parent?: Oid } = {}) =>
  (attacker: Attacker): Oid =>
    attacker.commit({ parents: [more.parent ?? head], files, signer: 'cloud', ...more })
/** The first commit brings it, the next takes it out again. */
const inAndOut = (first: Files, second: Files) => (attacker: Attacker) =>
  commit(second, { parent: commit(first)(attacker) })(attacker)

interface Leak {
  readonly what: string
  readonly rule: RegExp
  readonly make: (attacker: Attacker) => Oid
}

/** T21 and T22 of the threat table. */
const leaks: readonly Leak[] = [
  { what: 'a token in a note', rule: /secret\.github-token/, make: commit({ [NOTE]: `the key is ${TOKEN}\n` }) },
  {
    what: 'a token that the next commit of the same push takes out',
    rule: /secret\.github-token/,
    make: inAndOut({ [NOTE]: `${TOKEN}\n` }, { [NOTE]: 'nothing to see\n' }),
  },
  {
    what: 'a file that the next commit of the same push removes',
    rule: /secret\.private-key/,
    make: inAndOut({ 'Plans/key.md': KEY }, { 'Plans/key.md': `${'x'.repeat(9)}\n` }),
  },
  {
    what: 'a token beside a comment that switches secretlint off',
    rule: /secret\.github-token.*\n.*secretlint\.github|secretlint\.github/,
    make: commit({ [NOTE]: `<!-- secretlint-disable -->\n${TOKEN}\n` }),
  },
  {
    what: 'a token in base64',
    rule: /secret\.github-token/,
    make: commit({ [NOTE]: `${Buffer.from(`key=${TOKEN} end`).toString('base64')}\n` }),
  },
  {
    what: 'a token with zero-width characters in it, quoted',
    rule: /secret\.github-token/,
    make: commit({ [NOTE]: `> ${[...TOKEN].join('\u200b')}\n` }),
  },
  {
    what: 'a token in a commit’s message',
    rule: /secret\.github-token: in its message/,
    make: commit({ [NOTE]: 'x\n' }, { message: TOKEN }),
  },
  {
    what: 'a token as a commit’s author',
    rule: /secret\.github-token: in its message or author/,
    make: commit({ [NOTE]: 'x\n' }, { author: TOKEN }),
  },
  {
    what: 'a token as a file’s name',
    rule: /secret\.github-token-in-name: Plans\/\.\.\./,
    make: commit({ [`Plans/${TOKEN}.md`]: 'x\n' }),
  },
  { what: 'a key in a text attachment', rule: /secret\.private-key/, make: commit(attachment(KEY, '.txt')) },
  {
    what: 'a key among other bytes of an attachment',
    rule: /secret\.private-key/,
    make: commit(
      attachment(Buffer.concat([Buffer.from([0, 1, 255, 254]), Buffer.from(KEY), Buffer.from([0])]), '.bin'),
    ),
  },
  {
    what: 'a token of which an earlier commit brought the beginning, in the ledger',
    rule: /secret\.github-token/,
    make: inAndOut({ [LOG]: `{"seq":1}\n${TOKEN.slice(0, 20)}` }, { [LOG]: `{"seq":1}\n${TOKEN}\n` }),
  },
]

/** Under the name that its bytes give it. */
function attachment(content: string | Buffer, ending: string): Record<string, string | Buffer> {
  return { [`Attachments/${createHash('sha256').update(content).digest('hex')}${ending}`]: content }
}

describe('the hub refuses', () => {
  it.each(leaks)('$what', async ({ rule, make }) => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    const pushed = attacker.push(`${make(attacker)}:refs/heads/main`)
    expect(pushed.output).toMatch(rule)
    expect(pushed.exitCode).not.toBe(0)
    expect(pushed.output).not.toContain(TOKEN)
    expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
  })

  it('nothing of an ordinary push', async () => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    expect(attacker.push(`${commit({ [NOTE]: 'all is well\n' })(attacker)}:refs/heads/main`).exitCode).toBe(0)
  })

  it('a push that it cannot look into, because a scanner does not load', async () => {
    const dir = join(mkdtempSync(join(zones.root, 'hub-')), 'vault.git')
    cpSync(hub, dir, { recursive: true })
    const broken = join(zones.root, 'broken.mjs')
    writeFileSync(
      broken,
      `import { registerHooks } from 'node:module'
       registerHooks({ resolve(name, context, next) {
         if (name === '@secretlint/core') throw new Error('planted fault')
         return next(name, context)
       } })`,
    )
    const hookCommand = [process.execPath, '--import', broken, resolve('services/hub/main.ts')]
    await initHub({ dir, trustDir: zones.trustDir, hookCommand })
    const attacker = new Attacker(zones, dir)
    // No secret at all, but a text that secretlint would have to look at.
    const pushed = attacker.push(`${commit({ [NOTE]: 'see https://me@x.example/\n' })(attacker)}:refs/heads/main`)
    expect(pushed.output).toMatch(/scan\.failed/)
    expect(pushed.exitCode).not.toBe(0)
  })
})

describe('the local gate, with a hub that refuses nothing, refuses', () => {
  const known: Leak[] = [
    {
      what: 'a secret of this zone in a note',
      rule: /known-secret\.smtp-password/,
      make: commit({ [NOTE]: `${PASSWORD}\n` }),
    },
    {
      what: 'a secret of this zone backwards, in the ledger',
      rule: /known-secret\.smtp-password/,
      make: commit({ [LOG]: `{"seq":1}\n${[...PASSWORD].reverse().join('')}\n` }),
    },
    {
      what: 'a secret of this zone as a file’s name',
      rule: /known-secret\.smtp-password-in-name: Plans\/\.\.\./,
      make: commit({ [`Plans/${PASSWORD}.md`]: 'x\n' }),
    },
    {
      what: 'a secret of this zone in hex, in a message',
      rule: /known-secret\.smtp-password/,
      make: commit({ [NOTE]: 'x\n' }, { message: Buffer.from(PASSWORD).toString('hex') }),
    },
  ]
  it.each([...leaks, ...known])('$what', async ({ rule, make }) => {
    const target = tamedHub()
    const attacker = new Attacker(zones, target)
    const made = make(attacker)
    const pushed = attacker.push('--force', `${made}:refs/heads/main`)
    expect(pushed.exitCode, pushed.output).toBe(0)

    await using local = await openClone(zones, 'local', target)
    expect(await local.fetch()).toEqual({ kind: 'ok', head: made })
    const scan = scanInLayers([
      guardScan(await readGuard(join(zones.home('local'), 'keys'))),
      ruleScan,
      secretlintScan(),
    ])
    const agents = new Map(zones.agents.map((one) => [one.name, one.zone]))
    const verdict = await judgeRange(local, { lastVerified: head, head: made }, { agents, scan })
    if (verdict.kind !== 'refused') throw new Error('it was let in')
    const faults = verdict.faults.map((fault) => `${fault.rule}: ${fault.detail}`).join('\n')
    expect(faults).toMatch(rule)
    expect(faults).not.toContain(TOKEN)
    expect(faults).not.toContain(PASSWORD)
  })
})

/** The same history behind a plain git server: no hook, no check of objects, force allowed. */
function tamedHub(): string {
  const dir = join(mkdtempSync(join(zones.root, 'tamed-')), 'vault.git')
  cpSync(hub, dir, { recursive: true })
  rmSync(join(dir, 'hooks'), { recursive: true })
  writeFileSync(join(dir, 'config'), '[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n')
  return dir
}
