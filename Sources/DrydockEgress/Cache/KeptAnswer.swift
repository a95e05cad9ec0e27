// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOCore
import NIOHTTP1

/// A kept answer on its way to a client, at the client's pace.
///
/// All of it happens on the client's event loop; the disk is waited for elsewhere.
final class KeptAnswer {
    enum End {
        /// The client has all of it, or what it asked of it.
        case whole
        /// The client is gone, or the file is not what was written.
        case cut
        /// The sandbox may not move so much.
        case spent
    }

    private let kept: CacheReader
    private let request: HTTPRequestHead
    private let cache: DownloadCache
    private let allowance: NetworkAllowance
    private let client: any AnswerTaker
    private let loop: any EventLoop
    /// What the client gets.
    private(set) var head = HTTPResponseHead(version: .http1_1, status: .ok)
    private var count: Int64 = 0
    /// Hears once how many bytes of the body were given.
    private var ended: ((End, _ bytes: Int64) -> Void)?
    private var isReading = false

    init(
        _ kept: CacheReader,
        to request: HTTPRequestHead,
        _ cache: DownloadCache,
        _ allowance: NetworkAllowance,
        for client: any AnswerTaker,
        on loop: any EventLoop
    ) {
        self.kept = kept
        self.request = request
        self.cache = cache
        self.allowance = allowance
        self.client = client
        self.loop = loop
    }

    /// Begins; the host has said it, or that it still holds, `age` seconds ago.
    func start(age: Int64, ended: @escaping (End, _ bytes: Int64) -> Void) {
        self.ended = ended
        var original = kept.head.answer(length: kept.length, age: age)
        let isKnown =
            request.method == .GET && original.status == .ok
            && CacheValidators(original.headers).match(request)
        if isKnown {
            original.status = .notModified
            original.headers.remove(name: "Content-Length")
        }
        head = RequestRules.passedBack(original, to: request)
        client.begin(head, from: original)
        if isKnown || request.method == .HEAD {
            end(.whole)
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
            return end(.cut)
        }
        guard !part.isEmpty else { return end(.whole) }
        guard allowance.take(part.count) else { return end(.spent) }
        count += Int64(part.count)
        client.add(ByteBuffer(bytes: part))
        client.flush()
        resume()
    }

    /// The client is gone.
    func abandon() { end(.cut) }

    private func end(_ end: End) {
        let ended = ended.take()
        ended?(end, count)
    }
}
