import { findAmounts } from './amounts.ts'
import { findIbans } from './iban.ts'

/** How one language asks for an invoice: a sentence with each of the first three in it and not the last is such a request. */
interface InvoiceWords {
  readonly asks: RegExp
  readonly does: RegExp
  readonly invoice: RegExp
  readonly not: RegExp
}

const REQUESTS: readonly InvoiceWords[] = [
  {
    asks: /\b(?:please|kindly|could|can|would|may|need|require|missing|waiting for|request)\b/i,
    does: /\b(?:send|issue|forward|provide|prepare|raise|make out|write|get|have|give|resend|e?-?mail|need|require|missing|waiting for|request|receive)\b/i,
    invoice: /\binvoices?\b/i,
    not: /\b(?:pay|paid|pays|payment|settle|attached|enclosed|find|overdue|due|wrong|mistake|(?:i|we)(?:['’]| wi)ll)\b/i,
  },
  {
    asks: /bitte|könn|kann\b|würd|br(?:a|ä)uch|benötig|fehlt|warte|hätte/i,
    does: /schick|send|zukommen|ausstell|stell|schreib|br(?:a|ä)uch|benötig|fehlt|warte|erhalten|bekommen|hätte/i,
    invoice: /\b(?:rechnung(?:en)?|rechnungskopie)(?!\p{L})/iu,
    not: /überweis|bezahl|begleich|anbei|im anhang|beigefügt|zahlbar|fällig|mahnung|storn|falsch/i,
  },
  {
    asks: /merci de|pourriez|pouvez|pourrai|peux|veuillez|besoin|attend|souhait|voudr/i,
    does: /envoy|transme|parvenir|établi|adresse|fourni|besoin|attend|recevoir|avoir/i,
    invoice: /\bfactures?\b/i,
    not: /régl|pay[eé]|ci-joint|pièce jointe|échéance|virement|erreur/i,
  },
  {
    asks: /por favor|podr[ií]|puede|necesit|falta|quisi|rueg|solicit/i,
    does: /env[ií]|mand|emit|hac(?:er|ed)|facilit|necesit|falta|recib|solicit|remit/i,
    invoice: /\bfacturas?\b/i,
    not: /pag[aou]|abon|adjunt|vencid|vencimiento|error/i,
  },
  {
    asks: /per favore|potr|può|puoi|cortes|gentil|bisogno|serve|vorrei|attend|prego/i,
    does: /invi|mand|emett|fare|forni|bisogno|serve|ricev|attend|spedi/i,
    invoice: /\bfattur[ae]\b/i,
    not: /pag|sald|allegat|scadut|bonific|errore/i,
  },
  {
    asks: /prosz|czy\b|mog[lł]|potrzebuj|brak|chciał/i,
    does: /wys[lł]|prześ|przes|wystaw|potrzebuj|brak|otrzym|dosta|prosz\p{L}* o\b/iu,
    invoice: /\bfaktur(?!zy)\p{L}*/iu,
    not: /zapła|opła|załącz|termin|błęd/i,
  },
  {
    asks: /por favor|poderia|pode\b|preciso|falta|gostaria|solicit/i,
    does: /envi|mand|emit|preciso|falta|receb|solicit/i,
    invoice: /\b(?:faturas?|notas? fisca(?:l|is))\b/i,
    not: /pag|anex|venc|erro/i,
  },
  {
    asks: /\b(?:kunt|kun|wilt|graag|zou|nodig|ontbreekt|alstublieft|aub)\b/i,
    does: /stur|zend|mailen|opmaken|opstel|nodig|ontvang|ontbreekt/i,
    invoice: /\b(?:factuur|facturen)\b/i,
    not: /betal|bijgevoegd|bijlage|overmak|verval|fout/i,
  },
]
/** As a subject, or anywhere: it says by itself what is wanted. */
const REQUEST_WORDS =
  /(?<!\p{L})(?:invoice request|request for (?:an )?invoice|please invoice (?:us|me)|rechnungsanforderung|bitte um (?:eine |die )?rechnung(?:en)?(?!\p{L})|demande de facture|solicitud de factura|richiesta (?:di )?fattura|proś(?:ba|bę) o (?:wystawienie )?faktur|factuuraanvraag|pedido de fatura)/iu

/** What only somebody writes who wants to be paid. */
const DEMANDS =
  /(?<!\p{L})(?:please (?:pay|transfer|remit|settle)|payment (?:is )?(?:now )?due|(?:amount|total|balance) due|payable (?:by|within|to)|due (?:date|by|on)|payment terms|payment reminder|(?:bitte|wir bitten,?) (?:überweisen|zahlen|begleichen)|bitten (?:wir )?(?:sie )?um (?:zahlung|überweisung|begleichung)|überweisen sie|zahlbar|fällig|zahlungsziel|rechnungsbetrag|zahlungserinnerung|mahnung|(?:merci de|veuillez|prière de) (?:bien vouloir )?(?:régler|payer|virer|effectuer le (?:virement|paiement))|montant (?:dû|à payer|à régler)|date d['’]échéance|à régler|(?:rogamos|ruego|solicitamos) (?:el |que )?(?:pago|abono|abonen|transfieran|paguen)|importe (?:a pagar|total)|total a pagar|fecha de vencimiento|(?:si prega|preghiamo|vi chiediamo) di (?:\p{L}+ )?(?:pagare|saldare|effettuare|versare)|importo (?:dovuto|da pagare)|totale da pagare|da saldare|scadenza (?:del )?pagamento|proszę o (?:zapłatę|wpłatę|przelew|uregulowanie)|prosimy o (?:zapłatę|wpłatę|przelew|uregulowanie)|do zapłaty|termin płatności|gelieve (?:te betalen|over te maken|\p{L}+ te betalen)|te betalen (?:bedrag|voor)|vervaldatum|valor a pagar|data de vencimento|efetuar o pagamento)/iu
/** Somebody tells that it was paid, or asks where their money is to go. */
const IS_PAID =
  /(?<!\p{L})(?:(?:has|have|was|were|been|just|already) (?:been )?(?:paid|transferred|settled)|we paid|i paid|payment (?:was )?received|thank you for your payment|(?:habe|haben|wurde|ist|sind) [^.]{0,120}(?:überwiesen|bezahlt|beglichen|eingegangen)|zahlung (?:erhalten|eingegangen)|(?:avons|ai|été) (?:bien )?(?:payé|réglé|viré)|(?:hemos|he|ha sido|fue) (?:pagad|pagado|abonado|transferido)|(?:abbiamo|ho|stat[ao]) (?:pagat|saldat)|zapłaci(?:liśmy|łem|łam)|została (?:opłacona|zapłacona)|hebben? [^.]{0,120}(?:betaald|overgemaakt))/iu
const ACCOUNT =
  /\b(?:account (?:no|number|nr)|routing (?:no|number)|sort code|swift|bic|kontonummer|konto-?nr|num[eé]ro de (?:compte|cuenta)|conto corrente|numer (?:konta|rachunku)|rekeningnummer)\b[^\n]{0,40}\d{4}/i
const MONEY =
  /(?<!\p{L})(?:invoic|bill(?:ing|s)?\b|pay(?:ment|able|ing|s)?\b|paid\b|rechnung|zahl(?:ung|en|bar)|überweis|mahnung|factur|paiement|payer|pago\b|pagar|pagamento|fattur|bonifico|faktur|płatno|zapłat|przelew|fatura|betal(?:ing|en)|account number|iban)/iu
const BULK =
  /(?<!\p{L})(?:unsubscrib|newsletter|view (?:this (?:e-?mail|message) |it )?(?:in|online in) (?:your |a )?browser|manage (?:your )?(?:e-?mail )?preferences|abmelden|abbestellen|im browser (?:ansehen|öffnen|anzeigen)|désabonn|désinscri|se désinscrire|darse de baja|cancelar (?:la |su )?suscripci[oó]n|ver en (?:el |su )?navegador|disiscriv|cancella(?:rti|re l['’]iscrizione)|visualizza nel browser|wypisz|rezygnacja z subskrypcji|afmelden|uitschrijven|cancelar (?:a )?inscrição)/iu
const URGENT =
  /(?<!\p{L})(?:urgent(?:ly)?|asap|as soon as possible|immediately|final notice|overdue|dringend|eilt\b|sofort|letzte mahnung|urgence|dès que possible|au plus vite|urgente|cuanto antes|lo antes posible|al più presto|sollecito|piln[eay]|jak najszybciej|ponaglenie|spoed|met spoed|o mais rápido)/iu
const DEADLINE =
  /(?:\b(?:by|until|before|due)\s+(?:today|tomorrow|tonight|noon|eod|cob|(?:the )?end of (?:the )?(?:day|business))\b|\bwithin (?:the next )?(?:24|48|\d) hours?\b|\bbis (?:spätestens )?(?:heute|morgen)(?!\p{L})|\bnoch heute\b|\binnerhalb von (?:24|48|\d) ?(?:stunden|std)|\b(?:avant|d['’]ici) (?:à )?(?:demain|ce soir)\b|\bsous (?:24|48) ?h|\bantes de mañana|\bpara (?:hoy|mañana)\b|\ben (?:24|48) horas\b|\bentro (?:oggi|domani|stasera)\b|\bentro (?:24|48) ore\b|\bdo (?:jutra|dzisiaj|dziś)(?!\p{L})|\bw ciągu (?:24|48) godzin|\b(?:vóór|voor) morgen\b|\baté (?:hoje|amanhã))/iu
const NOTHING_TO_DO =
  /(?<!\p{L})(?:no (?:reply|answer|response|action) (?:is )?(?:needed|required|necessary)|no need to (?:reply|answer|respond)|for your information\b|fyi\b|keine antwort (?:nötig|erforderlich)|zur (?:info|kenntnis)(?:nahme)?\b|pour (?:votre )?information\b|para su información|per conoscenza|do wiadomości)/iu

/** Languages in whose words these signs are known. */
export const SIGN_LANGUAGES: ReadonlySet<string> = new Set(['en', 'de', 'fr', 'es', 'it', 'pl', 'pt', 'nl'])

/** What the words of a mail say by themselves. All of it is a guess from a stranger's text. */
export interface MailSigns {
  readonly asksForInvoice: boolean
  /** Wants to be paid, says how much, and to which account. */
  readonly isBill: boolean
  readonly speaksOfMoney: boolean
  readonly looksBulk: boolean
  readonly isUrgent: boolean
  /** Names today, tomorrow or a number of hours. */
  readonly hasDeadline: boolean
  readonly wantsNothing: boolean
}

const MAX_CHARS = 50_000
const MAX_SENTENCES = 400

/** Never throws. */
export function signsOf(mail: { readonly subject: string; readonly text: string }): MailSigns {
  const own = ownWords(mail.text)
  const all = `${mail.subject}\n\n${own}`.normalize('NFKC')
  const hasAccount = ACCOUNT.test(all) || Object.values(findIbans(all)).some((found) => found.length > 0)
  const hasAmount = findAmounts(all).length > 0
  const asksForInvoice = REQUEST_WORDS.test(all) || sentencesOf(all).some(isRequest)
  return {
    asksForInvoice,
    isBill: hasAccount && hasAmount && DEMANDS.test(all) && !IS_PAID.test(all) && !asksForInvoice,
    speaksOfMoney: MONEY.test(all) || hasAccount || hasAmount,
    looksBulk: BULK.test(all),
    isUrgent: URGENT.test(all),
    hasDeadline: DEADLINE.test(all),
    wantsNothing: NOTHING_TO_DO.test(all),
  }
}

/** The mail's own words: neither what it quotes nor what stands below the line that announces a quote. */
export function ownWords(text: string): string {
  const lines = text.slice(0, MAX_CHARS).split('\n')
  const end = lines.findIndex((line, at) => at > 0 && isQuoteHead(line))
  const own = end < 0 ? lines : lines.slice(0, end)
  return own.filter((line) => !/^\s*>/.test(line)).join('\n')
}

function isQuoteHead(line: string): boolean {
  return (
    /^\s*-{2,}\s*(?:original|forwarded|ursprüngliche|weitergeleitete|message d|mensaje|messaggio|wiadomość)/i.test(
      line,
    ) ||
    /^\s*(?:on|am|le|el|il|em|op|w dniu|dnia)\b.{4,200}(?:wrote|schrieb(?: .{0,80})?|a écrit|escribió|ha scritto|napisał(?:a)?|escreveu|schreef)\s*:\s*$/i.test(
      line.slice(0, 300),
    )
  )
}

/** Lines that a mail program broke belong together; an empty one ends a sentence. */
function sentencesOf(text: string): string[] {
  return text
    .replace(/\r/g, '')
    .replace(/\n[ \t]*\n/g, '. ')
    .replace(/\n/g, ' ')
    .split(/[.!?;](?=\s|$)/)
    .slice(0, MAX_SENTENCES)
    .map((sentence) => sentence.slice(0, 500))
}

function isRequest(sentence: string): boolean {
  return REQUESTS.some(
    ({ asks, does, invoice, not }) =>
      invoice.test(sentence) && asks.test(sentence) && does.test(sentence) && !not.test(sentence),
  )
}
