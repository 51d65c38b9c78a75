import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { type Asking, askSync } from '#adapters/state-files/requests.ts'
import { CountersignError } from '#core/errors.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import type { TaskFile } from '#core/task-file.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { SecretFile } from '#runtime/config.ts'
import type { Cli } from './cli.ts'
import { EXIT } from './exit-codes.ts'
import type { FoundTask } from './tasks.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
const ANSWER_LIMIT_MS = 30_000

type Asked<K extends SyncRequest['kind']> = Omit<Extract<SyncRequest, { kind: K }>, 'id' | 'task' | 'file'>
export type Question = Asked<'claim'> | Asked<'give-back'> | Asked<'look'>

/** A task whose file can be read. Throws ERR_TASK_FILE_INVALID for any other. */
export function readable(found: FoundTask): FoundTask & { readonly task: TaskFile } {
  const { task } = found
  if (task) return { ...found, task }
  throw new CountersignError('ERR_TASK_FILE_INVALID', `reading ${found.path}: ${found.problem ?? 'it is no task'}`)
}

/**
 * Asks the zone's sync about a task and waits for its answer. A claim or a giving back stands until it is answered, also
 * when nobody waits any more. Throws ERR_NOT_RUNNING when sync says nothing.
 */
export async function askAbout(
  home: ZoneHome,
  env: Cli['env'],
  found: FoundTask & { readonly task: TaskFile },
  question: Question,
): Promise<SyncAnswer> {
  const asking = await askSync(home.state)
  const about = { id: randomBytes(16).toString('hex'), task: found.task.front.id, file: fileNameOf(found.path) }
  if (question.kind === 'claim') await withdrawClaims(home, about.task)
  await asking.ask({ ...question, ...about } as SyncRequest)
  await ring(home, env)
  const answer = await answerTo(about.id, asking)
  if (answer) {
    if (answer.kind !== 'waiting' || question.kind === 'look') await asking.forget(about.id)
    return answer
  }
  if (question.kind === 'look') await asking.forget(about.id)
  const stands = question.kind === 'look' ? '' : '; what was asked stands, and is done once it runs'
  throw new CountersignError(
    'ERR_NOT_RUNNING',
    `asking sync about ${about.file}: no answer in ${ANSWER_LIMIT_MS / 1000} s${stands}`,
  )
}

/** Takes back claims that were asked for and have not been made. */
export async function withdrawClaims(home: ZoneHome, taskId: string): Promise<number> {
  const asking = await askSync(home.state)
  const open = (await asking.open()).filter((one) => one.kind === 'claim' && one.task === taskId)
  for (const { id } of open) await asking.forget(id)
  return open.length
}

/** Whether the task is being given back: its owner is to stop, whatever the hub still shows. */
export async function isBeingGivenBack(home: ZoneHome, taskId: string): Promise<boolean> {
  const open = await (await askSync(home.state)).open()
  return open.some((one) => one.kind === 'give-back' && one.task === taskId)
}

export function exitCodeOfAnswer(answer: SyncAnswer): number {
  switch (answer.kind) {
    case 'landed':
    case 'seen':
      return EXIT.ok
    case 'waiting':
      return EXIT.waiting
    case 'held':
    case 'taken':
    case 'elsewhere':
    case 'refused':
      return EXIT.refused
  }
}

/** What an answer that is no success says. */
export function sayAnswer(answer: SyncAnswer, agent: string): string {
  switch (answer.kind) {
    case 'landed':
    case 'seen':
      return ''
    case 'held':
      return `Not claimed: ${agent} holds it already, under generation ${answer.generation}.`
    case 'taken':
      return `${answer.by} holds it, under generation ${answer.generation}.`
    case 'elsewhere':
      return answer.place === null ? 'It is no open task any more.' : `It stands in ${answer.place}/.`
    case 'refused':
      return `Refused (${answer.rule}). ${answer.say}`
    case 'waiting':
      return `${answer.say}\nIt is done as soon as that is over; \`countersign release\` takes a claim back.`
  }
}

/** The bell only wakes: without it sync comes upon the request at its next look. */
async function ring(home: ZoneHome, given: Cli['env']): Promise<void> {
  const env = { ...given, ...environmentOf(home) }
  const url = env.COUNTERSIGN_REDIS_URL
  if (!url) return
  const file = env.COUNTERSIGN_REDIS_PASSWORD_FILE
  try {
    await using redis = await connectRedis(url, file && new SecretFile(file).read(), SILENT)
    await using bell = await openDoorbell(redis, SILENT)
    await bell.ring('sync', 'sync-now', {})
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_REDIS_UNREACHABLE')) throw error
  }
}

async function answerTo(id: string, asking: Asking): Promise<SyncAnswer | undefined> {
  const deadline = Date.now() + ANSWER_LIMIT_MS
  while (Date.now() < deadline) {
    const answer = await asking.answerTo(id)
    if (answer) return answer
    await delay(50)
  }
  return undefined
}
