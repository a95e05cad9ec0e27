// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a client of wire profile 1 asks for with its registration.
package struct StreamWish: Hashable, Sendable {
    /// The last record of a build that a client has.
    package struct Position: Hashable, Sendable {
        /// The attempt that `seq` counts in; nil = the first one, which only 0 makes sense of.
        package var epoch: AttemptID?
        /// 0 = none of its records.
        package var seq: UInt64

        package init(epoch: AttemptID?, seq: UInt64) {
            self.epoch = epoch
            self.seq = seq
        }
    }

    /// Builds to go on with.
    package var positions: [BuildID: Position]
    /// The newest build of the session that the client was told of; nil = it was told of none.
    package var since: BuildID?
    /// Whether builds of the session that are not among them are told from their first record on, not from now.
    package var wantsAll: Bool

    package init(positions: [BuildID: Position] = [:], since: BuildID? = nil, wantsAll: Bool = false) {
        self.positions = positions
        self.since = since
        self.wantsAll = wantsAll
    }
}

extension StreamWish {
    /// Most builds that one registration may name.
    package static let mostBuilds = 100
    /// Features whose naming asks for profile 1.
    private static let features: Set<String> = ["events", "resume"]

    /// Reads a registration's `data`; nil = none of the features of profile 1 is asked for.
    static func read(_ data: JSON?) throws(ClientMessageError) -> StreamWish? {
        guard case .array(let named)? = data?["features"],
            named.contains(where: { $0.string.map(features.contains) ?? false })
        else { return nil }
        var wish = StreamWish()
        switch data?["from"] {
        case nil, .null?: break
        case .string("now")?: break
        case .string("start")?: wish.wantsAll = true
        default: throw .badPosition
        }
        switch data?["since"] {
        case nil, .null?: break
        case .string(let build)? where build.utf8.count <= 64: wish.since = BuildID(rawValue: build)
        default: throw .badBuild
        }
        switch data?["builds"] {
        case nil, .null?: break
        case .object(let builds)?:
            guard builds.count <= mostBuilds else { throw .badPosition }
            for (build, position) in builds {
                guard build.utf8.count <= 64 else { throw .badBuild }
                wish.positions[BuildID(rawValue: build)] = try self.position(position)
            }
        default: throw .badPosition
        }
        return wish
    }

    private static func position(_ value: JSON) throws(ClientMessageError) -> Position {
        guard value.object != nil, let number = value["seq"]?.integer, number >= 0 else {
            throw .badPosition
        }
        switch value["epoch"] {
        case nil, .null?:
            guard number == 0 else { throw .badPosition }
            return Position(epoch: nil, seq: 0)
        case .string(let epoch)? where (1...64).contains(epoch.utf8.count):
            return Position(epoch: AttemptID(rawValue: epoch), seq: UInt64(number))
        default: throw .badPosition
        }
    }
}
