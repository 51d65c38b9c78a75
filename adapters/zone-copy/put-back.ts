import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { PutBack, PutBackPlan } from '#core/ports/put-back.ts'
import { ZONES } from '#core/zone-policy.ts'

const planSchema: z.ZodType<PutBackPlan> = z.strictObject({
  snapshot: z.string(),
  zone: z.enum(ZONES),
  agent: z.string(),
  made: z.iso.datetime(),
  at: z.iso.datetime(),
  aside: z.string().regex(/^before-restore-[\w-]+$/),
  old: z.array(z.string()),
})

const FOLDER = 'restoring'
/** They stay where they are: this program's own, and what earlier restores put aside. */
const STAYS = /^(backup|backups|restoring|before-restore-.*)$/
/** Without it no service starts: it goes first, and comes last. */
const LAST = 'state'

export function putBackInto(home: string): PutBack {
  const folder = join(home, FOLDER)
  const zoneFolder = join(folder, 'zone')
  const planFile = join(folder, 'plan.json')
  return {
    zoneFolder,
    async plan() {
      const text = await readFile(planFile, 'utf8').catch(() => undefined)
      return text === undefined ? undefined : planSchema.parse(JSON.parse(text))
    },
    async begin() {
      await rm(folder, { recursive: true, force: true })
      await mkdir(zoneFolder, { recursive: true, mode: 0o700 })
    },
    async commit(facts) {
      const old = (await readdir(home)).filter((name) => !STAYS.test(name))
      // What restic has written may still stand in memory only: after a power cut there would be empty files.
      await syncTree(zoneFolder)
      const plan = { ...facts, aside: `before-restore-${facts.at.replaceAll(/[:.]/g, '-')}`, old }
      await writeWhole(planFile, JSON.stringify(plan))
      return plan
    },
    async finish(plan) {
      const aside = join(home, plan.aside)
      if (plan.old.length > 0) await mkdir(aside, { recursive: true, mode: 0o700 })
      for (const name of ordered(plan.old, 'first'))
        if (!existsSync(join(aside, name)) && existsSync(join(home, name))) await move(home, name, aside)
      const names = ordered(await readdir(zoneFolder), 'last')
      for (const name of names) await move(zoneFolder, name, home)
      // What is no part of a backup, and has to be there for containers to start.
      await mkdir(join(home, 'backups'), { recursive: true, mode: 0o700 })
      if (plan.old.length > 0) await syncPath(aside)
      await syncPath(home)
      await rm(folder, { recursive: true, force: true })
    },
    abandon: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Whether a backup may be put here: nothing stands here, a zone home does, or what a restore left. */
export async function mayHold(home: string): Promise<boolean> {
  const names: readonly string[] = await readdir(home).catch(() => [])
  const isZone = names.some((name) => ZONES.some((zone) => name === `.env.${zone}`))
  return isZone || names.every((name) => STAYS.test(name) || name === 'secrets')
}

/** The names with the state's folder first, or last. */
function ordered(names: readonly string[], place: 'first' | 'last'): string[] {
  const rest = names.filter((name) => name !== LAST)
  const own = names.filter((name) => name === LAST)
  return place === 'first' ? [...own, ...rest] : [...rest, ...own]
}

async function move(from: string, name: string, to: string): Promise<void> {
  try {
    await rename(join(from, name), join(to, name))
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'failed'
    throw new CountersignError('ERR_RESTORE_REFUSED', `moving ${join(from, name)} to ${to}: ${code}`, { cause })
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.tmp`, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
  await rename(`${path}.tmp`, path)
  await syncPath(join(path, '..'))
}

/** Everything below, files before the folders that name them. */
async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncTree(join(path, entry.name))
    else if (entry.isFile()) await syncPath(join(path, entry.name))
  }
  await syncPath(path)
}

async function syncPath(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync()
  await folder.close()
}
