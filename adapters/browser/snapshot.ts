import { parse } from 'yaml'
import { BrowserFault } from './browser-fault.ts'

/** An element as the browser's accessibility tree shows it. */
export interface PageNode {
  readonly role: string
  readonly name: string
  /** Text right in it: of a text field, its value. */
  readonly text: string
  readonly children: readonly PageNode[]
}

/** What a tool of the browser server answered. */
export interface ToolAnswer {
  /** Of the page after the call; undefined when the answer does not say. */
  readonly address: string | undefined
  readonly snapshot: PageNode | undefined
}

/** What people fill in or choose. */
const FIELD_ROLES = [
  ...['textbox', 'searchbox', 'combobox', 'checkbox', 'radio'],
  ...['spinbutton', 'switch', 'slider', 'listbox', 'menuitemcheckbox', 'menuitemradio'],
]

/**
 * Reads a tool's answer: sections that begin with `### `. Nothing of the page can begin one, as its text is quoted in one
 * line; if one stands there twice all the same, nothing of the answer is believed. Throws a BrowserFault for everything
 * that means: do not go on.
 */
export function readAnswer(text: string, isError: boolean): ToolAnswer {
  const sections = new Map<string, string>()
  for (const part of `\n${text}`.split(/\n### /).slice(1)) {
    const [title = '', ...lines] = part.split('\n')
    if (sections.has(title)) throw new BrowserFault('page')
    sections.set(title, lines.join('\n'))
  }
  if (sections.has('Modal state')) throw new BrowserFault('dialog')
  if (sections.has('Open tabs')) throw new BrowserFault('window')
  if (isError || sections.has('Error')) throw faultOf(sections.get('Error') ?? text)
  const address = /^- Page URL: (\S+)$/m.exec(sections.get('Page') ?? '')?.[1]
  const snapshot = sections.get('Snapshot')
  return { address, snapshot: snapshot === undefined ? undefined : readSnapshot(snapshot) }
}

/** The words of the server decide the kind; none of them goes any further. */
function faultOf(error: string): BrowserFault {
  const cause = new Error(error.slice(0, 500))
  if (/does not match any elements/.test(error)) return new BrowserFault('no-element', { cause })
  if (/strict mode violation/.test(error)) return new BrowserFault('many-elements', { cause })
  if (/already in use/i.test(error)) return new BrowserFault('in-use', { cause })
  if (/net::ERR_|chrome-error:/.test(error)) return new BrowserFault('unreachable', { cause })
  if (/has been closed|crashed|Target closed|Browser closed|Failed to launch|disconnected/i.test(error))
    return new BrowserFault('gone', { cause })
  return new BrowserFault('page', { cause })
}

function readSnapshot(section: string): PageNode {
  const yaml = /^```yaml\n([\s\S]*)\n```\s*$/.exec(section)?.[1]
  try {
    const roots: unknown = parse(yaml ?? '', { schema: 'failsafe', maxAliasCount: 0, uniqueKeys: false })
    if (!Array.isArray(roots)) throw new TypeError('not a list')
    const nodes = roots.map(nodeOf)
    const [only] = nodes
    if (only !== undefined && nodes.length === 1) return only
    return { role: 'fragment', name: '', text: '', children: nodes }
  } catch (cause) {
    throw new BrowserFault('page', { cause })
  }
}

const HEAD = /^(?<role>[a-z]+)(?: (?<name>"(?:[^"\\]|\\.)*"))?(?: \[[^\]]*\])*$/

function nodeOf(value: unknown): PageNode {
  if (typeof value === 'string') return { ...headOf(value), text: '', children: [] }
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) throw new TypeError('no node')
  const [head, inner] = entry
  if (typeof inner === 'string') return { ...headOf(head), text: inner, children: [] }
  if (!Array.isArray(inner)) throw new TypeError('no node')
  // `/url`, `/placeholder`: properties, not contents.
  const children = inner.filter((one) => !isProperty(one)).map(nodeOf)
  return { ...headOf(head), text: '', children }
}

function isProperty(value: unknown): boolean {
  const key = typeof value === 'object' && value !== null ? Object.keys(value)[0] : value
  return typeof key === 'string' && key.startsWith('/')
}

function headOf(head: string): { role: string; name: string } {
  const { role, name } = HEAD.exec(head)?.groups ?? {}
  if (role === undefined) throw new TypeError('no head of a node')
  return { role, name: name === undefined ? '' : String(JSON.parse(name)) }
}

/** The text that an element shows; what is fully given by its name (a heading, a cell) is not written twice in the tree. */
export function textOf(node: PageNode): string {
  if (node.text !== '') return node.text
  if (node.children.length === 0) return node.role === 'text' || isField(node) ? '' : node.name
  return node.children.map(textOf).join(' ')
}

/** How many things in it can be filled in or chosen. */
export function fieldsIn(node: PageNode): number {
  return node.children.reduce((sum, child) => sum + fieldsIn(child), isField(node) ? 1 : 0)
}

/** The texts of a table's cells, row by row. */
export function cellsOf(node: PageNode): string[][] {
  if (node.role === 'row') return [node.children.map(textOf)]
  return node.children.flatMap(cellsOf)
}

function isField({ role }: PageNode): boolean {
  return FIELD_ROLES.includes(role)
}
