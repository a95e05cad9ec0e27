// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage
import Testing

@testable import DrydockEgress

/// One end of a TCP connection over the loopback; none of its calls waits.
final class TestSocket: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { Glibc.close(descriptor) }

    /// Two ends, the second as the relay has it; ours takes in no more than `room` bytes, and the other keeps as many.
    static func pair(room: Int32? = nil) throws -> (TestSocket, SeatedSocket) {
        let (listener, port) = try ProxyFixture.listener()
        defer { Glibc.close(listener) }
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if let room {
            set(made, SO_RCVBUF, room)
            set(listener, SO_SNDBUF, room)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(made, $0, size) }
        }
        try #require(result == 0)
        let accepted = accept(listener, nil, nil)
        try #require(accepted >= 0)
        let end = OwnedDescriptor(taking: SystemPackage.FileDescriptor(rawValue: accepted))
        return (TestSocket(made), SeatedSocket(end) {})
    }

    private static func set(_ socket: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// How much of it was taken.
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        guard !bytes.isEmpty else { return 0 }
        return max(
            bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) },
            0
        )
    }

    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Breaks the connection.
    func reset() {
        // Connecting to nobody: man 2 connect, AF_UNSPEC.
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        connect(descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    }
}
