import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import { type AgentIdentity, sshFingerprint } from '#core/trust.ts'
import { catFile } from './cat-file.ts'
import { HARDENED } from './config.ts'
import { initHeartbeatsHub } from './heartbeats-hub.ts'
import { initBare } from './init-bare.ts'
import { removeStaleLocks } from './lock.ts'
import { looseObjects } from './loose-objects.ts'
import { objectSource } from './object-source.ts'
import { type ObjectReader, objectReader } from './objects.ts'
import { gitRunner } from './run-git.ts'
import { standingNames } from './standing-names.ts'

export interface HubOptions {
  /** Absolute path of the bare repository, made when absent. */
  readonly dir: string
  /** Absolute path of the folder with agents.json. */
  readonly trustDir: string
  /** Program and leading arguments of the gate, absolute: `[node, …/services/hub/main.ts]` or the bundle. */
  readonly hookCommand: readonly string[]
}

export interface PushReader extends ObjectReader, Disposable {
  /** The paths of a commit's tree among which are all that share a name with one of these. */
  readonly standingNames: (commit: Oid, paths: readonly string[]) => Promise<readonly string[]>
}

export interface PushObjects extends Disposable {
  of(
    quarantine: { readonly objects: string; readonly alternates: string },
    agents: readonly AgentIdentity[],
  ): PushReader
}

/** A push of more than this is refused while it arrives; the largest honest commit is one full ledger file. */
const MAX_PUSH = '96m'
/** No honest ref transaction holds its lock for longer. */
const STALE_LOCK_MS = 30_000
const STALE_INCOMING_MS = 3_600_000

/**
 * Makes or completes the hub: fast-forward only, checked on receipt, on disk before it is acknowledged, the gate as its
 * pre-receive hook. Idempotent; the hooks and the configuration are written anew each time.
 */
export async function initHub({ dir, trustDir, hookCommand }: HubOptions): Promise<void> {
  if (existsSync(dir)) {
    removeStaleHubLocks(dir, Date.now())
    removeStaleIncoming(dir, Date.now())
  }
  await initBare(gitRunner(dir), dir, {
    ...HARDENED,
    // Relative to the repository: its folder has another path in a container than on the machine, and no hooks would be no gate.
    'core.hooksPath': 'hooks',
    'receive.denyNonFastForwards': 'true',
    'receive.denyDeletes': 'true',
    'receive.fsckObjects': 'true',
    'receive.fsck.badFilemode': 'error',
    'receive.maxInputSize': MAX_PUSH,
    'receive.autogc': 'false',
    'receive.advertisePushOptions': 'true',
    'http.receivepack': 'false',
  })
  mkdirSync(join(dir, 'hooks'), { recursive: true, mode: 0o700 })
  writeHook(dir, 'pre-receive', preReceiveHook(dir, trustDir, hookCommand))
  writeHook(dir, 'reference-transaction', REFERENCE_TRANSACTION_HOOK)
  await initHeartbeatsHub(dir)
}

/** A receive-pack that was killed leaves `main.lock`, which blocks every later push; the next push clears it. */
export function removeStaleHubLocks(dir: string, nowMs: number): string[] {
  return removeStaleLocks(dir, STALE_LOCK_MS, nowMs)
}

/**
 * Reads what pushes bring, from inside the pre-receive hook: the new objects stand in a quarantine that git's variables
 * name (empty ones are left out). What the hub has already is read through one git for all pushes.
 */
export function pushObjects(dir: string): PushObjects {
  const own = catFile(dir)
  return {
    of(quarantine, agents) {
      const env = {
        ...(quarantine.objects && { GIT_OBJECT_DIRECTORY: quarantine.objects }),
        ...(quarantine.alternates && { GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates }),
      }
      const run = gitRunner(dir, env)
      const folders = [quarantine.objects, ...quarantine.alternates.split(':'), join(dir, 'objects')].filter(isAbsolute)
      const brought = catFile(dir, env)
      const packed = {
        size: async (oid: Oid) => (await own.size(oid)) ?? brought.size(oid),
        read: async (oid: Oid, maxBytes: number) => ((await own.size(oid)) ? own : brought).read(oid, maxBytes),
      }
      const source = objectSource(packed, looseObjects(folders as [string, ...string[]]))
      const reader = objectReader(run, source, new Map(agents.map((one) => [sshFingerprint(one.signing), one.name])))
      return {
        ...reader,
        standingNames: (commit, paths) => standingNames(reader, commit, paths),
        [Symbol.dispose]: () => brought[Symbol.dispose](),
      }
    },
    [Symbol.dispose]: () => own[Symbol.dispose](),
  }
}

