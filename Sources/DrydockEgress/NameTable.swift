// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// Loopback addresses that stand for names inside one sandbox: what connects to one of them means its name.
///
/// The addresses are 127.64.0.1 and those that follow; inside, all of 127.0.0.0/8 leads to the sandbox itself.
final class NameTable: Sendable {
    /// The most names of a sandbox.
    static let most = 4_096
    private static let first: UInt32 = 0x7F40_0001

    private struct State {
        var numbers: [HostName: Int] = [:]
        var names: [HostName] = []
    }

    private let state = Mutex(State())

    /// The address that stands for `name`, the same each time; nil where there are too many.
    func address(of name: HostName) -> UInt32? {
        state.withLock { state in
            if let number = state.numbers[name] { return Self.first + UInt32(number) }
            guard state.names.count < Self.most else { return nil }
            state.names.append(name)
            state.numbers[name] = state.names.count - 1
            return Self.first + UInt32(state.names.count - 1)
        }
    }

    /// The name that `address` stands for; nil where it is none of them.
    func name(of address: UInt32) -> HostName? {
        state.withLock { state in
            guard address >= Self.first, address - Self.first < UInt32(state.names.count) else { return nil }
            return state.names[Int(address - Self.first)]
        }
    }
}
