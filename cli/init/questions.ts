import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CountersignError } from '#core/errors.ts'

export type Question = {
  readonly standard?: string
  /** The answer is not shown as it is typed. */
  readonly hidden?: boolean
  /** What is wrong with an answer; it is then asked for again. */
  readonly faultIn?: (answer: string) => string | undefined
}
/** Asks on a terminal. An empty answer is the standard one, or nothing. */
export type Ask = (question: string, options?: Question) => Promise<string>

/** Runs `use` with a way to ask; the terminal is given back afterwards. Throws ERR_USAGE when the person ends it. */
export async function withQuestions<T>(use: (ask: Ask) => Promise<T>): Promise<T> {
  let isMuted = false
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!isMuted) process.stderr.write(chunk)
      done()
    },
  })
  const terminal = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 })
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {}) // whoever asks hears of it
  // Ctrl-C or Ctrl-D: a pending question would never be answered.
  terminal.once('close', () => {
    process.stderr.write('\n')
    ended.reject(new CountersignError('ERR_USAGE', 'asking on the terminal: ended there; nothing was written'))
  })
  const ask: Ask = async (question, options = {}) => {
    const { standard = '', hidden, faultIn } = options
    const asked = terminal.question(`${question}${standard ? ` [${standard}]` : ''}: `)
    isMuted = hidden === true
    const answer = (
      await Promise.race([asked, ended.promise]).finally(() => {
        isMuted = false
      })
    ).trim()
    if (hidden) process.stderr.write('\n')
    const fault = answer && faultIn?.(answer)
    if (!fault) return answer || standard
    process.stderr.write(`  ${fault}\n`)
    return ask(question, options)
  }
  try {
    return await use(ask)
  } finally {
    terminal.removeAllListeners('close')
    terminal.close()
  }
}
