// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// What a connection is registered for, and in which profile.
enum Seat {
    /// Profile 0: it is told what all in the room are told.
    case room(SessionHub.Feed)
    /// Profile 1: it is told from its own place on.
    case stream(StreamViewer)

    var session: SessionID {
        switch self {
        case .room(let feed): feed.room.session
        case .stream(let viewer): viewer.session
        }
    }

    /// The build that a command means which names none.
    var showing: BuildID? {
        switch self {
        case .room(let feed): feed.room.showing
        case .stream(let viewer): viewer.newest
        }
    }

    /// The connection's socket takes more.
    func becameWritable() {
        switch self {
        case .room(let feed): feed.writable.raise()
        case .stream(let viewer): viewer.becameWritable()
        }
    }
}
