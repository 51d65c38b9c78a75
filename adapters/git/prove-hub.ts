import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { FORGED_PATH, judgeHubAnswer, PROOF_REF } from '#core/hub-proof.ts'
import { openRepo, type RepoOptions } from './repo.ts'
import { gitRunner, transport } from './run-git.ts'

const LIMIT_MS = 60_000

/**
 * Tries at the hub what it must refuse: an approval that this agent made up, properly signed with its own key. It is pushed to
 * a branch that git itself could never keep, so that nothing of it stays even where no rule refuses it. Never throws.
 */
export async function proveHub(options: Omit<RepoOptions, 'gitDir'>, scratch: string): Promise<Finding> {
  let folder: string | undefined
  try {
    folder = await mkdtemp(join(scratch, 'countersign-proof-'))
    const gitDir = join(folder, 'repo.git')
    await using repo = await openRepo({ ...options, gitDir })
    const oid = await repo.writeBlob(Buffer.from('made up by `countersign prove`\n'))
    const changes = [{ path: FORGED_PATH, oid }]
    const commit = await repo.commitTree({ parent: null, changes, message: 'an approval that nobody gave' })
    const push = ['push', '--porcelain', '--no-verify', '--no-follow-tags', 'hub', `${commit}:${PROOF_REF}`]
    const answer = await transport(gitRunner(gitDir), push, LIMIT_MS)
    if (answer.kind === 'unreachable') return judgeHubAnswer({ kind: 'unreachable', said: answer.reason })
    return judgeHubAnswer(readAnswer(String(answer.stdout), answer.stderr))
  } catch (error) {
    return judgeHubAnswer({ kind: 'unreachable', said: messageOf(error) })
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

function readAnswer(stdout: string, stderr: string): Parameters<typeof judgeHubAnswer>[0] {
  const line = stdout.split('\n').find((one) => one.includes(`:${PROOF_REF}\t`))
  const rules = stderr.split('\n').flatMap((one) => /^remote: (countersign: .*?)\s*$/.exec(one)?.[1] ?? [])
  if (line === undefined) return { kind: 'unreachable', said: stderr.trim().slice(0, 300) || 'no answer' }
  return { kind: line.startsWith('!') ? 'refused' : 'landed', said: [...rules, line].join('\n') }
}
