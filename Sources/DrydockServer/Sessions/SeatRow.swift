// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// The connections of one session that live on one event loop.
///
/// Each has a lane, and all lanes lie side by side: a line that goes to a thousand viewers whose sockets take it looks at
/// nothing else of them, where a dozen objects of each would come from memory one after the other.
///
/// Must only be touched on its event loop.
final class SeatRow {
    /// What a message to all needs to know of a connection.
    private struct Lane {
        /// Takes bytes at once; nil: the connection itself has to be asked what becomes of them.
        var socket: BareSocket?
        let readsDeflated: Bool
    }

    /// A connection's place in a row, by which it tells what becomes of its socket.
    struct Place {
        fileprivate let row: SeatRow
        fileprivate let index: Int

        /// Says which socket takes bytes at once from now on.
        func open(_ socket: BareSocket?) { row.lanes[index].socket = socket }
    }

    private var members: [WebSocketHandler] = []
    private var lanes: [Lane] = []

    func add(_ member: WebSocketHandler) {
        members.append(member)
        lanes.append(Lane(socket: nil, readsDeflated: member.readsDeflated))
        member.place = Place(row: self, index: lanes.endIndex - 1)
    }

    func remove(_ member: WebSocketHandler) {
        guard let place = member.place, place.row === self else { return }
        member.place = nil
        // Nobody's turn is better than another's.
        members.swapAt(place.index, members.endIndex - 1)
        lanes.swapAt(place.index, lanes.endIndex - 1)
        members.removeLast()
        lanes.removeLast()
        if place.index < members.endIndex { members[place.index].place = place }
    }

    /// Sends to all; whether one of them still takes more, and how many bytes their sockets were handed.
    func send(_ batch: FrameBatch) -> (isTaking: Bool, bytes: Int) {
        guard !members.isEmpty else { return (false, 0) }
        let own = batch.copied()
        let (plain, deflated) = (own.form(readsDeflated: false), own.form(readsDeflated: true))
        var (isTaking, bytes) = (false, 0)
        for index in lanes.indices {
            let lane = lanes[index]
            let form = lane.readsDeflated ? deflated : plain
            let sent = lane.socket?.send(form.all) ?? 0
            if sent == form.all.readableBytes {
                bytes += sent
                isTaking = true
            } else {
                let member = members[index]
                bytes += member.send(form, after: sent, skippable: batch.skippableCount)
                isTaking = isTaking || member.isWritable
            }
        }
        return (isTaking, bytes)
    }
}

@available(*, unavailable)
extension SeatRow: Sendable {}

@available(*, unavailable)
extension SeatRow.Place: Sendable {}
