import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { shortId, type TaskId } from '#core/ids.ts'
import { ticksInReview } from '#core/review.ts'
import { REVIEW_SHEET, vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type DraftOptions,
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  moveToApproved,
  readDashboard,
  readLedger,
  tick,
  whereIs,
} from '#tests/support/executor.ts'
import { runExecutor } from './run-executor.ts'

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
const put = (options?: DraftOptions) => home.put(PENDING, options)
const sheet = async () => (await home.vault.read(REVIEW_SHEET)) ?? ''
const textOf = async (path: string) => (await home.vault.read(vaultPath(path))) ?? ''
const write = (text: string) => home.vault.replace(REVIEW_SHEET, text)
const approveIn = (text: string, id: TaskId) =>
  text.replace(`- [ ] Approve ${shortId(id)}`, `- [x] Approve ${shortId(id)}`)
const tickInSheet = async (...ids: TaskId[]) => write(ids.reduce(approveIn, await sheet()))
const kept = () => readdirSync(home.vaultRoot).filter((name) => name.startsWith('Review.kept'))
const inode = async () => (await import('node:fs')).statSync(join(home.vaultRoot, 'Review.md')).ino
/** Presents what waits, and has the sheet written. */
async function ask(): Promise<string> {
  await pass()
  await write('')
  await pass()
  return sheet()
}

describe('the review sheet', () => {
  test('is written for an empty note, with every draft in full, and stands until something is decided', async () => {
    await put({ subject: 'Re: First' })
    await put({ subject: 'Re: Second', body: 'Dear Bob,\n\n<https://bank.example> 5 EUR' })
    const text = await ask()
    expect(text.match(/^- \[ \] Approve /gm)).toHaveLength(2)
    for (const words of [CLIENT, 'Re: First', 'Re: Second', '<https://bank.example> 5 EUR', 'Where is the invoice?'])
      expect(text).toContain(words)
    const before = await inode()
    await put({ subject: 'Re: Third' })
    home.now += 60_000
    await pass()
    expect([await inode(), await sheet()]).toEqual([before, text])
  })

  test('is not made unasked, and no other note of that name is touched', async () => {
    await put()
    await pass()
    expect(await sheet()).toBe('')
    await write('# My own review of a book\n- [x] Approve abcdef\n')
    await pass()
    expect(await sheet()).toBe('# My own review of a book\n- [x] Approve abcdef\n')
    expect(home.mail.delivered).toEqual([])
  })

  test('says so when nothing waits', async () => {
    expect(await ask()).toContain('Nothing waits for you')
  })

  test('has no box for what is broken, has no action or is not shown yet, and says where it stands', async () => {
    const broken = await put()
    const empty = await put({ action: undefined })
    await pass()
    await edit(home, broken.path, (text) => text.replace('schema: 1', 'schema: [1'))
    const text = await ask()
    expect(text).not.toContain('- [ ]')
    expect(text).toContain(`](${broken.path}): the file says what is wrong`)
    expect(text).toContain(`](${empty.path}): there is nothing to approve yet`)
  })
})

test('what is high-risk has no box: it is named with a link, and a box of one’s own for it counts for nothing', async () => {
  const risky = await put({ body: 'Please pay to DE89 3704 0044 0532 0130 00.' })
  const plain = await put()
  const text = await ask()
  expect(text.match(/^- \[ \] Approve /gm)).toHaveLength(1)
  expect(text).toContain(`](${risky.path}): it is high-risk: it needs the code of its card`)
  const box = `<!-- countersign:tick ${risky.id} -->\n- [x] Approve ${shortId(risky.id)}: x\n<!-- countersign:/tick -->\n`
  await write(`${text}\n${box}`)
  await pass()
  await pass()
  expect(home.mail.delivered).toEqual([])
  await tickInSheet(plain.id)
  await pass()
  expect(home.mail.delivered).toHaveLength(1)
})

test('a sheet that cannot be written keeps no approval waiting, and says so', async () => {
  const { fileName } = await put()
  await pass()
  await executor[Symbol.asyncDispose]()
  executor = await home.start((parts) => {
    const replaceIf: typeof parts.vault.replaceIf = async (path, ...rest) => {
      if (path === REVIEW_SHEET) throw new CountersignError('ERR_VAULT_WRITE_FAILED', 'the folder may not be written')
      return parts.vault.replaceIf(path, ...rest)
    }
    return { ...parts, vault: { ...parts.vault, replaceIf } }
  })
  await write('')
  await moveToApproved(home, fileName)
  await pass()
  expect(home.mail.delivered).toHaveLength(1)
  expect(await readDashboard(home)).toContain('the folder may not be written')
})

test('what is taken back out of Approved is not approved again by the tick that still stands in the sheet', async () => {
  const { id, path, fileName } = await put()
  await put({ subject: 'Re: Second' })
  await ask()
  await home.vault.create(vaultPath('HALT.md'), '')
  await tickInSheet(id)
  await pass()
  expect(await whereIs(home, fileName)).toBe('Approved')
  await home.vault.move(vaultPath(`Approved/${fileName}`), path)
  await pass()
  await pass()
  expect(await whereIs(home, fileName)).toBe(PENDING)
  await home.vault.remove(vaultPath('HALT.md'))
  await pass()
  expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  expect(ticksInReview(await sheet())).toEqual([])
})

