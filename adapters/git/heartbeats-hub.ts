import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HARDENED } from './config.ts'
import { initBare } from './init-bare.ts'
import { gitRunner } from './run-git.ts'

/** The name of a hub's repository for heartbeats, which stands beside the vault's. */
export const HEARTBEATS = 'heartbeats.git'
export const BEAT_REFS = 'refs/heartbeats/'
/** One heartbeat is a commit of about a kilobyte. */
const MAX_PUSH = '64k'

/**
 * Makes or completes the hub's repository for heartbeats beside the vault's. It is apart so that it can forget: nothing in
 * it is ever built upon, and what no ref leads to any more is thrown away.
 */
export async function initHeartbeatsHub(vaultDir: string): Promise<void> {
  const dir = join(dirname(vaultDir), HEARTBEATS)
  await initBare(gitRunner(dir), dir, {
    ...HARDENED,
    // As in hub.ts.
    'core.hooksPath': 'hooks',
    // A log of its refs would keep every heartbeat.
    'core.logAllRefUpdates': 'false',
    // After a power cut the next one is a minute away.
    'core.fsync': 'none',
    'receive.denyDeletes': 'true',
    'receive.fsckObjects': 'true',
    'receive.maxInputSize': MAX_PUSH,
    'receive.autogc': 'false',
    'http.receivepack': 'false',
  })
  mkdirSync(join(dir, 'hooks'), { recursive: true, mode: 0o700 })
  writeHook(dir, 'pre-receive', PRE_RECEIVE)
  writeHook(dir, 'post-receive', POST_RECEIVE)
}

function writeHook(dir: string, name: string, text: string): void {
  const path = join(dir, 'hooks', name)
  writeFileSync(path, text, { mode: 0o700 })
  chmodSync(path, 0o700)
}

/** Who pushes is known by the deploy key; over a plain path it is not, and then the readers' look at the signature is all. */
const PRE_RECEIVE = `#!/bin/sh
# Written by countersign at each start of the hub. An agent writes its own heartbeat and nothing else.
# It hears what time it is here, so that a clock that is wrong is noticed.
while read -r _ _ ref; do
  case "$ref" in
    "${BEAT_REFS}\${COUNTERSIGN_HUB_AGENT:-\${ref#${BEAT_REFS}}}") ;;
    *) echo "countersign: refused ref: only ${BEAT_REFS}\${COUNTERSIGN_HUB_AGENT-} is yours here" >&2; exit 1 ;;
  esac
done
echo "countersign: clock $(date +%s)" >&2
`

/** Names are evenly spread over 256 folders: four in one are about a thousand. Not the youngest: a push may be using them. */
const POST_RECEIVE = `#!/bin/sh
# Written by countersign at each start of the hub. Throws old heartbeats away, one at a time, and the push does not wait.
set -- objects/17/*
if [ "$#" -gt 3 ]; then
  one_at_a_time=
  # Where there is none (macOS), two at once do no harm: they take the same away.
  command -v flock >/dev/null && one_at_a_time='flock -n pruning'
  $one_at_a_time git prune --expire=5.minutes.ago </dev/null >/dev/null 2>&1 &
fi
`
