import { CountersignError } from '#core/errors.ts'
import type { Freeze, Intent, IntentState, JournalPort, Presentation, ReviewedItem } from '#core/ports/journal.ts'
import type { RestoreMark } from '#core/restore-epoch.ts'
import { consume } from './consume.ts'
import { openDatabase } from './database.ts'
import { draftMemories } from './draft-memories.ts'
import { doubtsAndPayments } from './payments.ts'
import { LAST_RESTORE, lastRestore, restores, SHOWN_ANEW, takeEpoch } from './restores.ts'
import { freezeOf, intentOf, presentationOf, type Row, sentBackOf } from './rows.ts'

const KEPT_UPDATES = 200
const KEPT_REVIEWS = 2
const VOID = 'UPDATE consumed SET void = 1 WHERE task_id = ? AND generation = ?'
const UNPRESENT = 'UPDATE shown_cards SET stands = 0 WHERE file_name = ?'
/** Which states an outcome may follow; anything else would hide that something was done twice or never. */
const BEFORE: Record<'accepted' | 'refused' | 'unknown' | 'done', IntentState> = {
  accepted: 'consumed',
  refused: 'consumed',
  unknown: 'consumed',
  done: 'accepted',
}

export interface JournalOptions {
  /**
   * `take`: the executor; whoever held the journal before is fenced off. `join`: works under the executor's present
   * epoch (an MCP server beside it) and is fenced off together with it.
   */
  readonly epoch: 'take' | 'join'
  /** Now, ms: remembered by a journal that is made. */
  readonly now?: number
  /** What the last restore left in the zone's state; heeded with `take`. */
  readonly restored?: RestoreMark | undefined
}

