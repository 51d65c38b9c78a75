/** `hidden`: no reader sees it. `faint`: white, on what only the whole page tells. */
export type Visibility = 'hidden' | 'faint'

/** What an element is marked with, for `html-to-text` to select it by. */
export const HIDDEN_MARK = 'data-unseen'

const MAX_STYLE_CHARS = 2_000
const MAX_SHEET_CHARS = 200_000
const MAX_CLASSES = 100
const STYLE = /(?<=[\s"'/])style\s*=\s*(?:"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<bare>[^\s>"']+))/giu
const WHITE =
  /^(?:white|snow|ivory|#f[c-f]f[c-f]f[c-f]|#fff|rgba?\((?:25[2-5],){2}25[2-5](?:,1(?:\.0+)?)?\)|hsl\(\d+,\d+%,(?:99|100)%\))$/
const CLEAR = /^(?:transparent|rgba\(\d+%?,\d+%?,\d+%?,(?:0|0?\.0\d*)\)|#[0-9a-f]{6}0[0-9a-f]|#[0-9a-f]{3}0)$/
const OFF_SCREEN =
  /^-(?:\d{4,}(?:\.\d+)?px|[5-9]\d{2}(?:\.\d+)?px|\d{2,}(?:\.\d+)?(?:em|rem|in|cm|vw|vh)|[1-9]\d{2,}%)$/

/** The same HTML with every inline style that hides its element replaced by a mark. Linear in its length. */
export function markHidden(html: string): string {
  return html.replace(STYLE, (whole, ...rest) => {
    const { double, single, bare } = rest.at(-1) as Record<string, string | undefined>
    const seen = visibilityOf(entitiesRead(double ?? single ?? bare ?? ''))
    return seen === undefined ? whole : `${HIDDEN_MARK}="${seen}"`
  })
}

/** Selectors of one class or id that the style sheets of the mail hide. */
export function hiddenSelectors(html: string): { selector: string; visibility: Visibility }[] {
  const sheets = html.split(/<\/style/i).slice(0, -1)
  let room = MAX_SHEET_CHARS
  const rules = sheets.flatMap((part) => {
    const sheet = part.slice(part.search(/<style\b/i)).replace(/<style\b[^>]{0,1000}>/gi, '')
    const looked = sheet.slice(0, room)
    room -= looked.length
    return rulesOf(withoutComments(looked))
  })
  const found = rules.flatMap(([selectors, style]) => {
    const visibility = visibilityOf(style)
    if (visibility === undefined) return []
    const single = selectors.split(',').map((one) => one.trim().replace(/^[a-z0-9]+(?=[.#])/i, ''))
    return single.filter((one) => /^[.#][\w-]{1,60}$/.test(one)).map((selector) => ({ selector, visibility }))
  })
  return found.slice(0, MAX_CLASSES)
}

/** Selectors and declarations of a sheet, without what holds for small screens only. In one go: it is a stranger's. */
function rulesOf(sheet: string): (readonly [selectors: string, style: string])[] {
  const rules: (readonly [string, string])[] = []
  let depth = 0
  let mediaDepth = 0
  for (const block of sheet.split('}').slice(0, -1)) {
    const heads = block.split('{')
    const style = heads.pop() ?? ''
    for (const head of heads) {
      depth += 1
      if (mediaDepth === 0 && /@media/i.test(head)) mediaDepth = depth
    }
    const selectors = heads.at(-1)
    if (selectors !== undefined && mediaDepth === 0) rules.push([selectors, style])
    if (mediaDepth === depth) mediaDepth = 0
    depth = Math.max(0, depth - 1)
  }
  return rules
}

function withoutComments(css: string): string {
  const [first = '', ...rest] = css.split('/*')
  return [first, ...rest.map((part) => (part.includes('*/') ? part.slice(part.indexOf('*/') + 2) : ''))].join('')
}

/** What a style makes of its element's text; undefined: it can be read. */
export function visibilityOf(style: string): Visibility | undefined {
  const rules = declarations(style.slice(0, MAX_STYLE_CHARS))
  const has = (name: string, pattern: RegExp) => pattern.test(rules.get(name) ?? '')
  const isClipped =
    has('overflow', /hidden|clip/) || has('overflow-y', /hidden|clip/) || has('overflow-x', /hidden|clip/)
  const isNothing = /^0(?:\.0+)?(?:[a-z]+|%)?$/
  const isTiny = /^(?:[01](?:\.\d+)?(?:px|pt)?|0?\.\d+(?:px|pt)|0?\.[0-2]\d*r?em|[0-9](?:\.\d+)?%)$/
  const isMoved = ['left', 'right', 'top', 'bottom', 'margin-left', 'margin-top', 'text-indent'].some((name) =>
    has(name, OFF_SCREEN),
  )
  if (has('display', /^none$/) || has('visibility', /^(?:hidden|collapse)$/) || has('mso-hide', /^all$/))
    return 'hidden'
  if (has('opacity', /^0?(?:\.0\d*)?$|^0%$/) && rules.has('opacity')) return 'hidden'
  if (has('font-size', isTiny) || has('font', /(?:^|\D)0(?:px|pt|em|%)/) || isMoved) return 'hidden'
  if (isClipped && ['height', 'max-height', 'width', 'max-width'].some((name) => has(name, isNothing))) return 'hidden'
  if (
    has('transform', /scale[xy]?\(0(?:\.0+)?[,)]/) ||
    has('clip', /rect\(0(?:px)?[,)]/) ||
    has('clip-path', /inset\((?:100|[5-9]\d)%/)
  )
    return 'hidden'
  const color = rules.get('color') ?? ''
  const behind = rules.get('background-color') ?? rules.get('background') ?? ''
  if (CLEAR.test(color) || (color !== '' && color === behind) || (WHITE.test(color) && WHITE.test(behind)))
    return 'hidden'
  return WHITE.test(color) && behind === '' ? 'faint' : undefined
}

/** In small letters without blanks, comments and escapes; the last of a name counts, as in a browser. */
function declarations(style: string): Map<string, string> {
  const plain = style
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\\([0-9a-f]{1,6})\s?/gi, (_all, hex: string) => characterOf(Number.parseInt(hex, 16)))
    .replace(/\\(.)/g, '$1')
    .toLowerCase()
    .replace(/!\s*important/g, '')
    .replace(/\s+/g, '')
  const pairs = plain
    .split(';')
    .map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1)] as const)
  return new Map(pairs.filter(([name]) => name !== ''))
}

function entitiesRead(text: string): string {
  return text
    .replace(/&#x([0-9a-f]{1,6});?/gi, (_all, hex: string) => characterOf(Number.parseInt(hex, 16)))
    .replace(/&#(\d{1,7});?/g, (_all, number: string) => characterOf(Number(number)))
    .replace(/&(?:colon|semi);/gi, (name) => (/colon/i.test(name) ? ':' : ';'))
}

function characterOf(point: number): string {
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ''
}
