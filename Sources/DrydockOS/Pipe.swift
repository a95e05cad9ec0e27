// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
internal import Glibc
import Glibc
package import SystemPackage

/// A pipe whose ends are owned, both close-on-exec.
package struct Pipe: ~Copyable, Sendable {
    package var read: OwnedDescriptor
    package var write: OwnedDescriptor

    /// Makes a pipe; `.tooManyOpenFiles` when there are no descriptors left.
    package init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        try Errno.check(cos_pipe(&ends))
        read = OwnedDescriptor(taking: FileDescriptor(rawValue: ends[0]))
        write = OwnedDescriptor(taking: FileDescriptor(rawValue: ends[1]))
    }

    /// Gives both ends away.
    package consuming func split<Result: ~Copyable, Problem: Error>(
        _ body: (consuming OwnedDescriptor, consuming OwnedDescriptor) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(read, write)
    }
}

/// Two connected local sockets of packets that keep their bounds, both close-on-exec.
package struct PacketPair: ~Copyable, Sendable {
    package var first: OwnedDescriptor
    package var second: OwnedDescriptor

    /// Makes the pair.
    package init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        try Errno.check(cos_packet_pair(&ends))
        first = OwnedDescriptor(taking: FileDescriptor(rawValue: ends[0]))
        second = OwnedDescriptor(taking: FileDescriptor(rawValue: ends[1]))
    }

    /// Gives the first away and closes the second.
    package consuming func keepingFirst() -> OwnedDescriptor { first }

    /// Gives both away.
    package consuming func split<Result: ~Copyable, Problem: Error>(
        _ body: (consuming OwnedDescriptor, consuming OwnedDescriptor) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(first, second)
    }
}

extension OwnedDescriptor {
    /// Takes the packet of so many descriptors that lies in a packet socket, close-on-exec; the caller closes them.
    ///
    /// Does not wait: throws `resourceTemporarilyUnavailable` where nothing lies there. Source: man 7 unix, SCM_RIGHTS.
    package static func receive(
        _ count: Int,
        from socket: borrowing OwnedDescriptor
    ) throws(Errno) -> [FileDescriptor] {
        var numbers = [Int32](repeating: -1, count: count)
        let result = socket.withDescriptor { cos_receive_descriptors($0.rawValue, &numbers, count) }
        try Errno.check(result)
        return numbers.map(FileDescriptor.init(rawValue:))
    }

    /// An anonymous file with these bytes that nobody can change any more, read from its start.
    ///
    /// Source: man 2 memfd_create, "File sealing".
    package static func sealedFile(named name: String, bytes: [UInt8]) throws(Errno) -> OwnedDescriptor {
        var file: Int32 = -1
        let result = bytes.withUnsafeBytes { buffer in
            withUnsafePointer(to: UInt8(0)) { empty in
                cos_sealed_file(name, buffer.baseAddress ?? UnsafeRawPointer(empty), buffer.count, &file)
            }
        }
        try Errno.check(result)
        return OwnedDescriptor(taking: FileDescriptor(rawValue: file))
    }

    /// `/dev/null`, for reading and writing.
    package static func null() throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(opening: "/dev/null", O_RDWR)
    }
}
