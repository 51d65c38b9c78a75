/** A sentence that binds whoever sends it. */
export interface PromiseFound {
  readonly written: string
  /** Line of its beginning, from 1. */
  readonly line: number
  /** About money or liability: a guarantee, a refund, a discount, something for nothing. */
  readonly isCostly: boolean
}

const MAX_PROMISES = 60
const MAX_SENTENCE_CHARS = 1_000
const edge = (words: string) => new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})`, 'iu')

/** English, German, French, Spanish, Italian, Dutch, Portuguese: who speaks, and that it will be. */
const WILL = edge(
  [
    "(?:we|i)(?:[’']ll| will| shall| promise| undertake| commit| agree| accept| confirm)",
    "you(?:[’']ll| will| shall) (?:receive|get|have)",
    '(?:will|shall) be (?:sent|delivered|paid|ready|done|shipped|transferred|credited)',
    '(?:wir|ich) (?:werden|werde|versprechen?|versicher[en]|bestätigen?|verpflichten?|sichern?|liefer[en]|schicken?|senden?|überweisen?|zahlen?|akzeptieren?|übernehmen?)',
    '(?:werden|werde) (?:wir|ich)',
    '(?:sie|du) (?:erhalten|bekommen|erhältst|bekommst)',
    'nous (?:nous engageons|acceptons|confirmons|promettons)',
    "je (?:m[’']engage|accepte|confirme|promets)",
    "(?:nous|je|j[’']|vous)[ \\p{L}’']{0,20}[ ’']\\p{L}{2,20}(?:rons|rai|rez)(?!\\p{L})",
    '(?:nos comprometemos|me comprometo|aceptamos|confirmamos|prometemos)',
    '(?:le|les|te|os|lo|la|se) \\p{L}{2,20}(?:remos|aré|eré|iré|ará|erá|irá)(?!\\p{L})',
    '(?:ci impegniamo|mi impegno|accettiamo|confermiamo|promettiamo|\\p{L}{2,20}(?:eremo|iremo))(?!\\p{L})',
    '(?:wij|we|ik) (?:zullen|zal|beloven|beloof|sturen|leveren|betalen|bevestigen)',
    '(?:comprometemo-nos|\\p{L}{2,20}(?:aremos|eremos|iremos))(?!\\p{L})',
  ].join('|'),
)
/** To answer, to look into it, to be glad: nobody is held to that. */
const COURTESY = edge(
  [
    "(?:we|i)(?:[’']ll| will| shall) (?:be (?:happy|glad|pleased|in touch)|get back|come back|look into|let you know|reply|answer)",
    '(?:werden uns|werde mich|melden? (?:uns|mich))',
    '(?:nous|je) (?:reviendr|répondr|vous répondr|me réjoui)\\p{L}+',
    '(?:le|les|te|os) (?:responder|contestar)\\p{L}+',
    '(?:risponder|ricontatter)\\p{L}+',
    '(?:zullen|zal) (?:wij |we |ik )?(?:antwoorden|reageren)',
    'responderemos|retornaremos',
  ].join('|'),
)
const COSTLY = edge(
  [
    'guarantee|guaranty|warrant|refund|reimburs|compensat|indemni|waive|for free|free of charge|at no (?:extra |additional )?cost|discount|binding|credit note|money back',
    'garantier|garantie|erstatt|rückerstatt|entschädig|kostenlos|kostenfrei|gratis|rabatt|nachlass|verbindlich|gutschrift|kulanz|schadenersatz',
    'garantissons|garantis|rembours|indemnis|gratuit|remise|avoir de|dédommag',
    'garantiz|reembols|compensa|indemniz|gratuit|descuento|devolveremos',
    'garantiamo|garantisco|rimbors|risarci|sconto|garandeer|garanderen|terugbeta|vergoed|korting|kosteloos|garantimos|desconto|grátis',
  ].join('|'),
)

export function costlyWords(text: string): boolean {
  return COSTLY.test(text)
}

/** The sentences of a text that promise something, the first sixty of them. Linear in its length. */
export function promisesIn(lines: readonly string[]): PromiseFound[] {
  const found: PromiseFound[] = []
  for (const { text, line } of sentencesOf(lines)) {
    const isCostly = COSTLY.test(text)
    if (isCostly || (WILL.test(text) && !COURTESY.test(text))) found.push({ written: text, line, isCostly })
    if (found.length >= MAX_PROMISES) break
  }
  return found
}

/** Sentences go over line ends, and end at an empty line at the latest. */
function* sentencesOf(lines: readonly string[]): Generator<{ text: string; line: number }> {
  let text = ''
  let first = 1
  for (const [index, line] of [...lines, ''].entries()) {
    // A point after a digit is a date's or a number's.
    for (const piece of line.split(/(?<=[!?…]|(?<!\d)\.)\s+/)) {
      if (text === '') first = index + 1
      text = text === '' ? piece.trim() : `${text} ${piece.trim()}`
      const isEnd = /[.!?…]$/.test(text) || text.length > MAX_SENTENCE_CHARS || line.trim() === ''
      if (isEnd && text !== '') {
        yield { text: text.slice(0, MAX_SENTENCE_CHARS), line: first }
        text = ''
      }
    }
  }
}
