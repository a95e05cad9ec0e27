// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
package import DrydockProtocol

extension SourceExcerpt {
    /// Lines before the one that is meant, and after it.
    private static let around = 2

    /// The lines around `line` of a file with this content, masked; nil where it is no text, or has no such line.
    init?(file: String, line: Int, content: [UInt8], masker: Masker) {
        guard !content.contains(0) else { return nil }
        guard line >= 1 else { return nil }
        let first = max(1, line - Self.around)
        var texts: [String] = []
        // Line by line, and not split: four MiB of line ends would be as many slices.
        var (number, start) = (1, content.startIndex)
        while start < content.endIndex, number - Self.around <= line {
            let end = content[start...].firstIndex(of: UInt8(ascii: "\n")) ?? content.endIndex
            if number >= first {
                let text = String(decoding: content[start..<end], as: UTF8.self)
                texts.append(FailureDetails.clipped(masker.masked(text)))
            }
            start = end + 1
            number += 1
        }
        guard number > line else { return nil }
        self.init(file: file, first: first, lines: texts, line: line)
    }
}

extension StepReport {
    /// The report with the lines of source that its failure is about.
    package func showing(_ context: StepContext, _ masker: Masker) -> StepReport {
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
