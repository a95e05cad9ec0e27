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
    /// What the host has said of what is kept, where it was asked about that.
    private var validation: Validation?

    private enum Validation {
        /// It still holds, and was said so many seconds ago.
        case holds(age: Int64)
        /// It still holds, and not for as long as it said before, or not for everybody.
        case holdsOnce
        /// It is of something else.
        case isOther
    }

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
            give(kept, age: kept.age(at: Self.now()))
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

    private func give(_ kept: CacheReader, age: Int64) {
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
        answer.start(age: age) { [self] end, bytes in
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
            // The client is told nothing of it: it gets what is kept, or what the host says when it is asked anew.
            return validate(kept, by: original)
        }
        var head = head
        // Parts of an answer are nothing that is kept.
        head.headers.remove(name: "Accept-Ranges")
        client.begin(head, from: original)
        if request.asked.method == .GET { record(head, original) }
    }

    /// Source: RFC 9111 section 4.3.4.
    private func validate(_ kept: CacheReader, by original: HTTPResponseHead) {
        let cache = cached.cache
        guard CacheValidators(kept.head.headers).agree(with: original.headers) else {
            validation = .isOther
            return
        }
        let status = HTTPResponseStatus(statusCode: kept.head.status)
        var answer = HTTPResponseHead(version: .http1_1, status: status, headers: kept.head.headers)
        for (name, _) in original.headers where name.lowercased() != "content-length" {
            answer.headers.replaceOrAdd(name: name, value: original.headers[name].joined(separator: ", "))
        }
        let now = Self.now()
        let freshness = Freshness(of: answer, at: now, unsaid: cached.lifetime)
        if let freshness, freshness.lifetime >= kept.head.lifetime {
            validation = .holds(age: freshness.age)
            Blocking.start { kept.markValid(at: now, age: freshness.age) }
        } else {
            validation = .holdsOnce
            Blocking.start { [key] in cache.remove(key) }
        }
    }

    private func record(_ head: HTTPResponseHead, _ original: HTTPResponseHead) {
        // What ends with its connection may be the half of it.
        let hasEnd =
            original.headers.contains(name: "Content-Length")
            || original.headers.contains(name: "Transfer-Encoding")
        let length = original.headers.first(name: "Content-Length").flatMap { Int64($0) } ?? 0
        let freshness = Freshness(of: original, at: Self.now(), unsaid: cached.lifetime)
        guard hasEnd, let freshness, cached.cache.takes(length),
            let kept = CachedHead(key, freshness, head)
        else {
            return
        }
        recording = CacheRecording(kept, age: freshness.age, in: cached.cache, on: loop) { [weak self] in
            self?.resume()
        }
    }

    func add(_ bytes: ByteBuffer) {
        // What comes with an answer that has no body is nobody's.
        if validation != nil { return }
        recording?.add(bytes)
        client.add(bytes)
    }

    func flush() { client.flush() }

    func end(keepAlive: Bool) {
        if case .asking(_, let kept?) = state {
            switch validation.take() {
            case .holds(let age): return give(kept, age: age)
            case .holdsOnce: return give(kept, age: 0)
            case .isOther: return ask(nil)
            case nil: break
            }
        }
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
