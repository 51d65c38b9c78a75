import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const CHANGING =
  /\b(?:gmailClients|send|insert|import|modify|batchModify|trash|untrash|delete|batchDelete|drafts|labels|settings)\b\s*[.(]/

/** What stands beside sending/ is in the cloud's image: it is given no client that could do more than read. */
it.each(readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')))(
  '%s asks Gmail for nothing that changes a mailbox',
  (name) => {
    const code = readFileSync(join(import.meta.dirname, name), 'utf8')
    const lines = code.split('\n').filter((line) => CHANGING.test(line) && !/\blabels\.includes\(/.test(line))
    expect(lines).toEqual(
      name === 'gmail-client.ts'
        ? [expect.stringContaining('export function gmailClients('), '  return gmailClients(account, timings)']
        : [],
    )
  },
)
