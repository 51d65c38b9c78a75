import MarkdownIt from 'markdown-it'

/** As VS Code's preview and Obsidian's reading view set it: raw HTML passes, bare addresses become links. */
const viewer = new MarkdownIt({ html: true, linkify: true })

/** What a viewer of Markdown makes of a note; front matter is not drawn. */
export function previewOf(note: string): string {
  return viewer.render(note.replace(/^---\n[\s\S]*?\n---\n/, ''))
}

/** Every element of a preview, once, sorted. */
export function elementsOf(html: string): string[] {
  return [...new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map((match) => match[1]?.toLowerCase() ?? ''))].sort()
}

/** Where the links of a preview lead. */
export function linksOf(html: string): string[] {
  const attribute = /\s(?:href|src|srcset|data|action|background|poster|style)\s*=\s*["']?([^"'\s>]*)/gi
  return (html.match(/<[a-z][^>]*>/gi) ?? []).flatMap((tag) =>
    [...tag.matchAll(attribute)].map((match) => match[1] ?? ''),
  )
}
