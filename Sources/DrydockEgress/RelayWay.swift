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

    /// Bytes that came in.
    private(set) var count: Int64
    /// Bytes that the other end took.
    private(set) var handedOn: Int64 = 0
    /// Bytes that the other end has not taken yet.
    private var held: [UInt8]
    private var taken = 0
    private var hasEnded = false
    private var isOver = false

    /// `first` has come in already.
    init(first: [UInt8] = []) {
        held = first
        count = Int64(first.count)
    }

    /// Memory that waits for the other end.
    var heldCount: Int { held.count }

    /// Moves what can be moved; `buffer` is the thread's, and holds nothing of ours between two calls.
    mutating func advance(
        from: inout RelayEnd,
        to: inout RelayEnd,
        through buffer: UnsafeMutableRawBufferPointer
    ) -> Progress {
        var moved = 0
        while true {
            if !held.isEmpty {
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
            switch from.socket.receive(into: buffer) {
            case .waits: from.isReadable = false
            case .failed: return .failed
            case .moved(0): hasEnded = true
            case .moved(let size):
                moved += size
                count += Int64(size)
                guard send(UnsafeRawBufferPointer(rebasing: buffer[..<size]), to: &to) else { return .failed }
            }
        }
    }

    private mutating func sendHeld(to: inout RelayEnd) -> Bool {
        switch held.withUnsafeBytes({ to.socket.send(UnsafeRawBufferPointer(rebasing: $0[taken...])) }) {
        case .waits: to.isWritable = false
        case .failed: return false
        case .moved(let size):
            handedOn += Int64(size)
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
