// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

extension SourceExcerpt {
    /// Lines before the one that is meant, and after it.
    private static let around = 2

    /// The lines around `line` of a file with this content, masked; nil where it is no text, or has no such line.
    init?(file: String, line: Int, content: [UInt8], masker: Masker) {
        guard !content.contains(0) else { return nil }
        var all = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if all.last?.isEmpty == true { all.removeLast() }
        guard line >= 1, line <= all.count else { return nil }
        let first = max(1, line - Self.around)
        let last = min(all.count, line + Self.around)
        let texts = all[(first - 1)..<last].map { line in
            FailureDetails.clipped(masker.masked(String(decoding: line, as: UTF8.self)))
        }
        self.init(file: file, first: first, lines: texts, line: line)
    }
}

extension StepReport {
    /// The report with the lines of source that its failure is about.
    func showing(_ context: StepContext, _ masker: Masker) -> StepReport {
        guard let file = failure?.file, let line = failure?.line, let content = context.readSource(file)
        else {
            return self
        }
        var report = self
        var details = failure?.details ?? FailureDetails()
        details.source = SourceExcerpt(file: file, line: line, content: content, masker: masker)
        report.failure?.details = details
        return report
    }
}
