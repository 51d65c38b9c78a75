import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recognizeLanguage } from './language.ts'

describe('recognizeLanguage', () => {
  test.each([
    ['en', 'Hello Olivia, could you send me the invoice for March, please? Kind regards'],
    [
      'de',
      'Sehr geehrte Damen und Herren, könnten Sie mir bitte die Rechnung für März schicken? Mit freundlichen Grüßen',
    ],
    ['fr', 'Bonjour, pourriez-vous m’envoyer la facture du mois de mars ? Merci et cordialement'],
    ['es', 'Hola, ¿me puede enviar la factura de marzo, por favor? Muchas gracias y un saludo'],
    ['it', 'Buongiorno, potrebbe inviarmi la fattura di marzo? Grazie e cordiali saluti'],
    ['pt', 'Bom dia, você poderia enviar a fatura de março para o nosso escritório? Muito obrigado'],
    ['nl', 'Geachte heer, kunt u ons de factuur van maart sturen? Met vriendelijke groet'],
    ['pl', 'Dzień dobry, czy mogą Państwo wysłać fakturę za marzec? Dziękuję i pozdrawiam'],
    ['sv', 'Hej, kan ni skicka fakturan för mars till oss? Tack och vänliga hälsningar'],
    ['fi', 'Hei, voitteko lähettää meille laskun? Kiitos ja ystävällisin terveisin, se on kiireinen'],
    ['cs', 'Dobrý den, můžete nám prosím poslat fakturu za březen? Děkuji a jsem s pozdravem'],
    ['ru', 'Здравствуйте, вы можете прислать счёт за март? Спасибо'],
    ['uk', 'Добрий день, чи можете ви надіслати рахунок за березень? Дякую за відповідь'],
    ['el', 'Καλημέρα, μπορείτε να μου στείλετε το τιμολόγιο του Μαρτίου;'],
    ['ja', '三月分の請求書を送っていただけますか。よろしくお願いします。'],
    ['zh', '您好，请把三月份的发票发给我，谢谢您的帮助。'],
    ['ar', 'مرحبا، هل يمكنكم إرسال فاتورة شهر مارس من فضلكم؟'],
  ])('knows %s', (language, text) => {
    expect(recognizeLanguage(text)).toBe(language)
  })

  test.each([
    '',
    'ok',
    '123 456 — !!',
    'Clara Client, Acme GmbH',
    'https://the.and.example/you-for-the-and',
    'XQZV 12 BRTK',
  ])('says nothing of %j', (text) => {
    expect(recognizeLanguage(text)).toBeUndefined()
  })

  test('does not count what is quoted', () => {
    const quoted = '> Could you send the invoice to me, please? I would like to have it.\n'.repeat(5)
    expect(recognizeLanguage(`${quoted}Gerne, die Rechnung ist in der Post und kommt mit dem Brief.`)).toBe('de')
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const language = recognizeLanguage(text)
        expect(language === undefined || /^[a-z]{2}$/.test(language)).toBe(true)
      }),
    )
  })
})
