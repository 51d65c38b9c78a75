import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RequestsPort } from '#core/ports/requests.ts'
import { parseAnswer, parseRequest, type SyncAnswer, type SyncRequest } from '#core/sync-request.ts'

/** Whoever asked has long gone. */
const ANSWER_KEPT_MS = 60 * 60 * 1000
const FILE = /^[0-9a-f]{32}\.json$/
const MAX_OPEN = 1_000

/** The side of sync. Answers that nobody fetched are thrown away after an hour, at the next opening. */
export async function openRequests(stateDir: string, nowMs: number): Promise<RequestsPort> {
  const { requests, answers } = await folders(stateDir)
  for (const name of await readdir(answers)) {
    const found = await stat(join(answers, name)).catch(() => undefined) // Fetched in this moment.
    if (found && nowMs - found.mtimeMs > ANSWER_KEPT_MS) await rm(join(answers, name), { force: true })
  }
  return {
    open: () => listRequests(requests),
    async answer(id, answer) {
      await writeDurably(answers, id, answer)
      if (answer.kind !== 'waiting') await rm(join(requests, `${id}.json`), { force: true })
    },
  }
}

/** The side of a command. */
export interface Asking {
  /** On disk when it resolves: what was asked stands, also when both sides are killed. */
  ask(request: SyncRequest): Promise<void>
  /** The answer there is by now. */
  answerTo(id: string): Promise<SyncAnswer | undefined>
  /** Removes a request and whatever was answered to it. */
  forget(id: string): Promise<void>
  open(): Promise<readonly SyncRequest[]>
}

export async function askSync(stateDir: string): Promise<Asking> {
  const { requests, answers } = await folders(stateDir)
  return {
    ask: (request) => writeDurably(requests, request.id, request),
    answerTo: async (id) => parseAnswer(await readFile(join(answers, `${id}.json`), 'utf8').catch(() => '')),
    async forget(id) {
      await rm(join(requests, `${id}.json`), { force: true })
      await rm(join(answers, `${id}.json`), { force: true })
    },
    open: () => listRequests(requests),
  }
}

async function folders(stateDir: string): Promise<{ requests: string; answers: string }> {
  const [requests, answers] = [join(stateDir, 'requests'), join(stateDir, 'answers')]
  for (const folder of [requests, answers]) await mkdir(folder, { recursive: true, mode: 0o700 })
  return { requests, answers }
}

async function listRequests(folder: string): Promise<SyncRequest[]> {
  const names = (await readdir(folder)).filter((name) => FILE.test(name)).slice(0, MAX_OPEN)
  const found: { request: SyncRequest; at: number }[] = []
  for (const name of names) {
    const path = join(folder, name)
    const request = parseRequest(await readFile(path, 'utf8').catch(() => ''))
    const at = (await stat(path).catch(() => undefined))?.mtimeMs // Withdrawn in this moment.
    if (request && at !== undefined && name === `${request.id}.json`) found.push({ request, at })
  }
  return found.sort((a, b) => a.at - b.at).map(({ request }) => request)
}

async function writeDurably(folder: string, id: string, document: object): Promise<void> {
  const temporary = join(folder, `.${id}.tmp`)
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(document)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(folder, `${id}.json`))
  const parent = await open(folder, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}
