import { createContext, Script } from 'node:vm'
import { lintSource } from '@secretlint/core'
import { secretLintProfiler } from '@secretlint/profiler'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import { readingsOf } from '#core/content-texts.ts'
import type { ContentScan, Finding } from '#core/ports/content-scan.ts'
import { SECRETLINT_TRIGGERS } from './triggers.ts'

/** A text of the largest size takes a fraction of it; a pattern that does not come to an end is stopped. */
const MAX_SCAN_MS = 5_000

/**
 * The preset's rules but one: `filter-comments` lets a comment in the text itself switch every other rule off, and the
 * text is a stranger's. (Disabling it in the preset's options does not help.)
 */
const CONFIG = {
  rules: rules.filter(({ meta }) => !meta.id.endsWith('-filter-comments')).map((rule) => ({ id: rule.meta.id, rule })),
}

/** Secretlint's rules on every reading of a text. */
export function secretlintScan(maxMs = MAX_SCAN_MS): ContentScan {
  // On by default, and then it keeps a mark of every rule that ever ran.
  secretLintProfiler.setEnabled(false)
  const lint = withDeadline(maxMs)
  return {
    async scan({ path, bytes }) {
      const readings = readingsOf(bytes).map((reading) => reading.text)
      const found = new Map<string, Finding>()
      for (const content of readings.filter((text) => SECRETLINT_TRIGGERS.test(text))) {
        for (const rule of await lint({ content, path })) found.set(rule, { rule, kind: 'block' })
      }
      return [...found.values()]
    },
  }
}

type Lint = (source: { readonly content: string; readonly path: string }) => Promise<string[]>

/** The rules run to their end within one call, so that the virtual machine's own deadline can stop them. */
function withDeadline(maxMs: number): Lint {
  const call: { run: () => unknown } = { run: () => undefined }
  const context = createContext(call)
  const script = new Script('run()')
  return async ({ content, path }) => {
    // One rule reads whole JSON files, and asks the name for it.
    const ext = content.trimStart().startsWith('{') ? '.json' : '.md'
    const source = { content, filePath: path || 'note.md', ext, contentType: 'text' as const }
    call.run = () => lintSource({ source, options: { config: CONFIG, maskSecrets: true, noPhysicFilePath: true } })
    try {
      const { messages } = (await script.runInContext(context, { timeout: maxMs })) as Awaited<
        ReturnType<typeof lintSource>
      >
      return messages.map(({ ruleId }) => `secretlint.${ruleId.replace(/^@secretlint\/secretlint-rule-/, '')}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return ['scan.too-slow']
      throw error
    } finally {
      // Nothing of a text stays behind.
      call.run = () => undefined
    }
  }
}