test('what became high-risk since the sheet was made is not approved by its tick alone', async () => {
  const [dear, cheap] = [await put({ body: 'It is 900 EUR.' }), await put({ body: 'It is 90 EUR.' })]
  await ask()
  await home.vault.create(vaultPath('Company_Handbook.md'), '## Rules\n\n- Ask for a code over 100 EUR\n')
  await tickInSheet(dear.id, cheap.id)
  for (let again = 0; again < 3; again++) await pass()
  expect([await whereIs(home, dear.fileName), await whereIs(home, cheap.fileName)]).toEqual([PENDING, 'Done/2026-11'])
  expect(await textOf(dear.path)).toContain('Code:')
})

describe('a tick in the sheet', () => {
  test('goes the way of a tick in the file: frozen, countersigned by itself, sent once, done', async () => {
    const [first, second, third] = [await put(), await put(), await put()]
    await ask()
    await tickInSheet(first.id, third.id)
    await pass()
    expect(home.mail.delivered).toHaveLength(2)
    for (const one of [first, third]) expect(await whereIs(home, one.fileName)).toBe('Done/2026-11')
    expect(await whereIs(home, second.fileName)).toBe(PENDING)
    for (let again = 0; again < 3; again++) await pass()
    expect(home.mail.delivered).toHaveLength(2)
    const types = readLedger(home)
    expect(types.filter((type) => type === 'task.approved')).toHaveLength(2)
    expect(types.filter((type) => type === 'execution.intended')).toHaveLength(2)
    expect(types).not.toContain('file.refused')
  })

  test('leaves the sheet as it is, so that the next tick lands where it was meant', async () => {
    const [first, second] = [await put(), await put()]
    const text = await ask()
    await tickInSheet(first.id)
    await pass()
    expect(await sheet()).toBe(approveIn(text, first.id))
    await tickInSheet(second.id)
    await pass()
    expect(home.mail.delivered).toHaveLength(2)
    const done = await sheet()
    expect(done).toContain('Everything in this sheet is decided. Nothing else waits')
    expect(done).not.toContain('- [')
  })

  test('has its undo window, and taking it back brings a new sheet', async () => {
    await using slow = await home.start(undefined, { undoMs: 10_000 })
    const { id, fileName } = await put()
    await put()
    await slow.pass()
    await write('')
    await slow.pass()
    await tickInSheet(id)
    await slow.pass()
    const frozen = vaultPath(`In_Progress/local/${fileName}`)
    expect(await home.vault.exists(frozen)).toBe(true)
    await home.vault.move(frozen, vaultPath(`${PENDING}/${fileName}`))
    await slow.pass()
    await slow.pass()
    home.now += 20_000
    await slow.pass()
    expect(home.mail.delivered).toEqual([])
    expect(await whereIs(home, fileName)).toBe(PENDING)
    expect(ticksInReview(await sheet())).toEqual([])
    expect(await sheet()).toContain('**A new sheet:**')
  })

  test.each<[string, (path: string) => Promise<unknown>]>([
    ['its draft was edited', (path) => edit(home, path, (text) => text.replace('on its way', 'paid'))],
    ['its recipient was edited', (path) => edit(home, path, (text) => text.replace(CLIENT, 'eve@countersign.test'))],
    [
      'another version of it was received',
      async (path) => {
        home.received.note(path.slice(path.lastIndexOf('/') + 1))
        await edit(home, path, (text) => text)
      },
    ],
    ['its own file says Reject', (path) => edit(home, path, tick('Reject'))],
  ])('does not count when %s after the sheet was made', async (what, change) => {
    const { id, path, fileName } = await put()
    const other = await put()
    await ask()
    await change(path)
    await tickInSheet(id, other.id)
    await pass()
    await pass()
    expect(home.mail.delivered).toHaveLength(1)
    expect(await whereIs(home, fileName)).not.toBe('Done/2026-11')
    if (what === 'its own file says Reject') return
    expect(await sheet()).toContain('that tick did not count')
    expect(ticksInReview(await sheet())).toEqual([])
    expect(readLedger(home)).toContain('file.refused')
  })

  test('made by a card that was written meanwhile counts for nothing, even of an equal draft', async () => {
    const { id, path } = await put()
    await ask()
    await edit(home, path, (text) => text.replace('on its way', 'paid'))
    await pass()
    home.now += 1_000
    await edit(home, path, (text) => text.replace('paid', 'on its way'))
    await pass()
    await tickInSheet(id)
    await pass()
    expect(home.mail.delivered).toEqual([])
  })

  test('does nothing while HALT.md stands, and is obeyed when it is gone', async () => {
    const { id, fileName } = await put()
    await ask()
    await home.vault.create(vaultPath('HALT.md'), '')
    await tickInSheet(id)
    await pass()
    expect([home.mail.delivered, await whereIs(home, fileName)]).toEqual([[], 'Approved'])
    await home.vault.remove(vaultPath('HALT.md'))
    await pass()
    expect(home.mail.delivered).toHaveLength(1)
  })

  test('counts after a restart, and when the executor died right after writing the sheet', async () => {
    const { id } = await put()
    await ask()
    await using next = await home.start()
    await tickInSheet(id)
    await next.pass()
    expect(home.mail.delivered).toHaveLength(1)
  })
})

