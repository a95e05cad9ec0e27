// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
package import SystemPackage

/// A pipe that bytes go through from one socket to another without being copied.
///
/// It holds pages of the kernel's, not bytes: as many pieces as it has slots, each of a size that the sender's kernel chose.
package struct SplicePipe: ~Copyable, Sendable {
    private let pipe: Pipe
    /// Bytes that are in it.
    package private(set) var count = 0

    /// Makes a pipe of `size` bytes where the kernel allows it, and of its own size where not.
    package init(size: Int32) throws(Errno) {
        pipe = try Pipe()
        // Users have a limit of their own, which only makes it slower: man 7 pipe, pipe-user-pages-soft.
        _ = pipe.write.withDescriptor { cos_pipe_resize($0.rawValue, size) }
    }

    /// Takes in what lies in a socket with `O_NONBLOCK`, up to `most` bytes or what there is room for; 0 at its end.
    ///
    /// Throws `resourceTemporarilyUnavailable` where there is nothing, or no room: called when it is empty, it is the first.
    package mutating func fill(from socket: borrowing OwnedDescriptor, most: Int) throws(Errno) -> Int {
        let moved = try Self.move(socket, pipe.write, most)
        count += moved
        return moved
    }

    /// Hands on to a socket with `O_NONBLOCK` what that takes of what is in it.
    ///
    /// A socket that is shut raises SIGPIPE: splice has no `MSG_NOSIGNAL`.
    package mutating func drain(to socket: borrowing OwnedDescriptor) throws(Errno) -> Int {
        let moved = try Self.move(pipe.read, socket, count)
        count -= moved
        return moved
    }

    private static func move(
        _ from: borrowing OwnedDescriptor,
        _ to: borrowing OwnedDescriptor,
        _ most: Int
    ) throws(Errno) -> Int {
        let (from, to) = (from.withDescriptor { $0.rawValue }, to.withDescriptor { $0.rawValue })
        while true {
            let moved = cos_splice(from, to, most)
            if moved >= 0 { return moved }
            let problem = Errno(rawValue: CInt(-moved))
            if problem != .interrupted { throw problem }
        }
    }
}
