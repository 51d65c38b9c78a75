import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks on a terminal. `hidden` answers are not shown as they are typed. */
export type Ask = (question: string, options?: { standard?: string; hidden?: boolean }) => Promise<string>

/** Runs `use` with a way to ask; the terminal is given back afterwards. */
export async function withQuestions<T>(use: (ask: Ask) => Promise<T>): Promise<T> {
  let isMuted = false
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!isMuted) process.stderr.write(chunk)
      done()
    },
  })
  const terminal = createInterface({ input: process.stdin, output, terminal: true })
  try {
    return await use(async (question, { standard, hidden } = {}) => {
      const asked = terminal.question(`${question}${standard ? ` [${standard}]` : ''}: `)
      isMuted = hidden === true
      const answer = (await asked).trim()
      isMuted = false
      if (hidden) process.stderr.write('\n')
      return answer || standard || ''
    })
  } finally {
    terminal.close()
  }
}
