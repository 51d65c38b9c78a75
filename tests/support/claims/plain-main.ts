import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseTaskFile } from '#core/task-file.ts'
import { type CloneSetup, endWithParent } from './setup.ts'
import { writeTold } from './told.ts'

// The control: an agent that claims as most tools do, by a rename in its own clone, `git add -A`, commit,
// `git pull --rebase` and push, and takes a push that ends well for a claim that was won.
const setup = JSON.parse(process.argv[2] ?? '') as CloneSetup
endWithParent()
const vault = join(setup.dir, 'vault')
const ssh = [
  'ssh -F /dev/null',
  `-i ${join(setup.keys, 'deploy')}`,
  ...['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${join(setup.trust, 'known_hosts')}`].map(
    (one) => `-o ${one}`,
  ),
  `-o ControlMaster=auto -o ControlPath=${join(setup.dir, 'c')} -o ControlPersist=30`,
].join(' ')
const env = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: setup.dir,
  GIT_SSH_COMMAND: ssh,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
}
const git = (...args: string[]) =>
  execFileSync('git', ['-c', `user.name=${setup.agent}`, '-c', 'user.email=a@b.invalid', ...args], {
    cwd: existsSync(vault) ? vault : setup.dir,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
const tried = (...args: string[]): boolean => {
  try {
    git(...args)
    return true
  } catch {
    return false
  }
}

mkdirSync(setup.dir, { recursive: true })
while (!existsSync(vault)) {
  if (!tried('clone', '-q', setup.hubUrl, vault)) {
    rmSync(vault, { recursive: true, force: true })
    await delay(50)
  }
}
process.stdout.write('ready\n')
for (;;) {
  // What a killed git leaves behind, as anybody would help himself.
  rmSync(join(vault, '.git', 'index.lock'), { force: true })
  tried('rebase', '--abort')
  if (!tried('pull', '-q', '--rebase')) tried('reset', '-q', '--hard', 'origin/main')
  const claimed = claimSome()
  if (claimed.length > 0) {
    tried('add', '-A')
    tried('commit', '-q', '-m', `claim for ${setup.agent}`)
    if (tried('pull', '-q', '--rebase') && tried('push', '-q', 'origin', 'HEAD:main'))
      for (const taskId of claimed)
        writeTold(setup.toldFile, { agent: setup.agent, taskId, generation: 1, at: Date.now() })
  } else if (existsSync(setup.stopFile)) break
  await delay(20 + Math.random() * 80)
}

/** Moves open tasks here and makes each a file of its own work, as a drafting agent does. */
function claimSome(): string[] {
  const from = join(vault, 'Needs_Action', 'email')
  const to = join(vault, 'In_Progress', setup.agent)
  mkdirSync(to, { recursive: true })
  const names = existsSync(from) ? readdirSync(from).slice(0, 10) : []
  return names.flatMap((name) => {
    const parsed = parseTaskFile(readFileSync(join(from, name), 'utf8'))
    if (!parsed.ok) return []
    const { id, created } = parsed.task.front
    renameSync(join(from, name), join(to, name))
    const plan = Array.from({ length: 12 }, (_, line) => `- step ${line} of ${setup.agent}`).join('\n')
    const front = `id: ${id}\nschema: "1"\nkind: EMAIL\ndomain: email\ntitle: worked on by ${setup.agent}\ncreated: "${created}"\ngeneration: "1"`
    writeFileSync(join(to, name), `---\n${front}\n---\n${plan}\n`)
    return [id]
  })
}
