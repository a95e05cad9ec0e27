// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
import Synchronization

/// Finds the addresses of a host.
package protocol HostResolver: Sendable {
    /// All of them, in the order in which they should be tried; none where the name leads nowhere.
    func addresses(of host: HostName) async -> [IPAddress]
}

/// The machine's own resolver (man 3 getaddrinfo).
package struct SystemResolver: HostResolver {
    package init() {}

    package func addresses(of host: HostName) async -> [IPAddress] {
        await Blocking.run { Self.lookUp(host.text) }
    }

    private static func lookUp(_ name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = IPAddress(entry), !found.contains(address) { found.append(address) }
            next = entry.ai_next
        }
        return found
    }
}

extension IPAddress {
    fileprivate init?(_ entry: addrinfo) {
        guard let address = entry.ai_addr else { return nil }
        let raw = UnsafeRawPointer(address)
        switch entry.ai_family {
        case AF_INET:
            let v4 = raw.loadUnaligned(as: sockaddr_in.self)
            self.init(bytes: withUnsafeBytes(of: v4.sin_addr) { Array($0) })
        case AF_INET6:
            let v6 = raw.loadUnaligned(as: sockaddr_in6.self)
            self.init(bytes: withUnsafeBytes(of: v6.sin6_addr) { Array($0) })
        default: return nil
        }
    }
}

/// Asks a resolver once for a name that many connections want at the same time, and for some seconds after that.
///
/// What a build may ask for is bounded: each question is a packet that leaves the machine.
actor LookupCache {
    /// Names that are asked for at one time.
    static let mostAtOnce = 8
    /// Names that are kept.
    private static let most = 1_024
    private static let age = Duration.seconds(30)

    private struct Answer {
        var task: Task<[IPAddress], Never>
        var asked: ContinuousClock.Instant
        var isOpen = true
    }

    private let resolver: any HostResolver
    private var answers: [HostName: Answer] = [:]
    private var open = 0

    init(_ resolver: any HostResolver) { self.resolver = resolver }

    /// The addresses of `host`; nil where too many names are being asked for.
    func addresses(of host: HostName) async -> [IPAddress]? {
        let now = ContinuousClock.now
        if let known = answers[host], known.isOpen || now - known.asked < Self.age {
            return await known.task.value
        }
        guard open < Self.mostAtOnce else { return nil }
        if answers.count >= Self.most { answers = answers.filter(\.value.isOpen) }
        open += 1
        // UNSTRUCTURED: many connections wait for the one question; it ends with its answer, and holds nothing else.
        let task = Task { [resolver] in await resolver.addresses(of: host) }
        answers[host] = Answer(task: task, asked: now)
        let found = await task.value
        open -= 1
        answers[host]?.isOpen = false
        // One that leads nowhere may do so in a moment.
        if found.isEmpty { answers[host] = nil }
        return found
    }
}
