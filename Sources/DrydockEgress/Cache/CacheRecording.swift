// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOCore

/// Writes an answer down while it passes, at the pace of the disk.
///
/// All of it happens on one event loop; the disk is waited for elsewhere. What goes wrong there is nothing to the client: the
/// answer is not kept.
final class CacheRecording {
    /// Bytes that are written at once, where there is more to come.
    private static let block = 65_536
    /// Bytes that wait for the disk before the host has to.
    private static let most = 262_144

    private enum End {
        case finish
        case abandon
    }

    private let cache: DownloadCache
    private let head: CachedHead
    private let age: Int64
    private let loop: any EventLoop
    /// Called when more is taken after a time when it was not.
    private let resume: () -> Void
    private var waiting = ByteBuffer()
    private var writer: CacheWriter?
    private var isWriting = false
    private var hasFailed = false
    private var isHeld = false
    private var end: End?

    init(
        _ head: CachedHead,
        age: Int64,
        in cache: DownloadCache,
        on loop: any EventLoop,
        resume: @escaping () -> Void
    ) {
        self.head = head
        self.age = age
        self.cache = cache
        self.loop = loop
        self.resume = resume
    }

    /// Whether more of the answer may come now; where not, `resume` is called later.
    var takesMore: Bool {
        if waiting.readableBytes < Self.most { return true }
        isHeld = true
        return false
    }

    func add(_ bytes: ByteBuffer) {
        guard !hasFailed else { return }
        waiting.writeImmutableBuffer(bytes)
        write()
    }

    /// The answer is whole.
    func finish() {
        end = .finish
        write()
    }

    /// There will be no whole answer.
    func abandon() {
        end = .abandon
        write()
    }

    private func write() {
        guard !isWriting, !hasFailed, end != nil || waiting.readableBytes >= Self.block else { return }
        let bytes = Array(buffer: waiting)
        let end = end
        waiting.clear()
        isWriting = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.makeFutureWithTask { [cache, head, age, writer] in
            await Blocking.run { () -> CacheWriter? in
                // Not sooner: on the event loop it would wait for the disk.
                guard end != .abandon, let writer = writer ?? cache.begin(head, age: age) else {
                    writer?.abandon()
                    return nil
                }
                do {
                    if !bytes.isEmpty { try writer.append(bytes) }
                    if end == .finish { try writer.finish() }
                    return writer
                } catch {
                    writer.abandon()
                    return nil
                }
            }
        }.whenSuccess { bound.value.written($0, wasEnd: end != nil) }
    }

    private func written(_ writer: CacheWriter?, wasEnd: Bool) {
        isWriting = false
        self.writer = wasEnd ? nil : writer
        if writer == nil {
            hasFailed = true
            waiting.clear()
        }
        if !wasEnd { write() }
        if isHeld, waiting.readableBytes < Self.most {
            isHeld = false
            resume()
        }
    }
}
