import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { clockBounds } from '#core/clock-bounds.ts'
import { MAX_BEAT_BYTES } from '#core/heartbeat.ts'
import type { HeartbeatsPort, SignedText } from '#core/ports/heartbeats.ts'
import type { Oid } from '#core/ports/repo.ts'
import { sshFingerprint } from '#core/trust.ts'
import { formatCommit, parseCommit } from './commits.ts'
import { checkHubUrl, cloneSettings, isSshUrl } from './config.ts'
import { BEAT_REFS, HEARTBEATS } from './heartbeats-hub.ts'
import { initBare } from './init-bare.ts'
import { looseObjects } from './loose-objects.ts'
import type { RepoOptions } from './repo.ts'
import { gitRunner, transport, withoutCredentials } from './run-git.ts'
import { shareConnection, shellLine } from './ssh.ts'
import { readSigningKey, signCommit, withSignature } from './ssh-signature.ts'

const LIMIT_MS = 20_000
const MAX_COMMIT = MAX_BEAT_BYTES + 4 * 1024
const MAX_AGENTS = 50
const REMOTE = /^([0-9a-f]{40})\trefs\/heartbeats\/([a-z][a-z0-9-]{0,30})$/
/** What our own hub says of its clock at each push, in seconds. */
const CLOCK = /countersign: clock (\d{1,12})\b/
/** So many heartbeats are kept here before all of them are thrown away. */
const KEPT = 500

/** Our own hub has a repository for them beside the vault's; another git server takes them as refs of the vault's. */
export function heartbeatsUrl(hubUrl: string): string {
  return hubUrl.replace(/(^|[/:])vault\.git\/?$/, `$1${HEARTBEATS}`)
}

/**
 * Heartbeats as commits without a file and without a parent, signed like those of the vault, each in place of the one
 * before. The folder is a cache and made anew at each opening. Throws ERR_CONFIG_INVALID, ERR_GIT_FAILED.
 */
export async function openHeartbeats(options: RepoOptions): Promise<HeartbeatsPort> {
  const { gitDir, agent } = options
  const hubUrl = heartbeatsUrl(checkHubUrl(options.hubUrl))
  const signingKey = await readSigningKey(options.signingKeyFile)
  const run = gitRunner(gitDir)
  const closing = new AsyncDisposableStack()
  const ssh = isSshUrl(hubUrl) && options.ssh && closing.use(shareConnection(options.ssh, gitDir))
  const settings = {
    ...cloneSettings({ hubUrl, agent, sshCommand: ssh ? shellLine(ssh.words) : undefined }),
    ...{ 'core.logAllRefUpdates': 'false', 'core.fsync': 'none', 'remote.hub.fetch': '' },
  }
  const loose = looseObjects([join(gitDir, 'objects')])
  const keys = new Map(options.agents.map((one) => [sshFingerprint(one.signing), one.name]))
  const known = new Map<string, SignedText>()
  let kept = KEPT

  const makeRoom = async () => {
    if (++kept <= KEPT) return
    for (const name of ['objects', 'refs', 'packed-refs']) rmSync(join(gitDir, name), { recursive: true, force: true })
    await initBare(run, gitDir, settings)
    kept = 0
  }
  const over = async (args: readonly string[]) => {
    const result = await transport(run, args, LIMIT_MS)
    if (result.kind !== 'answer') return result
    const { exitCode, stdout, stderr } = result
    if (exitCode === 0) return { kind: 'answer', stdout: stdout.toString('utf8'), stderr } as const
    return { kind: 'unreachable', reason: withoutCredentials(stderr).trim().slice(0, 300) } as const
  }
  /** Undefined: not signed by whom the ref is named after, or not to be read. */
  const textOf = async (oid: Oid, name: string): Promise<SignedText | undefined> => {
    const { exitCode, stdout } = await run(['cat-file', 'commit', oid], { accept: 'any' })
    if (exitCode !== 0 || stdout.length > MAX_COMMIT) return undefined
    const { signature, message } = parseCommit(oid, stdout, keys)
    return signature.state === 'good' && signature.agent === name ? { id: oid, text: message } : undefined
  }
  return {
    async send(text) {
      await makeRoom()
      const tree = await loose.write('tree', Buffer.alloc(0))
      const payload = formatCommit({ tree, parent: null, agent, atMs: Date.now(), text: `${text}\n` })
      const oid = await loose.write('commit', withSignature(payload, signCommit(payload, signingKey)))
      const askedAt = Date.now()
      const sent = await over(['push', '--porcelain', '--no-verify', 'hub', `+${oid}:${BEAT_REFS}${agent}`])
      if (sent.kind !== 'answer') return sent
      const said = Number(CLOCK.exec(sent.stderr)?.[1] ?? Number.NaN)
      return { kind: 'sent', ...(Number.isFinite(said) && { clock: clockBounds(said * 1000, askedAt, Date.now()) }) }
    },
    async read() {
      await makeRoom()
      const listed = await over(['ls-remote', '--refs', 'hub', `${BEAT_REFS}*`])
      if (listed.kind !== 'answer') return listed
      const there = listed.stdout.split('\n').flatMap((line) => {
        const [, oid, name] = REMOTE.exec(line) ?? []
        return oid && name && name !== agent ? [{ oid: oid as Oid, name }] : []
      })
      const fresh = there.slice(0, MAX_AGENTS).filter(({ oid, name }) => known.get(name)?.id !== oid)
      if (fresh.length > 0) {
        const refs = fresh.map(({ name }) => `+${BEAT_REFS}${name}:${BEAT_REFS}${name}`)
        const fetched = await over([
          'fetch',
          '--no-tags',
          '--no-auto-maintenance',
          '--no-write-fetch-head',
          'hub',
          ...refs,
        ])
        if (fetched.kind !== 'answer') return fetched
      }
      for (const { oid, name } of fresh) {
        const signed = await textOf(oid, name)
        if (signed) known.set(name, signed)
        else known.delete(name)
      }
      for (const name of known.keys()) if (!there.some((one) => one.name === name)) known.delete(name)
      return { kind: 'read', beats: new Map(known) }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}
