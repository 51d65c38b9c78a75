import { isMap, isScalar, parseDocument, visit, type YAMLError } from 'yaml'

export interface YamlLimits {
  readonly maxBytes: number
  readonly maxLines: number
  readonly maxDepth: number
  /** What every key has to look like. */
  readonly key: RegExp
}

export type StrictYaml =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly rule: string; readonly problem: string }

/** C0 and C1 controls, line and paragraph separators, byte order mark: never in front matter. */
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/

/**
 * Front matter without its fences, as strings, lists and maps (YAML's failsafe schema). Hostile YAML (aliases, anchors,
 * tags, directives, duplicate keys, bombs) and odd characters are refused with the rule and a sentence. Never throws.
 */
export function readStrictYaml(text: string, limits: YamlLimits): StrictYaml {
  // Size first: the parser's check for duplicate keys is quadratic.
  if (Buffer.byteLength(text) > limits.maxBytes || text.split('\n').length > limits.maxLines)
    return refuse('front-matter-size', 'the front matter is too long')
  if (FORBIDDEN.test(text)) return refuse('front-matter-characters', 'the front matter contains a control character')
  if (/^(%|\.\.\.)/m.test(text))
    return refuse('front-matter-directive', 'the front matter contains a YAML directive or document end')
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'failsafe',
      uniqueKeys: true,
      stringKeys: true,
      strict: true,
      merge: false,
    })
    const fault = document.errors[0] ?? document.warnings[0]
    if (fault) return refuse('front-matter-yaml', sayYamlFault(fault, text))
    const forbidden = forbiddenNode(document, limits)
    if (forbidden) return refuse('front-matter-yaml', forbidden)
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) }
  } catch (error) {
    const name = error instanceof Error ? error.name : 'error'
    return refuse('front-matter-yaml', `the front matter could not be read: ${name}`)
  }
}

const YAML_FAULTS: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'the key of this line stands there twice',
  BAD_INDENT: 'it is indented wrongly, or a bracket or quote is not closed',
  TAB_AS_INDENT: 'it begins with a tab; use spaces',
  BAD_ALIAS: 'a value begins with * or &; put it between quotes',
  BAD_DQ_ESCAPE: 'a backslash between double quotes; use single quotes',
  BLOCK_AS_IMPLICIT_KEY: 'there is a colon too many; put the value between quotes',
  MULTILINE_IMPLICIT_KEY: 'a colon, a bracket or a quote is missing',
  MISSING_CHAR: 'a colon, a bracket or a quote is missing',
  BAD_SCALAR_START: 'a value begins with a character that needs quotes around it',
}

/** Where the fault lies and what it is, in plain words. */
function sayYamlFault({ code, linePos }: YAMLError, frontText: string): string {
  const row = linePos?.[0].line
  const what = YAML_FAULTS[code] ?? 'something is wrong in it or just before it'
  if (row === undefined) return `the front matter is not valid YAML: ${what}`
  const text = (frontText.split('\n')[row - 1] ?? '---').trim().slice(0, 60)
  return `line ${row + 1}, counted from the opening ---, is not valid YAML (${text || '---'}): ${what}`
}

function forbiddenNode(document: ReturnType<typeof parseDocument>, { key, maxDepth }: YamlLimits): string | undefined {
  let problem: string | undefined
  visit(document, {
    Alias: () => {
      problem = 'the front matter uses a YAML alias'
      return visit.BREAK
    },
    Pair: (_key, pair, path) => {
      const name = isScalar(pair.key) ? pair.key.value : undefined
      if (typeof name !== 'string' || !key.test(name) || name === 'constructor')
        problem = `the front matter has an unusable key: ${JSON.stringify(name)?.slice(0, 60)}`
      if (path.length > maxDepth * 2) problem = 'the front matter is nested too deeply'
      return problem ? visit.BREAK : undefined
    },
    Node: (_key, node, path) => {
      if (path.length > maxDepth * 2 + 1) problem = 'the front matter is nested too deeply'
      if ('anchor' in node && node.anchor) problem = 'the front matter uses a YAML anchor'
      if (node.tag && !node.tag.startsWith('tag:yaml.org,2002:')) problem = 'the front matter uses a YAML tag'
      return problem ? visit.BREAK : undefined
    },
  })
  return problem ?? (isMap(document.contents) ? undefined : 'the front matter is not a list of keys and values')
}

function refuse(rule: string, problem: string): Extract<StrictYaml, { ok: false }> {
  return { ok: false, rule, problem }
}