function removeStaleIncoming(dir: string, nowMs: number): void {
  const objects = join(dir, 'objects')
  if (!existsSync(objects)) return
  for (const name of readdirSync(objects).filter((one) => one.startsWith('tmp_objdir-incoming-'))) {
    const path = join(objects, name)
    if (nowMs - statSync(path).mtimeMs > STALE_INCOMING_MS) rmSync(path, { recursive: true, force: true })
  }
}

function writeHook(dir: string, name: string, text: string): void {
  const path = join(dir, 'hooks', name)
  writeFileSync(path, text, { mode: 0o700, flush: true })
  chmodSync(path, 0o700)
}

/** Where the gate that stays listens, in the hub's folder. */
export const GATE_SOCKET = 'gate.sock'

/**
 * Asks the gate that stays, if there is one; else starts one for this push alone. Only a whole answer counts, and
 * `exec`: when the gate cannot even start, the shell's failure refuses the push.
 */
function preReceiveHook(dir: string, trustDir: string, command: readonly string[]): string {
  if (command[0] === undefined || !isAbsolute(command[0]))
    throw new CountersignError('ERR_CONFIG_INVALID', `the hub's hook needs an absolute program, not ${command[0]}`)
  return `#!/bin/sh
# Written by countersign at each start of the hub. Refuses whatever the gate refuses.
updates=
while read -r line; do updates="$updates$line
"; done
if [ -S ${GATE_SOCKET} ]; then
  perl -MIO::Socket::UNIX -e '${ASK_GATE}' ${GATE_SOCKET} ${MAX_JUDGING_S} "\${GIT_OBJECT_DIRECTORY-}" \\
    "\${GIT_ALTERNATE_OBJECT_DIRECTORIES-}" "\${COUNTERSIGN_HUB_AGENT-}" "\${GIT_PUSH_OPTION_0-}" "$updates"
  case $? in ${ACCEPTED}) exit 0 ;; ${REFUSED}) exit 1 ;; esac
fi
export NODE_COMPILE_CACHE=${shellQuoted(join(dir, 'hook-cache'))}
exec ${command.map(shellQuoted).join(' ')} pre-receive \\
  --git-dir ${shellQuoted(dir)} --trust ${shellQuoted(trustDir)} --agent "\${COUNTERSIGN_HUB_AGENT-}" \\
  --objects "\${GIT_OBJECT_DIRECTORY-}" --alternates "\${GIT_ALTERNATE_OBJECT_DIRECTORIES-}" \\
  --push-option "\${GIT_PUSH_OPTION_0-}" <<END
$updates
END
`
}

/** Exit codes of the question, which no failure of perl or of the shell gives. */
const [ACCEPTED, REFUSED] = [40, 41]
const MAX_JUDGING_S = 120
/** Perl is in every Debian; a node would take longer to start than the answer. No quotes of one kind: it stands in them. */
const ASK_GATE = `
    my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1;
    alarm shift;
    print $s join("\\0", @ARGV); $s->flush; shutdown $s, 1;
    my ($verdict, @faults) = <$s>;
    print STDERR @faults;
    exit($verdict eq "accepted\\n" ? ${ACCEPTED} : $verdict eq "refused\\n" ? ${REFUSED} : 1)`

/**
 * Git renames a ref into place without syncing its folder; without this an acknowledged claim can vanish in a power cut.
 * The rest stands here too because a hook more is a program more for each push. Opened for both directions, a pipe whose
 * reader is gone neither blocks nor kills the writer.
 */
const REFERENCE_TRANSACTION_HOOK = `#!/bin/sh
# Written by countersign at each start of the hub. Runs before the client is told that its push landed.
[ "$1" = committed ] || exit 0
sync -f "$PWD" 2>/dev/null || sync
# Wakes everyone who listens for a new head (services/hub/hub-watch), and says who pushed it.
for pipe in watchers/*; do
  [ -p "$pipe" ] || continue
  if [ -d "/proc/\${pipe##*.}" ]; then echo "\${COUNTERSIGN_HUB_AGENT-}" 1<>"$pipe"; else rm -f "$pipe"; fi
done
# Packs loose objects once there are some 6,000 (names are evenly spread over 256 folders), one at a time, and the push
# does not wait for it.
set -- objects/17/*
if [ "$#" -gt 23 ] && command -v flock >/dev/null; then
  flock -n packing git repack -d -l -q --geometric=2 </dev/null >/dev/null 2>&1 &
fi
`

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
