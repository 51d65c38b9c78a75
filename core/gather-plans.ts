import type { ListedTask } from './dashboard-facts.ts'
import { fileMemory } from './file-memory.ts'
import { shortId, type TaskId } from './ids.ts'
import { withoutNotice } from './notice.ts'
import { namedBy, type Plan, plansOf, type Step, stepOf } from './plan.ts'
import { isPlanNote, readPlanNote } from './plan-note.ts'
import type { VaultPort } from './ports/vault.ts'
import { parseTaskFile } from './task-file.ts'
import { fileNameOf, type VaultPath } from './vault-path.ts'

type Vault = Pick<VaultPort, 'list' | 'read' | 'stamp' | 'taskFolders'>

export interface OpenWork {
  readonly plans: readonly Plan[]
  /** Open tasks that were handed over and are not taken up yet. */
  readonly handed: readonly ListedTask[]
}

/** More than any honest plan; what names more tasks than this is followed no further. */
const MAX_FOLLOWED = 200

/**
 * The plans that are under way, and those that have come to their end since their note was written. What is open is read
 * whole; of what is over only what a plan names. A file that has not changed is not read again.
 */
export function planGatherer(vault: Vault): () => Promise<OpenWork> {
  const readFile = fileMemory(vault)
  return async () => {
    const folders = await vault.taskFolders()
    const read = (path: VaultPath) => readFile(path, readStep(path))
    const steps = new Map<string, Step>()
    for (const folder of folders.filter((one) => !isOver(one)))
      for (const path of await vault.list(folder)) {
        const step = await read(path)
        if (step) steps.set(step.id, step)
      }
    const wanted = [...[...steps.values()].flatMap(namedBy).map(shortOf), ...(await ofNotes(vault, readFile))]
    const looked = new Set([...steps.keys()].map(shortOf))
    const over = new Map<string, VaultPath>()
    // The folders of what is over are large: they are listed only where something is looked for there.
    if (wanted.some((one) => !looked.has(one)))
      for (const folder of folders.filter(isOver))
        for (const path of await vault.list(folder)) over.set(endingOf(path), path)
    for (let next = wanted.pop(); next !== undefined && looked.size < MAX_FOLLOWED + steps.size; next = wanted.pop()) {
      if (looked.has(next)) continue
      looked.add(next)
      const path = over.get(next)
      const step = path && (await read(path))
      if (!step || steps.has(step.id)) continue
      steps.set(step.id, step)
      wanted.push(...namedBy(step).map(shortOf))
    }
    readFile.forgetOthers()
    const all = [...steps.values()]
    const handed = all.flatMap(({ path, title, handed: say }) => (say === undefined ? [] : [{ path, title, say }]))
    return { plans: plansOf(all), handed }
  }
}

/** The tasks of the notes that do not say yet that all is over. */
async function ofNotes(vault: Vault, readFile: ReturnType<typeof fileMemory>): Promise<string[]> {
  const notes = (await vault.list('Plans')).filter((path) => isPlanNote(fileNameOf(path)))
  const read = await Promise.all(notes.map((path) => readFile(path, (text) => readPlanNote(text ?? ''))))
  return read.flatMap((note) => (note.isOver ? [] : note.steps))
}

function readStep(path: VaultPath): (text: string | undefined) => Step | undefined {
  return (text) => {
    const parsed = text === undefined ? undefined : parseTaskFile(withoutNotice(text))
    return parsed?.ok ? stepOf(path, parsed.task) : undefined
  }
}

function isOver(folder: string): boolean {
  return folder.startsWith('Done/') || folder === 'Rejected'
}

function endingOf(path: VaultPath): string {
  return /_([0-9a-z]{6})\.md$/.exec(path)?.[1] ?? path
}

function shortOf(id: string): string {
  return shortId(id as TaskId)
}
