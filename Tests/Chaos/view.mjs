// SPDX-License-Identifier: Apache-2.0
// view.mjs URL SESSION BUILD: follows a build to its end with the example client, cutting its own connection now and then, and
// prints what it saw, as `resume view` does.

import { createHash } from "node:crypto"
import { createRequire } from "node:module"
import { DrydockStream } from "../../examples/clients/drydock-stream.js"

const [url, session, build] = process.argv.slice(2)
// Node has a WebSocket of its own from 22 on; Debian's package node-ws is the one that pages' code is mostly run with before.
const WebSocket = globalThis.WebSocket ?? createRequire(import.meta.url)("/usr/share/nodejs/ws")
const stream = new DrydockStream(url, session, { start: "start", longestWait: 2_000, WebSocket })
const log = createHash("sha256")
const seen = { lines: 0, gaps: 0, cuts: 0, connections: 0 }
let nextCut = 300

stream.addEventListener("connection", ({ detail }) => { if (detail.open) seen.connections += 1 })
stream.addEventListener("gap", () => { seen.gaps += 1 })
stream.addEventListener("record", ({ detail }) => {
  if (detail.build !== build || detail.kind !== "log") return
  log.update(detail.text + "\n")
  seen.lines += 1
})
stream.addEventListener("build_event", () => {
  if (seen.lines < nextCut) return
  nextCut = seen.lines + 1_000
  seen.cuts += 1
  // Behind this message, the records of which are told after this event.
  setTimeout(() => stream.abort())
})
for (const end of ["build_completed", "build_error"]) {
  stream.addEventListener(end, ({ detail }) => {
    if (detail.build_id !== build) return
    stream.close()
    console.log(JSON.stringify({ log: log.digest("hex"), ...seen }))
  })
}
stream.addEventListener("refused", ({ detail }) => {
  console.error(detail)
  process.exit(1)
})
stream.open()
