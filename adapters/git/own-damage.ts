import { CountersignError } from '#core/errors.ts'
import { checkObjects } from './clone-damage.ts'
import { isDiskFault, type RunGit, withoutCredentials } from './run-git.ts'

/** What git says of its own repository; the hub's words come after `remote:`. */
const OWN_WORDS =
  /^(?:fatal|error): (?:loose object |corrupt loose object |bad (?:tree )?object |unable to read [0-9a-f]{40}|could not read [0-9a-f]{40}|failed to traverse parents|not a git repository: |unterminated line in |packfile )/im

/** A disk that takes nothing makes a fetch fail, too. Throws ERR_STATE_WRITE_FAILED when that was it. */
export function refuseOwnDisk(verb: string, stderr: string): void {
  if (isDiskFault(stderr))
    throw new CountersignError(
      'ERR_STATE_WRITE_FAILED',
      `git ${verb}: ${withoutCredentials(stderr).trim().slice(0, 300)}`,
    )
}

/**
 * A damaged clone makes a push or fetch fail in words that sound like the hub's fault. Throws ERR_GIT_FAILED (details:
 * damaged) when it was the clone's.
 */
export function refuseOwnDamage(verb: string, stderr: string): void {
  const words = OWN_WORDS.exec(stderr)
  if (words) throw damaged(verb, stderr.slice(words.index).split('\n')[0] ?? '')
}

/** The same where the words do not tell who is to blame: an incomplete pack, or an incomplete clone. */
export async function refuseIncompleteClone(run: RunGit): Promise<void> {
  const [problem] = await checkObjects(run, false)
  if (problem !== undefined) throw damaged('fetch', problem)
}

function damaged(verb: string, found: string): CountersignError {
  return new CountersignError('ERR_GIT_FAILED', `git ${verb}: ${withoutCredentials(found).slice(0, 300)}`, {
    details: { damaged: true },
  })
}
