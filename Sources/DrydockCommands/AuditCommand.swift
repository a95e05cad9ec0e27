// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockStore
internal import FoundationEssentials

/// The command `drydock audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Lists who changed what through the API, the newest last.",
        discussion: """
            EXAMPLES
              drydock audit
              drydock audit --limit 1000 --json | jq -c '.[] | select(.code)'
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: "At most so many, the newest.") var limit = 100
    @Flag(help: "One JSON array instead of a table.") var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1") }
    }

    func run() async throws {
        let records = try await place.existingStore()?.audit(limit: limit) ?? []
        if json { return try Console.json(records.reversed() as [AuditRecord]) }
        for record in records.reversed() { Console.wrapped(TerminalText.plain(record.words), indent: 4) }
        if records.isEmpty { Console.out("nothing was changed yet") }
    }
}

extension AuditRecord {
    /// One line of the list.
    fileprivate var words: String {
        let actor = who.map { "\($0) from \(address)" } ?? address
        let object = [subject, made.map { "made \($0)" }].compactMap(\.self).joined(separator: ", ")
        let end = code.map { "\(status) \($0)" } ?? "\(status)"
        return
            "\(at.text)  \(actor.padded(to: 28))  \(action.padded(to: 12))  \(object.padded(to: 18))  \(end)"
    }
}

extension Timestamp {
    /// For people: `2026-11-26T05:50:14Z`.
    var text: String {
        Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(.iso8601)
    }
}