/** Opens the journal file, making it (0600) when absent. Throws ERR_JOURNAL_FAILED: damaged, no space, no permission. */
export function openJournal(path: string, options: JournalOptions): JournalPort {
  const db = guarded(`opening the journal ${path}`, () => openDatabase(path, options.now ?? Date.now()))
  const newestEpoch = () => Number(db.prepare('SELECT value FROM epoch').get()?.value)
  const epoch = guarded(`taking an epoch in ${path}`, () => {
    if (options.epoch === 'join') return newestEpoch()
    return takeEpoch(db, options.restored)
  })

  /** All or nothing, and only while this process is the newest executor: the check and the change are one transaction. */
  const write = <T>(what: string, change: () => T): T =>
    guarded(what, () => {
      db.exec('BEGIN IMMEDIATE')
      try {
        const newest = newestEpoch()
        if (newest !== epoch)
          throw new CountersignError(
            'ERR_FENCED',
            `${what}: this process holds epoch ${epoch}, the newest is ${newest}`,
          )
        const result = change()
        db.exec('COMMIT')
        return result
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    })
  const read = <T>(what: string, query: () => T): T => guarded(what, query)
  const one = (sql: string, ...values: (string | number)[]): Row | undefined => db.prepare(sql).get(...values)
  const all = (sql: string, ...values: (string | number)[]): Row[] => db.prepare(sql).all(...values)
  const run = (sql: string, ...values: (string | number | null)[]) => db.prepare(sql).run(...values)

  const putPresentation = (one: Omit<Presentation, 'stands'>) => {
    const { taskId, fileName, folder, received, generation, digest, shown, at, isOwnText } = one
    const sql = 'INSERT OR REPLACE INTO shown_cards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)'
    run(sql, taskId, fileName, folder, received, generation, digest, shown, at, isOwnText ? 1 : 0)
  }

  const drafts = draftMemories({ write, read, one, run })
  const putFreeze = ({ taskId, tool, generation, fileName, frozenAt, undoUntil }: Freeze) => {
    const sql = `INSERT OR REPLACE INTO freezes (task_id, generation, file_name, frozen_at, undo_until, tool)
      VALUES (?, ?, ?, ?, ?, ?)`
    run(sql, taskId, generation, fileName, frozenAt, undoUntil, tool)
  }
  const lastIntent = (taskId: string): Intent | undefined => {
    const row = one('SELECT * FROM intents WHERE task_id = ? ORDER BY generation DESC LIMIT 1', taskId)
    return row && intentOf(row)
  }

  const restored = read('reading of restores', () => lastRestore(one(LAST_RESTORE)))
  const bornAt = read('reading its age', () => Number(one('SELECT at FROM birth')?.at))

  return {
    epoch,
    bornAt,
    restored,
    ...restores({ write, read, one, run }),
    isNewest: () => read('reading the epoch', newestEpoch) === epoch,

    presentation: (taskId) =>
      read('reading what was presented', () => {
        const row = one('SELECT * FROM shown_cards WHERE task_id = ?', taskId)
        return row && presentationOf(row)
      }),
    presentations: () => read('reading what was presented', () => all('SELECT * FROM shown_cards').map(presentationOf)),
    presenting: (presentation, draft) =>
      write('recording what will be presented', () => {
        putPresentation(presentation)
        if (draft) drafts.put(draft)
      }),
    present: (presentation) =>
      write('recording what is presented', () => {
        putPresentation(presentation)
        run('DELETE FROM sent_back WHERE file_name = ?', presentation.fileName)
        run(SHOWN_ANEW, presentation.taskId)
      }),
    unpresent: (fileName) => write('taking back what was presented', () => void run(UNPRESENT, fileName)),
    withdraw: (taskId) =>
      write('withdrawing what was presented', () => {
        run('DELETE FROM shown_cards WHERE task_id = ?', taskId)
        run(SHOWN_ANEW, taskId)
      }),

    draftMemory: drafts.draftMemory,
    rememberDraft: drafts.rememberDraft,
    forgetDraft: drafts.forgetDraft,

    sendBack: ({ fileName, taskId, rule, say, generation, at }) =>
      write('sending a task back', () => {
        // A generation that was used up stays so, whatever the newest reason is.
        const sql = `INSERT INTO sent_back VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (file_name) DO UPDATE SET
          task_id = excluded.task_id, rule = excluded.rule, say = excluded.say, at = excluded.at,
          generation = max(generation, excluded.generation)`
        run(sql, fileName, taskId ?? null, rule, say, generation, at)
        run(UNPRESENT, fileName)
      }),
    sentBack: (fileName) =>
      read('reading why a task went back', () => {
        const row = one('SELECT * FROM sent_back WHERE file_name = ?', fileName)
        return row && sentBackOf(row)
      }),

    freezes: () =>
      read('reading the frozen tasks', () => all('SELECT * FROM freezes ORDER BY undo_until').map(freezeOf)),
    freezeOf: (taskId) =>
      read('reading a frozen task', () => {
        const row = one('SELECT * FROM freezes WHERE task_id = ?', taskId)
        return row && freezeOf(row)
      }),
    freeze: (freeze) => write('freezing a task', () => putFreeze(freeze)),
    unfreeze: (taskId) => write('ending a freeze', () => void run('DELETE FROM freezes WHERE task_id = ?', taskId)),

    intentOf: (taskId, generation) =>
      read('reading an intent', () => {
        const row = one('SELECT * FROM intents WHERE task_id = ? AND generation = ?', taskId, generation)
        return row && intentOf(row)
      }),
    lastIntentOf: (taskId) => read('reading an intent', () => lastIntent(taskId)),
    intentsIn: (state) =>
      read('reading intents', () =>
        all('SELECT * FROM intents WHERE state = ? ORDER BY intended_at', state).map(intentOf),
      ),
    intend: (intent) =>
      write('writing an intent', () => {
        const { taskId, generation, fileName, digest, key, receipt, action, intendedAt } = intent
        // The upsert only touches an unused intent: after a crash before the act it is signed anew.
        const { changes } = run(
          `INSERT INTO intents VALUES (?, ?, ?, 'intended', ?, ?, ?, ?, ?, NULL, ?, ?, ?, NULL, NULL)
           ON CONFLICT (task_id, generation) DO UPDATE SET file_name = excluded.file_name, digest = excluded.digest,
             key = excluded.key, nonce = excluded.nonce, receipt = excluded.receipt,
             action = excluded.action, intended_at = excluded.intended_at, updated_at = excluded.updated_at,
             epoch = excluded.epoch
           WHERE state = 'intended'`,
          ...[taskId, generation, fileName, digest, key, receipt.nonce, JSON.stringify(receipt), action],
          ...[intendedAt, intendedAt, epoch],
        )
        if (changes !== 1) throw failed(`writing an intent for ${taskId} generation ${generation}: it was used already`)
      }),
    consume: (receipt, now) => write('consuming a receipt', () => consume(run, one, receipt, now, epoch)),
    settle: (taskId, generation, { state, answer, link, facts, at }) =>
      write(`recording the outcome ${state}`, () => {
        const { changes } = run(
          `UPDATE intents SET state = ?, answer = coalesce(?, answer), link = coalesce(?, link), facts = coalesce(?, facts), updated_at = ?, epoch = ?,
             action = iif(? = 'done' AND json_extract(receipt, '$.tool') <> 'payment.pay', NULL, action)
           WHERE task_id = ? AND generation = ? AND state = ?`,
          ...[
            state,
            answer ?? null,
            link ?? null,
            facts ? JSON.stringify(facts) : null,
            at,
            epoch,
            state,
            taskId,
            generation,
            BEFORE[state],
          ],
        )
        if (changes !== 1)
          throw failed(
            `recording the outcome ${state} of ${taskId} generation ${generation}: it is not ${BEFORE[state]}`,
          )
        if (state === 'refused') run(VOID, taskId, generation)
      }),
    resolve: (taskId, { state, answer, at }) =>
      write('recording the word of the person', () => {
        const intent = lastIntent(taskId)
        if (intent?.state !== 'unknown') return false
        const { generation, fileName, receipt } = intent
        const sql =
          'UPDATE intents SET state = ?, answer = ?, updated_at = ?, epoch = ? WHERE task_id = ? AND generation = ?'
        run(sql, state, answer, at, epoch, taskId, generation)
        if (state === 'refused') run(VOID, taskId, generation)
        putFreeze({ taskId, tool: receipt.tool, generation, fileName, frozenAt: at, undoUntil: at })
        return true
      }),
    useOf: (taskId, generation) =>
      read('reading what was consumed', () => {
        if (lastIntent(taskId)?.state === 'unknown') return 'unknown'
        const sql = 'SELECT 1 FROM consumed WHERE task_id = ? AND (void = 0 OR generation = ?)'
        return one(sql, taskId, generation) === undefined ? 'none' : 'spent'
      }),

    ...doubtsAndPayments({ write, read, one, all, run }),

    usesSince: (at) =>
      read('reading what was done of late', () => {
        const sql = `SELECT json_extract(i.receipt, '$.tool') AS tool, c.at AS at FROM consumed c
          JOIN intents i ON i.task_id = c.task_id AND i.generation = c.generation WHERE c.at > ? AND c.void = 0`
        return all(sql, at).map((row) => ({ tool: String(row.tool), at: Number(row.at) }))
      }),

    rememberRecipients: (addresses, at) =>
      write('remembering who was written to', () => {
        for (const one of addresses) run('INSERT OR IGNORE INTO recipients VALUES (?, ?)', one, at)
      }),
    recipientCount: () =>
      read('counting who was written to', () => Number(one('SELECT count(*) AS n FROM recipients')?.n)),
    recipients: () =>
      read('reading who was written to', () => all('SELECT address FROM recipients').map((row) => String(row.address))),

    keepReview: ({ digest, items }) =>
      write('keeping a review sheet', () => {
        run('INSERT INTO reviews (digest, items) VALUES (?, ?)', digest, JSON.stringify(items))
        run('DELETE FROM reviews WHERE seq <= (SELECT max(seq) FROM reviews) - ?', KEPT_REVIEWS)
      }),
    reviewOf: (digest) =>
      read('reading a review sheet', () => {
        const row = one('SELECT items FROM reviews WHERE digest = ? ORDER BY seq DESC', digest)
        return row && { digest, items: JSON.parse(String(row.items)) as ReviewedItem[] }
      }),

    leftAlone: () =>
      read('reading what is left alone', () => {
        const rows = all('SELECT * FROM left_alone')
        return new Map(rows.map(({ path, rule, say }) => [String(path), { rule: String(rule), say: String(say) }]))
      }),
    setLeftAlone: (path, why) =>
      write('recording a file that is left alone', () => {
        if (why === undefined) run('DELETE FROM left_alone WHERE path = ?', path)
        else run('INSERT OR REPLACE INTO left_alone VALUES (?, ?, ?)', path, why.rule, why.say)
      }),

    keepUpdate: ({ agent, name, text }) =>
      write('keeping an update', () => {
        run('INSERT OR IGNORE INTO updates (agent, name, text) VALUES (?, ?, ?)', agent, name, text)
        run('DELETE FROM updates WHERE seq <= (SELECT max(seq) FROM updates) - ?', KEPT_UPDATES)
      }),
    updates: (limit) =>
      read('reading updates', () =>
        all('SELECT * FROM updates ORDER BY name DESC, seq DESC LIMIT ?', limit).map((row) => ({
          agent: String(row.agent),
          name: String(row.name),
          text: String(row.text),
        })),
      ),
    [Symbol.dispose]: () => db.close(),
  }
}

function guarded<T>(what: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof CountersignError) throw error
    throw new CountersignError('ERR_JOURNAL_FAILED', `${what}: ${error instanceof Error ? error.message : 'failed'}`, {
      cause: error,
    })
  }
}

function failed(message: string): CountersignError {
  return new CountersignError('ERR_JOURNAL_FAILED', message)
}
