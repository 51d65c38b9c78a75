declare module 'xmlrpc/lib/deserializer.js' {
  import type { Readable } from 'node:stream'

  class Deserializer {
    responseType: string | null
    stack: unknown[]
    onDone(): void
    deserializeMethodCall(stream: Readable, done: (error: unknown, method: string, params: unknown[]) => void): void
  }
  export = Deserializer
}
declare module 'xmlrpc/lib/serializer.js' {
  const serializer: {
    serializeMethodResponse(value: unknown): string
    serializeFault(fault: { faultCode: number; faultString: string }): string
  }
  export = serializer
}
