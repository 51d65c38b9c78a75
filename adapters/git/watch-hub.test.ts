import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HubWatch, Oid } from '#core/ports/repo.ts'
import { sshTarget } from './ssh.ts'
import { listenToHub, watchHubFolder } from './watch-hub.ts'

let hub: string
beforeEach(() => {
  hub = mkdtempSync(join(tmpdir(), 'hub-'))
  mkdirSync(join(hub, 'refs/heads'), { recursive: true })
})
afterEach(() => rmSync(hub, { recursive: true }))

it.each([
  ['a path', (path: string) => path],
  ['a file URL', (path: string) => pathToFileURL(path).href],
])('notices a push to a hub given as %s', async (_, addressOf) => {
  let pushes = 0
  await using _watch = watchHubFolder(addressOf(hub), () => pushes++) as HubWatch
  // As git writes a ref: a lock file, then a rename.
  writeFileSync(join(hub, 'refs/heads/main.lock'), 'x')
  renameSync(join(hub, 'refs/heads/main.lock'), join(hub, 'refs/heads/main'))
  await vi.waitFor(() => expect(pushes).toBeGreaterThan(0), { timeout: 5_000, interval: 10 })
})

it.each(['ssh://git@hub/vault.git', 'git@hub:vault.git', '/nowhere/vault.git'])(
  'has no folder to watch at %s',
  (url) => {
    expect(watchHubFolder(url, () => {})).toBeUndefined()
  },
)

it.each([
  ['ssh://git@hub.example:2222/srv/vault.git', ['-p', '2222', 'git@hub.example']],
  ['ssh://hub.example/vault.git', ['hub.example']],
  ['ssh://git@[::1]:22/vault.git', ['-p', '22', 'git@::1']],
  ['git@hub.example:vault.git', ['git@hub.example']],
])('reaches %s', (url, target) => {
  expect(sshTarget(url)).toEqual(target)
})

describe('listening', () => {
  const HEAD = 'a'.repeat(40)
  const script = (lines: string) => ['/bin/sh', '-c', lines]
  const handlers = (onHead: (head: Oid | null) => void) => ({
    ...{ onHead, known: () => null, onPack: () => {}, onLost: () => {} },
  })

  it('hears each head and no other word', async () => {
    const heads: unknown[] = []
    const says = `echo hello; echo head none; echo beat; echo head ${HEAD}x; echo head ${HEAD}; exec sleep 60`
    await using watch = listenToHub(
      script(says),
      handlers((head) => heads.push(head)),
    )
    await vi.waitFor(() => expect(heads).toEqual([null, HEAD]), { timeout: 5_000, interval: 10 })
    expect(watch.isLive()).toBe(true)
  })

  it('is not live with a server that knows no such command, nor once the connection ended', async () => {
    let heads = 0
    const ended = join(hub, 'ended')
    await using watch = listenToHub(
      script(`[ -e ${ended} ] && exit 1; touch ${ended}; echo head none; exit 0`),
      handlers(() => heads++),
    )
    await vi.waitFor(() => expect([heads, watch.isLive()]).toEqual([1, false]), { timeout: 5_000, interval: 10 })
  })

  it('says what it knows, and hears what came after that before the head', async () => {
    const heard: unknown[] = []
    const [from, to] = ['b'.repeat(40), HEAD]
    // Its words are sh's $0.
    const says = `echo pack ${from} ${to} UEFDSw==; echo pack ${from} ${to} 'no base64'; echo pack x; echo head ${to}; exec sleep 60`
    await using _watch = listenToHub(script(`[ "$0" = 'countersign-watch ${from}' ] || exit 1; ${says}`), {
      known: () => from as Oid,
      onPack: (pack) => heard.push({ ...pack, bytes: Buffer.from(pack.bytes).toString() }),
      onHead: (head) => heard.push(head),
      onLost: () => heard.push('lost'),
    })
    await vi.waitFor(() => expect(heard).toEqual([{ from, to, bytes: 'PACK' }, to]), { timeout: 5_000, interval: 10 })
  })

  it('hangs up on a server that never ends a line, and says that the line is gone', async () => {
    let losses = 0
    const endless = script('yes | tr -d "\\n"')
    await using watch = listenToHub(endless, { ...handlers(() => {}), onLost: () => losses++ })
    await vi.waitFor(() => expect([losses, watch.isLive()]).toEqual([1, false]), { timeout: 5_000, interval: 10 })
  })

  it('starts again by itself', async () => {
    let heads = 0
    await using _watch = listenToHub(
      script('echo head none'),
      handlers(() => heads++),
    )
    await vi.waitFor(() => expect(heads).toBeGreaterThan(1), { timeout: 20_000, interval: 20 })
  }, 30_000)
})
