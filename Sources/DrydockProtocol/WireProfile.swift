// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A wire profile: what its viewers are told of one build, as a pure fold over the build's journal.
///
/// The caller feeds the journal's lines in order and calls `flush` at the end of each batch. Every function
/// returns the messages that are due now, to be sent to all viewers in that order.
package protocol WireProfile: Sendable {
    associatedtype Message: WireMessage

    /// A build that nobody was told of yet.
    init(build: BuildID, project: ProjectName, title: String)

    /// Whether nothing from before could make `current` say more.
    var hasWholeWindow: Bool { get }
    /// Whether the terminal message was made; nothing follows it.
    var hasEnded: Bool { get }

    /// The build is there: the first time, what says so.
    mutating func begin() -> [Message]

    /// Takes one line of the journal, without its newline. Throws for what is no record.
    mutating func apply(_ line: [UInt8]) throws(JournalCodecError) -> [Message]

    /// Takes an event that stands on no line.
    mutating func apply(_ event: Event) -> [Message]

    /// The build waits, so many others come first.
    mutating func wait(behind others: Int) -> [Message]

    /// What was not told yet, at the end of a batch.
    mutating func flush() -> [Message]

    /// Ends the build, unless it has ended.
    mutating func end(_ outcome: Outcome, _ duration: Duration) -> [Message]

    /// Ends a build whose last attempt `errored` and that no other attempt follows.
    mutating func settle() -> [Message]

    /// What a connection that joins now is sent first.
    func current() -> [Message]
}

/// A message of a wire profile, without its envelope.
package protocol WireMessage: Sendable {
    /// Whether a connection that does not keep up may be skipped past it.
    var maySkip: Bool { get }

    /// UTF-8 JSON of the whole message.
    func encoded(in envelope: Envelope) -> [UInt8]
}
