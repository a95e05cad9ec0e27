// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOCore
import NIOHTTP1

/// A kept answer on its way to a client, at the client's pace.
///
/// All of it happens on the client's event loop; the disk is waited for elsewhere.
final class KeptAnswer {
    private let kept: CacheReader
    private let request: HTTPRequestHead
    private let cache: DownloadCache
    private let client: any AnswerTaker
    private let loop: any EventLoop
    /// What the client gets.
    private(set) var head = HTTPResponseHead(version: .http1_1, status: .ok)
    private var count: Int64 = 0
    /// Hears once how many bytes of the body were given, and whether that is all of it.
    private var ended: ((_ bytes: Int64, _ isWhole: Bool) -> Void)?
    private var isReading = false

    init(
        _ kept: CacheReader,
        to request: HTTPRequestHead,
        _ cache: DownloadCache,
        for client: any AnswerTaker,
        on loop: any EventLoop
    ) {
        self.kept = kept
        self.request = request
        self.cache = cache
        self.client = client
        self.loop = loop
    }

    /// Begins; `now` in seconds since 1970.
    func start(at now: Int64, ended: @escaping (_ bytes: Int64, _ isWhole: Bool) -> Void) {
        self.ended = ended
        var original = kept.head.answer(length: kept.length, age: kept.age(at: now))
        let isKnown = request.method == .GET && CacheValidators(original.headers).match(request)
        if isKnown {
            original.status = .notModified
            original.headers.remove(name: "Content-Length")
        }
        head = RequestRules.passedBack(original, to: request)
        client.begin(head, from: original)
        if isKnown || request.method == .HEAD {
            end(isWhole: true)
        } else {
            resume()
        }
    }

    /// The client takes more.
    func resume() {
        guard ended != nil, !isReading, client.isWritable else { return }
        isReading = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.makeFutureWithTask { [kept] in
            await Blocking.run { try? kept.next() }
        }.whenSuccess { bound.value.read($0) }
    }

    private func read(_ part: [UInt8]?) {
        isReading = false
        guard ended != nil else { return }
        guard let part else {
            // What was given is not all of it, and the host is asked next time.
            Blocking.start { [cache, key = kept.head.key] in cache.remove(key) }
            return end(isWhole: false)
        }
        guard !part.isEmpty else { return end(isWhole: true) }
        count += Int64(part.count)
        client.add(ByteBuffer(bytes: part))
        client.flush()
        resume()
    }

    /// The client is gone.
    func abandon() { end(isWhole: false) }

    private func end(isWhole: Bool) {
        let ended = ended.take()
        ended?(count, isWhole)
    }
}
