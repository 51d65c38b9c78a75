import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Finding } from '#core/finding.ts'

const CHECK = 'Odoo itself'
/** It shows itself every second, but not while it is at it. */
const FRESH_MS = 30_000
/** Neutralising, starting and a first page, on a machine that has little memory left. */
const LIMIT_MS = 600_000
const LOOK_MS = 250
const MAX_SAID = 400

/**
 * Has the container `odoo-trial` (deploy/container/odoo-trial.sh) start Odoo, neutralised, on the database `trial`, whose
 * socket lies in the folder that both share. Skipped where there is no such container.
 */
export async function startTrialOdoo(place: string): Promise<Finding> {
  const at = (name: string) => join(place, name)
  const shownAt = await stat(at('here')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
  if (Date.now() - shownAt > FRESH_MS)
    return { check: CHECK, result: 'skipped', found: 'not started on it: the container odoo-trial is not there' }
  const token = randomBytes(16).toString('hex')
  try {
    await rm(at('said'), { force: true })
    await writeFile(at('go.tmp'), token, { mode: 0o600 })
    await rename(at('go.tmp'), at('go'))
    const said = await answerTo(token, at('said'))
    if (said === 'ok')
      return { check: CHECK, result: 'ok', found: 'starts on what was restored, neutralised, and answers' }
    return { check: CHECK, result: 'failed', found: said?.slice(0, MAX_SAID) ?? 'it said nothing for ten minutes' }
  } finally {
    for (const name of ['go', 'said']) await rm(at(name), { force: true })
  }
}

async function answerTo(token: string, path: string): Promise<string | undefined> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await setTimeout(LOOK_MS)) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.startsWith(`${token} `)) return text.slice(token.length).trim()
  }
  return undefined
}
