import { CountersignError } from '#core/errors.ts'
import type { Lock } from './swap-secret.ts'

const LIMIT_MS = 20_000

/** Grafana reads the file at its very first start only; afterwards its own database counts, and is told by its HTTP API. */
export function grafanaLock(url: string): Lock {
  const call = async (method: 'GET' | 'PUT', path: string, password: string, body?: object) => {
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
    const headers = { authorization, 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(LIMIT_MS)
    const init = { method, headers, signal, redirect: 'error' as const, ...(body && { body: JSON.stringify(body) }) }
    const response = await fetch(new URL(path, url), init).catch((cause: Error) => {
      throw fault(
        'ERR_NOT_RUNNING',
        `asking ${url}: ${(cause.cause as Error | undefined)?.message ?? cause.message}`,
        cause,
      )
    })
    await response.body?.cancel()
    return response.status
  }
  const knows = async (password: string) => {
    const status = await call('GET', '/api/user', password)
    if (status === 200 || status === 401) return status === 200
    throw fault('ERR_NOT_RUNNING', `asking ${url} who is logged in: it answered ${status}`)
  }
  return {
    async accept(fresh, old) {
      if (await knows(fresh)) return
      const passwords = { oldPassword: old, newPassword: fresh, confirmNew: fresh }
      const status = await call('PUT', '/api/user/password', old, passwords)
      if (status === 401)
        throw fault(
          'ERR_USAGE',
          `Grafana at ${url} does not take the password in secrets/grafana-password for its admin. Reset it: docs/credentials.md, "Grafana"`,
        )
      if (status !== 200 || !(await knows(fresh)))
        throw fault('ERR_NOT_RUNNING', `Grafana at ${url} answered ${status}`)
    },
    async refuse(_fresh, old) {
      if (await knows(old)) throw fault('ERR_NOT_RUNNING', `Grafana at ${url} still takes the old password`)
    },
  }
}

function fault(code: 'ERR_NOT_RUNNING' | 'ERR_USAGE', message: string, cause?: unknown): CountersignError {
  return new CountersignError(code, message, { cause })
}
