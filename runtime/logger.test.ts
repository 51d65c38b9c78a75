import { describe, expect, it } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { createLogger, type Log, type LogFields } from './logger.ts'

const logged = (act: (log: Log) => void) => {
  const lines: string[] = []
  const options = { service: 'sync', zone: 'cloud', agent: 'cloud', level: 'info' } as const
  act(createLogger(options, { write: (line: string) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('a log line', () => {
  it('is one JSON object with time, level, service, zone, agent, fields and message', () => {
    const [line] = logged((log) => log.info({ task: '01JD', ms: 12 }, 'claimed'))
    expect(line).toMatchObject({ level: 'info', service: 'sync', zone: 'cloud', agent: 'cloud', task: '01JD', ms: 12 })
    expect(line).toMatchObject({ msg: 'claimed', time: expect.stringMatching(/^\d{4}-.*Z$/) })
  })

  it('is left out below the level', () => {
    expect(logged((log) => log.debug({}, 'x'))).toEqual([])
  })

  it('shows code, hint and details of our own errors', () => {
    const error = new CountersignError('ERR_HUB_UNREACHABLE', 'cannot reach ssh://hub', { details: { attempt: 2 } })
    const [line] = logged((log) => log.error({ err: error }, 'x'))
    expect(line?.err).toEqual({
      code: 'ERR_HUB_UNREACHABLE',
      message: 'cannot reach ssh://hub',
      hint: error.hint,
      retryable: true,
      details: { attempt: 2 },
    })
  })

  it('takes nothing from a cause but name, code and message', () => {
    const cause = Object.assign(new Error('WRONGPASS'), { code: 'E1', command: { name: 'auth', args: ['hunter2'] } })
    const error = new CountersignError('ERR_REDIS_UNREACHABLE', 'no', { cause })
    const lines = logged((log) => {
      log.error({ err: error }, 'x')
      log.error({ err: cause }, 'x')
      log.error({ err: 'hunter'.repeat(200) }, 'x')
    })
    expect(lines[0]).toMatchObject({ err: { cause: { name: 'Error', code: 'E1', message: 'WRONGPASS' } } })
    expect(lines[1]).toMatchObject({ err: { message: 'WRONGPASS', stack: expect.stringContaining('logger.test') } })
    expect(lines[2]).toMatchObject({ err: { message: 'hunter'.repeat(200).slice(0, 500) } })
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })

  it.each([
    { config: { password: 'hunter2' } },
    { config: { imap: { password: 'hunter2', pass: 'hunter2' } } },
    { name: { token: 'hunter2', body: 'hunter2' } },
    { err: new CountersignError('ERR_MAIL_AUTH', 'x', { details: { password: 'hunter2', text: 'hunter2' } }) },
  ] satisfies LogFields[])('hides secrets and content in %j', (fields) => {
    const [line] = logged((log) => log.info(fields, 'x'))
    expect(JSON.stringify(line)).not.toContain('hunter2')
    expect(JSON.stringify(line)).toContain('[redacted]')
  })
})
