// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/**
 * Follows the builds of a session over wire profile 1, through lost connections and restarts of the server.
 *
 *     import { DrydockStream } from "./drydock-stream.js"
 *     const stream = new DrydockStream("wss://builds.example.com/ws", "s1")
 *     stream.addEventListener("record", ({ detail }) => { if (detail.kind === "log") append(detail.text) })
 *     stream.addEventListener("build_completed", ({ detail }) => show(detail.message))
 *     stream.open()
 *
 * Events: every message by its type (`detail` is its `data`), `record` for each record of a `build_event`, `connection` with
 * `{ open }`, and `refused` when coming back would not help. The protocol is in docs/wire.md.
 *
 * Runs in pages, and in Node (from 22 on by itself, else with the `WebSocket` of the package `ws` given in the options).
 */
export class DrydockStream extends EventTarget {
  #url; #session; #token; #start; #longestWait; #WebSocket
  #socket = null
  #timer = null
  #failures = 0
  #isOpen = false

  /** The last record that was seen of each build that has not ended: keep it, and `since`, to go on where another page stopped. */
  positions
  /** The newest build that was told of. */
  since

  constructor(url, session, { token, start = "now", positions = {}, since = null, longestWait = 30_000, WebSocket = globalThis.WebSocket } = {}) {
    super()
    this.#url = url
    this.#session = session
    this.#token = token
    this.#start = start
    this.#longestWait = longestWait
    this.#WebSocket = WebSocket
    this.positions = { ...positions }
    this.since = since
  }

  /** Begins, or goes on after `close`. */
  open() {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#connect()
  }

  /** Ends; positions stay. */
  close() {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#socket?.close()
  }

  /** Cuts the connection; the stream goes on over another one. */
  abort() { this.#socket?.close() }

  /** Asks for the end of a build of the session. */
  cancel(build) { this.#say({ type: "CANCEL", build_id: build }) }

  #connect() {
    const socket = new this.#WebSocket(this.#url, this.#token ? ["drydock", "bearer." + this.#token] : [])
    this.#socket = socket
    socket.onopen = () => {
      const data = { features: ["events", "resume"], from: this.#start, builds: this.positions, since: this.since }
      this.#say({ type: "INIT", session_id: this.#session, data })
      this.#tell("connection", { open: true })
    }
    socket.onmessage = ({ data }) => {
      this.#failures = 0
      this.#take(JSON.parse(data))
    }
    // The close that follows says all there is to say.
    socket.onerror = () => {}
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return
      this.#tell("connection", { open: false, code, reason })
      if (this.#isOpen) this.#comeBack(code, reason)
    }
  }

  #comeBack(code, reason) {
    if (code === 1008 || (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000)) {
      this.#isOpen = false
      return this.#tell("refused", { code, reason })
    }
    this.#failures += 1
    const asked = /retry_ms=(\d+)/.exec(reason)
    // Between half and all of it, so that a thousand clients do not come back at one moment.
    const longest = Math.min(this.#longestWait, 250 * 2 ** Math.min(this.#failures, 10))
    this.#timer = setTimeout(() => this.#connect(), asked ? Number(asked[1]) : longest * (0.5 + Math.random() / 2))
  }

  #take({ type, data }) {
    this.#tell(type, data)
    if (type === "build_event") for (const record of data.records) this.#tell("record", record)
    // Behind the listeners: a position says that what is before it was taken.
    if ((type === "build_event" || type === "build_snapshot") && data.attempt) {
      this.positions[data.build_id] = { epoch: data.attempt, seq: data.seq }
    } else if (type === "BUILD_STARTED") {
      this.positions[data.build_id] ??= { seq: 0 }
      if (!this.since || data.build_id > this.since) this.since = data.build_id
    } else if (type === "build_completed" || type === "build_error" || (type === "error" && data.code === "build_unknown")) {
      delete this.positions[data.build_id]
    }
  }

  #say(message) { if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message)) }

  #tell(type, detail) { this.dispatchEvent(Object.assign(new Event(type), { detail })) }
}
