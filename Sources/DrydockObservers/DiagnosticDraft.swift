// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// What the lines of one diagnostic have said so far.
struct DiagnosticDraft {
    var severity: Diagnostic.Severity
    let isConsequence: Bool
    /// It counts only with a place in the source.
    let needsPlace: Bool
    private var message: String?
    private var file: String?
    private var line: Int?
    private var column: Int?
    private var code: String?
    /// The file may be named by the end of its path.
    private var searches = false
    private let hint: String?

    /// Bytes of a message, and of a code.
    private static let longestMessage = 2_000
    private static let longestCode = 100

    init(_ rule: DiagnosticRule, needsPlace: Bool) {
        severity = rule.severity
        isConsequence = rule.isConsequence
        hint = rule.hint
        self.needsPlace = needsPlace
    }

    /// Takes in what a line's groups say; what was said before stands where it says nothing.
    mutating func take(_ rule: LineRule, _ match: LineMatch) {
        if let word = match.text(rule.severity), let said = Diagnostic.Severity(word: word) {
            severity = said
        }
        take(message: match.text(rule.message), joins: rule.joins)
        code = match.text(rule.code) ?? code
        guard let name = match.text(rule.file) ?? rule.constantFile else {
            line = match.place(rule.line) ?? line
            column = match.place(rule.column) ?? column
            return
        }
        (file, line, column) = (name, match.place(rule.line), match.place(rule.column))
        searches = rule.searches
    }

    private mutating func take(message text: String?, joins: Bool) {
        guard let text else { return }
        guard joins, let before = message else {
            message = text
            return
        }
        // What is beyond is cut off in the end.
        if before.utf8.count < Self.longestMessage { message = "\(before) \(text)" }
    }

    mutating func take(message: String?, code: String?, place: (file: String, line: Int?, column: Int?)?) {
        (self.message, self.code) = (message, code)
        if let place { setPlace(place, searches: false) }
    }

    mutating func setPlace(_ place: (file: String, line: Int?, column: Int?), searches: Bool) {
        self.searches = searches
        (file, line, column) = (place.file, place.line, place.column)
    }

    /// The diagnostic; `place` says where files are.
    ///
    /// nil where there is no message, or no place that it needs.
    func diagnostic(_ place: SourcePlaces.Entered) -> Diagnostic? {
        guard let text = message?.trimmingSpace, !text.isEmpty else { return nil }
        let known = file.flatMap { place($0, searches: searches) }
        guard known != nil || !needsPlace else { return nil }
        var diagnostic = Diagnostic(
            severity: severity,
            message: FailureDetails.clipped(Self.plain(text), to: Self.longestMessage),
            file: known,
            line: known == nil ? nil : line,
            column: known == nil ? nil : column,
            code: code.map { FailureDetails.clipped(Self.plain($0[...]), to: Self.longestCode) }
        )
        diagnostic.hint = hint
        return diagnostic
    }

    /// As it is where it is nothing but ASCII that is seen, as almost all are.
    private static func plain(_ text: Substring) -> String {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
            ? String(text) : PlainLine.keepingBlanks(String(text))
    }
}

extension Diagnostic {
    /// A number that can be one of a line or a column.
    static func place(_ number: Int) -> Int? { (1..<1_000_000_000).contains(number) ? number : nil }
}

extension String {
    fileprivate var trimmingSpace: Substring {
        var rest = self[...]
        // Most begin and end with a letter or a sign.
        let visible = UInt8(ascii: "!")...UInt8(ascii: "~")
        if let first = utf8.first, let last = utf8.last, visible ~= first, visible ~= last { return rest }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
