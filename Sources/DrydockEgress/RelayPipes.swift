// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage

/// A pipe on loan: closed when its holder goes, unless it is given back empty.
final class RelayPipe {
    fileprivate var pipe: SplicePipe
    private let all: PipeCount
    private var holder: RelayPipes.Holder?

    fileprivate init(_ all: PipeCount) throws(Errno) {
        pipe = try SplicePipe(size: RelayPipes.size)
        self.all = all
        all.value += 1
    }

    deinit {
        release()
        all.value -= 1
    }

    fileprivate func lend(to holder: RelayPipes.Holder) {
        self.holder = holder
        all.held[holder, default: 0] += 1
    }

    fileprivate func release() {
        guard let holder, let count = all.held[holder] else { return }
        self.holder = nil
        all.held[holder] = count > 1 ? count - 1 : nil
    }

    /// Bytes that are in it.
    var count: Int { pipe.count }

    /// Takes bytes in while it is empty; none were moved at their end.
    func fill(from socket: SeatedSocket) -> SeatedSocket.Outcome {
        outcome { () throws(Errno) in
            try pipe.fill(from: socket.descriptor, most: Int(RelayPipes.size))
        }
    }

    func drain(to socket: SeatedSocket) -> SeatedSocket.Outcome {
        outcome { () throws(Errno) in try pipe.drain(to: socket.descriptor) }
    }

    private func outcome(_ call: () throws(Errno) -> Int) -> SeatedSocket.Outcome {
        do {
            return .moved(try call())
        } catch {
            return error == .resourceTemporarilyUnavailable ? .waits : .failed
        }
    }
}

/// How many there are, as each of them knows.
final class PipeCount {
    var value = 0
    /// How many each holder has, of those that have one.
    var held: [RelayPipes.Holder: Int] = [:]
}

/// The few pipes of the relay: much goes through one of them without being copied.
///
/// A way has one while it has its turn, and longer only with bytes in it. Who gets none copies. So readers that stop can
/// hold many of them, and make others slower, but take no more than so many descriptors and so much of the kernel's memory.
///
/// A sandbox may have as many as are left for the others: one alone half of them, and the next ones less, but something.
final class RelayPipes {
    /// A sandbox.
    typealias Holder = ObjectIdentifier

    /// Two descriptors each.
    static let most = 16
    /// Of these, what is kept while nobody has it.
    private static let mostIdle = 4
    static let size: Int32 = 256 << 10

    private let all = PipeCount()
    private var idle: [RelayPipe] = []
    private let limit: Int

    init(limit: Int = RelayPipes.most) { self.limit = limit }

    /// Those that are there, on loan or not.
    var count: Int { all.value }
    var idleCount: Int { idle.count }

    /// An empty pipe; nil where there is none to be had, or the holder has its share.
    func take(for holder: Holder) -> RelayPipe? {
        let free = limit - count + idle.count
        guard all.held[holder, default: 0] < free else { return nil }
        // Without descriptors it is copied.
        let pipe = idle.popLast() ?? (try? RelayPipe(all))
        pipe?.lend(to: holder)
        return pipe
    }

    /// Takes an empty pipe back.
    func giveBack(_ pipe: RelayPipe) {
        pipe.release()
        if idle.count < Self.mostIdle { idle.append(pipe) }
    }
}
