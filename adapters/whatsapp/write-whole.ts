import { open, rename } from 'node:fs/promises'

/** Writes a file (0600) that is whole or not there, and on the disk when the call returns. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w', 0o600)
    await file.writeFile(content)
    await file.sync()
  }
  await rename(temporary, path)
}
