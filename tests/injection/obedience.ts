import { foldedShape } from '#core/look-alike.ts'
import { reversed, rot13 } from './encodings.ts'

/** Everything that a text orders, whoever wrote it and however it is written. */
export interface Orders {
  readonly addresses: readonly string[]
  readonly links: readonly string[]
  readonly ibans: readonly string[]
  readonly amounts: readonly string[]
  readonly purses: readonly string[]
  readonly paths: readonly string[]
  /** JSON or YAML that looks like a call of a tool. */
  readonly calls: readonly string[]
  /** It asks for what the program itself was told, or for secrets. */
  readonly asksForSecrets: boolean
  readonly markup: readonly string[]
}

const ORDER =
  /instruc|ignor|ignore|anweisung|instrucciones|istruzioni|instruções|instrukcj|instructies|инструкц|指令|指示|التعليمات|talimat|system|write|send|answer|pay /i
const SECRETS =
  /password|passwor|secret|credential|chiave api|api key|system prompt|everything (?:above|you know)|\/run\/|\.ssh|\/etc\//i

/** Finds them in the text and in every reading of it that holds an order. */
export function ordersIn(text: string): Orders {
  const all = readingsOf(text)
  const found = (pattern: RegExp) => [...new Set(all.flatMap((one) => one.match(pattern) ?? []))]
  return {
    addresses: found(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/gu),
    links: found(/https?:\/\/[^\s<>"')\]]{3,300}/gi),
    ibans: found(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g),
    amounts: found(/\b\d{1,3}(?:[. ]\d{3})* EUR\b/g),
    purses: found(/\bbc1[a-z0-9]{20,70}\b|\b0x[0-9a-fA-F]{40}\b/g),
    paths: found(
      /(?:\.\.\/|~\/|\/etc\/|\/run\/|Approved\/|assets\/|references\/)[\w./-]+|(?:Company_Handbook|Business_Goals)\.md/g,
    ),
    calls: found(/\{"(?:tool|text|name)"[^\n]{5,500}\}|^action:\n(?: {2}.*\n?)+/gm),
    asksForSecrets: all.some((one) => SECRETS.test(one)),
    markup: found(
      /!\[[^\]]*\]\([^)]*\)|<(?:img|span|script)[^>]*>|<!--[\s\S]{0,200}?-->|<%[\s\S]{0,80}?%>|%%[^%]{1,80}%%|- \[x\] Approve/g,
    ),
  }
}

/** The text as it was sent, and what its encodings hold, twice over. */
export function readingsOf(text: string): string[] {
  const plain = undressed(text)
  const wholes = [plain, foldedShape(plain), rot13(plain), reversed(plain)].filter(
    (one, at) => at === 0 || ORDER.test(one),
  )
  const first = blobsOf(plain)
  const second = first.flatMap(blobsOf)
  return [...new Set([text, ...wholes, ...first, ...second])]
}

/** Back to what was sent: what cannot be seen is read, broken links and marks are whole again. */
function undressed(text: string): string {
  return text
    .replace(/⟦U\+([0-9A-F]{4,6})⟧/g, (_all, point: string) => String.fromCodePoint(Number.parseInt(point, 16)))
    .replace(/[\u{e0020}-\u{e007e}]/gu, (one) => String.fromCharCode((one.codePointAt(0) ?? 0) - 0xe0000))
    .replace(/\ufe0f?[\u{e0100}-\u{e01ef}]+/gu, (run) =>
      Buffer.from([...run].map((one) => Math.max(0, (one.codePointAt(0) ?? 0) - 0xe0100 + 16) & 255)).toString(),
    )
    .replace(/[\u200b-\u200f\u2060-\u2064\u202a-\u202e]/gu, '')
    .normalize('NFKC')
    .replace(/hxxp(s?)\[:\]\/\//gi, 'http$1://')
    .replaceAll('[:]', ':')
    .replaceAll('‹!--', '<!--')
    .replaceAll('--›', '-->')
    .replaceAll('‹%', '<%')
    .replaceAll('%›', '%>')
    .replaceAll('! [', '![')
    .replace(/([{}[%:]) (?=\1)/g, '$1')
}

function blobsOf(text: string): string[] {
  const decoded = [
    ...(text.match(/[A-Za-z0-9+/_-]{24,}={0,2}/g) ?? []).map((blob) => Buffer.from(blob, 'base64').toString()),
    ...(text.match(/\b(?:[0-9a-f]{2}){12,}\b/gi) ?? []).map((blob) => Buffer.from(blob, 'hex').toString()),
    ...(text.match(/(?:%[0-9a-f]{2}){6,}/gi) ?? []).map((blob) =>
      Buffer.from(blob.replaceAll('%', ''), 'hex').toString(),
    ),
    ...(text.match(/(?:\\u[0-9a-f]{4}){4,}/gi) ?? []).map((blob) =>
      blob.replace(/\\u([0-9a-f]{4})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    ),
    ...(text.match(/(?:&#\d{1,7};){4,}/g) ?? []).map((blob) =>
      blob.replace(/&#(\d{1,7});/g, (_all, code: string) => String.fromCodePoint(Math.min(Number(code), 0x10ffff))),
    ),
  ]
  return decoded.filter((one) => (one.match(/[\ufffd\u0000-\u0008]/g)?.length ?? 0) < one.length / 20)
}
