// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// One end of an open tunnel, and what it is known to be ready for.
struct RelayEnd {
    let socket: SeatedSocket
    var isReadable = true
    var isWritable = true
}

/// One way through an open tunnel: what one end sends the other gets, no faster than that takes it, and then the end.
struct RelayWay {
    /// How far it came.
    enum Progress {
        /// It goes on when a socket is ready.
        case waits
        /// There is more, but it is the others' turn.
        case hasMore
        case over
        /// One of the two is gone.
        case failed
    }

    /// Bytes that one way may move before it is the others' turn.
    private static let turn = 1 << 20
    /// Who sends so much at once is likely to send more, and is not copied.
    private static let much = 64 << 10
    /// Who sends less at once is copied: each piece in a pipe, be it a byte, can hold a whole page of the kernel's.
    private static let little = 16 << 10

    /// Bytes that came in.
    private(set) var count: Int64
    /// Bytes that the other end took.
    private(set) var handedOn: Int64 = 0
    /// Bytes that the other end has not taken yet, as memory or in a pipe.
    private var held: [UInt8]
    private var taken = 0
    private var pipe: RelayPipe?
    private var sendsMuch = false
    private var hasEnded = false
    private var isOver = false
    /// Whether more came in than its sandbox may move.
    private(set) var isCutOff = false
    private let allowance: NetworkAllowance

    /// `first` has come in already, and so much of it has been handed on.
    init(first: [UInt8] = [], handedOn: Int = 0, _ allowance: NetworkAllowance = NetworkAllowance()) {
        self.allowance = allowance
        held = handedOn < first.count ? first : []
        taken = handedOn < first.count ? handedOn : 0
        count = Int64(first.count)
        self.handedOn = Int64(handedOn)
    }

    /// Memory that waits for the other end.
    var heldCount: Int { held.count }

    /// Moves what can be moved; `buffer` and `pipes` are the thread's.
    ///
    /// Between two calls the buffer holds nothing of ours, and a pipe is ours only with bytes in it.
    mutating func advance(
        from: inout RelayEnd,
        to: inout RelayEnd,
        through buffer: UnsafeMutableRawBufferPointer,
        _ pipes: RelayPipes
    ) -> Progress {
        defer {
            if let pipe, pipe.count == 0 {
                pipes.giveBack(pipe)
                self.pipe = nil
            }
        }
        var moved = 0
        while true {
            if isHolding {
                guard to.isWritable else { return .waits }
                guard sendHeld(to: &to) else { return .failed }
                continue
            }
            if hasEnded {
                if !isOver { to.socket.endOutput() }
                isOver = true
                return .over
            }
            guard from.isReadable else { return .waits }
            if moved >= Self.turn { return .hasMore }
            let before = count
            guard take(from: &from, to: &to, through: buffer, pipes) else { return .failed }
            moved += Int(count - before)
        }
    }

    private var isHolding: Bool { !held.isEmpty || (pipe?.count ?? 0) > 0 }

    /// Takes in what lies there, by a pipe where it is much and there is one.
    private mutating func take(
        from: inout RelayEnd,
        to: inout RelayEnd,
        through buffer: UnsafeMutableRawBufferPointer,
        _ pipes: RelayPipes
    ) -> Bool {
        if sendsMuch, pipe == nil { pipe = pipes.take(for: ObjectIdentifier(allowance)) }
        let spliced = sendsMuch ? pipe : nil
        switch spliced?.fill(from: from.socket) ?? from.socket.receive(into: buffer) {
        case .waits: from.isReadable = false
        case .failed: return false
        case .moved(0): hasEnded = true
        case .moved(let size):
            guard allowance.take(size) else {
                isCutOff = true
                return false
            }
            count += Int64(size)
            sendsMuch = size >= (spliced == nil ? Self.much : Self.little)
            if spliced == nil { return send(UnsafeRawBufferPointer(rebasing: buffer[..<size]), to: &to) }
        }
        return true
    }

    private mutating func sendHeld(to: inout RelayEnd) -> Bool {
        let outcome =
            held.isEmpty
            ? pipe?.drain(to: to.socket) ?? .failed
            : held.withUnsafeBytes { to.socket.send(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
        switch outcome {
        case .waits: to.isWritable = false
        case .failed: return false
        case .moved(let size):
            handedOn += Int64(size)
            guard !held.isEmpty else { break }
            taken += size
            guard taken == held.count else { break }
            held = []
            taken = 0
        }
        return true
    }

    /// Sends what the other end takes now, and keeps the rest.
    private mutating func send(_ bytes: UnsafeRawBufferPointer, to: inout RelayEnd) -> Bool {
        var sent = 0
        if to.isWritable {
            switch to.socket.send(bytes) {
            case .waits: to.isWritable = false
            case .failed: return false
            case .moved(let size):
                handedOn += Int64(size)
                sent = size
            }
        }
        if sent < bytes.count { held = Array(bytes[sent...]) }
        return true
    }
}
