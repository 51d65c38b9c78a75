import { createHash } from 'node:crypto'
import { textsOf } from './content-texts.ts'
import type { ContentScan, Finding } from './ports/content-scan.ts'
import type { SecretGuard } from './secret-guard.ts'
import { findSecrets } from './secret-rules.ts'
import { viewsOf } from './text-views.ts'

/** More than any file of the vault holds but a ledger, of which only the new part is looked at. */
export const MAX_SCANNED_BYTES = 16 * 1024 * 1024
const MAX_REMEMBERED = 20_000

/** The layers one after the other, the first finding of each rule once. Whatever goes wrong in one is a finding. */
export function scanInLayers(layers: readonly ContentScan[]): ContentScan {
  return {
    async scan(content) {
      if (content.bytes.length > MAX_SCANNED_BYTES) return [{ rule: 'scan.too-large', kind: 'block' }]
      const findings = new Map<string, Finding>()
      for (const layer of layers) {
        for (const finding of await scanOrFail(layer, content)) findings.set(finding.rule, finding)
      }
      return [...findings.values()]
    },
  }
}

async function scanOrFail(
  layer: ContentScan,
  content: Parameters<ContentScan['scan']>[0],
): Promise<readonly Finding[]> {
  try {
    return await layer.scan(content)
  } catch {
    return [{ rule: 'scan.failed', kind: 'block' }]
  }
}

/** The rules of this program. */
export const ruleScan: ContentScan = {
  async scan({ bytes }) {
    const found = textsOf(bytes).flatMap((text) => findSecrets(text))
    return found.map(({ rule, kind }) => ({ rule: `secret.${rule}`, kind }))
  },
}

/** The secrets of this zone. */
export function guardScan(guard: SecretGuard): ContentScan {
  return {
    async scan({ bytes }) {
      const readings = textsOf(bytes).flatMap((text) => viewsOf(text).map((view) => Buffer.from(view.text)))
      for (const reading of [bytes, ...readings]) {
        const name = guard.find(reading)
        if (name !== undefined) return [{ rule: `known-secret.${name}`, kind: 'block' }]
      }
      return []
    },
  }
}

/** A layer that is loaded when the first text comes that it could find something in. */
export function lazyScan(triggers: RegExp, load: () => Promise<ContentScan>): ContentScan {
  let loading: Promise<ContentScan> | undefined
  return {
    async scan(content) {
      const readings = textsOf(content.bytes).flatMap((text) => viewsOf(text))
      if (!readings.some((reading) => triggers.test(reading.text))) return []
      loading ??= load()
      try {
        return (await loading).scan(content)
      } catch (error) {
        // The next text tries again.
        loading = undefined
        throw error
      }
    },
  }
}

/** The same scan, remembering what it said of which bytes: a file that is held back is not looked into at each round. */
export function rememberingScan(scan: ContentScan): ContentScan {
  const remembered = new Map<string, readonly Finding[]>()
  return {
    async scan(content) {
      const key = createHash('sha256').update(content.bytes).digest('base64')
      const known = remembered.get(key)
      if (known) return known
      const findings = await scan.scan(content)
      // What failed once may go well the next time.
      if (!findings.some(({ rule }) => rule.startsWith('scan.'))) remembered.set(key, findings)
      if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '')
      return findings
    },
  }
}
