// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import NIOCore
import NIOHTTP1

/// One request whose answer may be kept already, or is kept when it comes.
///
/// All of it happens on the client's event loop; it stands between the client and the request that is passed on, where one is.
final class CachedRequest: AnsweredRequest {
    private let key: CacheKey
    private let request: ProxyRequest
    private let egress: Egress
    private let cached: CachedHosts
    private let loop: any EventLoop
    private let client: any AnswerTaker

    private enum State {
        /// It is looked for.
        case looking
        /// The host is asked, and whether what is kept still holds, where something is.
        case asking(PassedRequest, kept: CacheReader?)
        case giving(KeptAnswer)
        case over
    }

    private var state = State.looking
    private var recording: CacheRecording?
    private var hasWholeBody = false
    /// The host has said that what is kept still holds.
    private var isUnchanged = false

    init(
        _ key: CacheKey,
        of cached: CachedHosts,
        _ request: ProxyRequest,
        _ egress: Egress,
        for client: any AnswerTaker,
        on loop: any EventLoop
    ) {
        self.key = key
        self.cached = cached
        self.request = request
        self.egress = egress
        self.client = client
        self.loop = loop
    }

    /// Looks for the answer; the client gets it, that of the host, or a refusal.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.makeFutureWithTask { [cache = cached.cache, key] in
            await Blocking.run {
                let reader = cache.open(key)
                reader?.markUsed()
                return reader
            }
        }.whenSuccess { bound.value.found($0) }
    }

    private func found(_ kept: CacheReader?) {
        guard case .looking = state else { return }
        if let kept, kept.isFresh(at: Self.now()) {
            give(kept)
        } else {
            ask(kept)
        }
    }

    private func ask(_ kept: CacheReader?) {
        var request = request
        request.passed = key.request(request.passed)
        let conditions = kept.map { CacheValidators($0.head.headers).conditions } ?? []
        // What answers HEAD says nothing of what is kept for GET.
        let kept = request.asked.method == .GET && !conditions.isEmpty ? kept : nil
        if kept != nil { request.passed.headers.add(contentsOf: conditions) }
        let asked = PassedRequest(request, egress)
        state = .asking(asked, kept: kept)
        asked.start(for: self, on: loop)
        if hasWholeBody { asked.endBody() }
    }

    private func give(_ kept: CacheReader) {
        if egress.allowance.isSpent { return refuse(egress.allowance.spent.refusal(of: request.target)) }
        let answer = KeptAnswer(
            kept,
            to: request.asked,
            cached.cache,
            egress.allowance,
            for: client,
            on: loop
        )
        state = .giving(answer)
        client.resumeRequest()
        let begun = NIODeadline.now()
        answer.start(at: Self.now()) { [self] end, bytes in
            state = .over
            var use = NetworkUse(request.target, request.rule)
            use.verdict = .allowed(rule: "\(request.rule), from the cache")
            use.received = ByteCount(bytes)
            use.duration = .nanoseconds((NIODeadline.now() - begun).nanoseconds)
            egress.ledger.add(use)
            if end == .spent { egress.ledger.add(egress.allowance.spent.refusal(of: request.target)) }
            guard end == .whole else { return client.cutOff() }
            client.end(keepAlive: hasWholeBody && RequestRules.keepsAlive(request.asked, answer.head))
        }
    }

    /// Seconds since 1970.
    private static func now() -> Int64 { Timestamp.now().milliseconds / 1_000 }

    // MARK: From the client

    var takesMore: Bool {
        switch state {
        case .asking(let request, _): request.takesMore
        case .looking: false
        case .giving, .over: true
        }
    }

    /// There is no body; see `CacheKey`.
    func send(_ bytes: ByteBuffer) {
        if case .asking(let request, _) = state { request.send(bytes) }
    }

    func endBody() {
        hasWholeBody = true
        if case .asking(let request, _) = state { request.endBody() }
    }

    func resume() {
        switch state {
        case .asking(let request, _): request.resume()
        case .giving(let answer): answer.resume()
        case .looking, .over: break
        }
    }

    func abandon() {
        switch state {
        case .asking(let request, _): request.abandon()
        case .giving(let answer): answer.abandon()
        case .looking, .over: break
        }
        recording?.abandon()
        recording = nil
        state = .over
    }
}

// MARK: From the host

extension CachedRequest: AnswerTaker {
    var isWritable: Bool { client.isWritable && recording?.takesMore ?? true }

    func begin(_ head: HTTPResponseHead, from original: HTTPResponseHead) {
        if case .asking(_, let kept?) = state, original.status == .notModified {
            // The client is told nothing of it: it gets what is kept.
            isUnchanged = true
            let age = Freshness.age(of: original.headers)
            return Blocking.start { kept.markValid(at: Self.now(), age: age) }
        }
        var head = head
        // Parts of an answer are nothing that is kept.
        head.headers.remove(name: "Accept-Ranges")
        client.begin(head, from: original)
        if request.asked.method == .GET { record(head, original) }
    }

    private func record(_ head: HTTPResponseHead, _ original: HTTPResponseHead) {
        // What ends with its connection may be the half of it.
        let hasEnd =
            original.headers.contains(name: "Content-Length")
            || original.headers.contains(name: "Transfer-Encoding")
        guard hasEnd, let freshness = Freshness(of: original, unsaid: cached.lifetime),
            let kept = CachedHead(key, freshness, head)
        else {
            return
        }
        recording = CacheRecording(kept, age: freshness.age, in: cached.cache, on: loop) { [weak self] in
            self?.resume()
        }
    }

    func add(_ bytes: ByteBuffer) {
        recording?.add(bytes)
        if !isUnchanged { client.add(bytes) }
    }

    func flush() { client.flush() }

    func end(keepAlive: Bool) {
        if isUnchanged, case .asking(_, let kept?) = state { return give(kept) }
        recording?.finish()
        recording = nil
        state = .over
        client.end(keepAlive: keepAlive)
    }

    func refuse(_ refusal: Refusal) {
        state = .over
        client.refuse(refusal)
    }

    func cutOff() {
        recording?.abandon()
        recording = nil
        state = .over
        client.cutOff()
    }

    func resumeRequest() { client.resumeRequest() }
}