describe('a sheet that was changed in more than its ticks', () => {
  test.each<[string, (text: string) => string]>([
    ['words of the person', (text) => `${text}\nremember the milk\n`],
    ['another letter in a draft', (text) => text.replace('on its way', 'on its wax')],
    [
      'a box moved under another draft',
      (text) => text.replace(/tick [0-9A-Z]{26}/g, 'tick 01J8Z3W6Q0ABCDEFGHJKMNPQRS'),
    ],
    ['an older sheet’s words', (text) => text.replace(/Written [^;]*;/, 'Written 2020-01-01 00:00 UTC;')],
  ])('with %s does nothing, is kept, and there is a new one with the reason', async (_what, change) => {
    const { id } = await put()
    const text = await ask()
    const changed = change(approveIn(text, id))
    await write(changed)
    await pass()
    await pass()
    expect(home.mail.delivered).toEqual([])
    expect(kept()).toEqual(['Review.kept-20261120T120000Z.md'])
    expect(await home.vault.read('Review.kept-20261120T120000Z.md' as never)).toBe(changed)
    expect(await sheet()).toContain('changed in more than its ticks')
    expect(ticksInReview(await sheet())).toEqual([])
    expect(readLedger(home)).toContain('file.refused')
    await tickInSheet(id)
    await pass()
    expect(home.mail.delivered).toHaveLength(1)
  })

  test('is each kept under a name of its own', async () => {
    await put()
    const text = await ask()
    for (const words of ['one', 'two']) {
      await write(`${text}\n${words}\n`)
      await pass()
    }
    expect(kept()).toHaveLength(2)
  })

  test('of a journal that was lost is none that this machine wrote', async () => {
    const { id } = await put()
    await ask()
    await tickInSheet(id)
    await executor[Symbol.asyncDispose]()
    for (const name of readdirSync(join(home.folder, 'state')).filter((one) => one.startsWith('journal')))
      (await import('node:fs')).rmSync(join(home.folder, 'state', name))
    executor = await home.start()
    await pass()
    expect(home.mail.delivered).toEqual([])
    expect(kept()).toHaveLength(1)
  })
})

test('a note that an editor is just saving is waited for', async () => {
  let isQuiet = false
  await using patient = await home.start(undefined, { isQuiet: () => isQuiet })
  const { id } = await put()
  await patient.pass()
  await write('')
  await patient.pass()
  expect(await sheet()).toBe('')
  isQuiet = true
  await patient.pass()
  const text = await sheet()
  isQuiet = false
  const half = approveIn(text, id).slice(0, text.length - 200)
  await write(half)
  await patient.pass()
  expect([await sheet(), kept(), home.mail.delivered]).toEqual([half, [], []])
  await write(approveIn(text, id))
  await patient.pass()
  expect(home.mail.delivered).toHaveLength(1)
})

test('what is saved while the new sheet is being written stays', async () => {
  const { id, path } = await put()
  await ask()
  await edit(home, path, (text) => text.replace('on its way', 'paid'))
  await tickInSheet(id)
  const saved = `${await sheet()}\nsaved at the last instant\n`
  await using racing = await home.start((parts) => ({
    ...parts,
    vault: {
      ...parts.vault,
      replaceIf: async (at, expected, content) => {
        if (at === REVIEW_SHEET && (await sheet()) === expected) await write(saved)
        return parts.vault.replaceIf(at, expected, content)
      },
    },
  }))
  await racing.pass()
  expect(await sheet()).toBe(saved)
})

test('a link in the place of the sheet is not followed, and told', async () => {
  symlinkSync('/etc/hostname', join(home.vaultRoot, 'Review.md'))
  await pass()
  await pass()
  expect(await readDashboard(home)).toContain('symbolic link')
  expect(readLedger(home).filter((type) => type === 'file.refused')).toHaveLength(1)
})

test('a running executor sees the note come and its ticks within seconds', async () => {
  const { id } = await put()
  await using resources = new AsyncDisposableStack()
  const service = { resources, progress: () => () => {}, fail: (error: unknown) => expect.fail(String(error)) }
  const config = { reconcileMs: 3_600_000, state: join(home.folder, 'state') }
  await runExecutor(executor.deps, service as never, { config, agents: ['cloud', 'local'] })
  await home.vault.create(REVIEW_SHEET, '')
  await vi.waitFor(async () => expect(await sheet()).toContain('- [ ] Approve'), { timeout: 20_000, interval: 100 })
  await delay(10)
  await tickInSheet(id)
  await vi.waitFor(() => expect(home.mail.delivered).toHaveLength(1), { timeout: 20_000, interval: 100 })
})
