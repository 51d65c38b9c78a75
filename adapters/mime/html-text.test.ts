import { describe, expect, test } from 'vitest'
import { visibilityOf } from './hidden-html.ts'
import { htmlToPlainText } from './html-text.ts'

describe('what no reader of the mail sees is left out', () => {
  test.each([
    ['a style', '<div style="color:red; DISPLAY : NONE">unseen</div>'],
    ['a style in single quotes', "<span style='visibility:hidden'>unseen</span>"],
    ['a style without quotes', '<span style=display:none>unseen</span>'],
    ['an escaped style', '<span style="d\\69 splay:none">unseen</span>'],
    ['a style in entities', '<span style="display&#58;&#x6e;one">unseen</span>'],
    ['a style with a comment in it', '<span style="display:/* */none !important">unseen</span>'],
    ['letters without size', '<span style="font-size:0.0px">unseen</span>'],
    ['letters of one pixel', '<span style="font-size: 1px; color: #000">unseen</span>'],
    ['a clear element', '<span style="opacity:0">unseen</span>'],
    ['an almost clear element', '<span style="opacity: 0.01">unseen</span>'],
    ['clear letters', '<span style="color:transparent">unseen</span>'],
    ['clear letters in numbers', '<span style="color:rgba(0, 0, 0, 0)">unseen</span>'],
    ['white on white', '<span style="color:#FFFFFF;background:white">unseen</span>'],
    ['one colour on itself', '<span style="color:#123456; background-color:#123456">unseen</span>'],
    ['a place off the screen', '<div style="position:absolute;left:-9999px">unseen</div>'],
    ['an indent off the screen', '<p style="text-indent:-5000px">unseen</p>'],
    ['an element without height', '<div style="max-height:0;overflow:hidden">unseen</div>'],
    ['an element shrunk to nothing', '<div style="transform:scale(0)">unseen</div>'],
    ['an element that is clipped', '<div style="position:absolute;clip:rect(0,0,0,0)">unseen</div>'],
    ['what Outlook hides', '<span style="mso-hide:all">unseen</span>'],
    ['an attribute', '<p hidden>unseen</p><p aria-hidden="true">unseen</p>'],
    ['a class', '<style>p, span.x { display:none }</style><b class="y x">unseen</b>'],
    ['an id', '<style>/* */ #x{font-size:0}</style><b id="x">unseen</b>'],
    ['a comment', '<!-- unseen --><!--[if mso]>unseen<![endif]-->'],
    ['attributes', '<b title="unseen" data-x="unseen"><img alt="unseen"></b>'],
    ['parts that are not drawn', '<template>unseen</template><noscript>unseen</noscript><script>unseen</script>'],
    ['forms', '<textarea>unseen</textarea><select><option>unseen</option></select><input value="unseen">'],
  ])('%s', (_what, html) => {
    const text = htmlToPlainText(`<p>before</p>${html}<p>after</p>`)
    expect(text).not.toContain('unseen')
    expect(text).toMatch(/^before\s+after$/)
  })
})

test('white words are labelled: what is behind them cannot be told', () => {
  expect(htmlToPlainText('<p>a <span style="color:#fff">b</span> <font color="WHITE">c</font></p>')).toBe(
    'a [in white: b] [in white: c]',
  )
  expect(htmlToPlainText('<style>.w{color:white}</style><p>a <i class="w">b</i></p>')).toBe('a [in white: b]')
})

test.each([
  'color:#000',
  'color:#fff;background-color:#123456',
  'font-size:12px',
  'font:10px Arial',
  'left:-10px',
  'opacity:0.5',
  'max-height:0',
  'display:block',
  'width:100%;overflow:hidden',
  '',
  ':::;;',
])('%j hides nothing', (style) => expect(visibilityOf(style)).toBeUndefined())

test('classes that are hidden on small screens only are read, and words of styles are no styles', () => {
  const media =
    '<style>@media (max-width:600px){.m{display:none}.n{color:red}} .o{color:red}</style><b class="m">seen</b>'
  expect(htmlToPlainText(media)).toBe('seen')
  expect(htmlToPlainText('<p>write style="display:none" there</p>')).toContain('there')
})

test('hostile lengths are read in time', () => {
  for (const piece of ['<p style="', "<p style='", '<style>', '.a{', '@media{', 'a{}', '<p style=display:none>x', '/*'])
    expect(typeof htmlToPlainText(piece.repeat(200_000 / piece.length))).toBe('string')
})

test('of tags without end the first are read, and it says that there are more', () => {
  const html = `<p>first</p>${`<p>${'<b></b>'.repeat(1_000)}</p>`.repeat(30)}<p>last</p>`
  expect(htmlToPlainText(html)).toBe('first\n[…]')
})

test('a style sheet is read by itself: one that is left open hides nothing of the next', () => {
  const html = '<style>@media print{</style><style>.x{display:none}}</style><p class="x">unseen</p><p>seen</p>'
  expect(htmlToPlainText(html)).toBe('seen')
})

test.each(['@media', 'a', '/*', 'a{', '@media{', '}'])('a style sheet of nothing but %s is read in one go', (piece) => {
  const sheet = piece.repeat(200_000 / piece.length)
  expect(htmlToPlainText(`<style>${sheet}</style><p>seen</p>`)).toBe('seen')
})
