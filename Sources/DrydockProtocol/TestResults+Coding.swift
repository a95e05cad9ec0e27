// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension TestResults {
    func write(to writer: inout JSONWriter) {
        writer.counts(total, failed, skipped, milliseconds)
        if !suites.isEmpty {
            writer.key("suites")
            writer.array(suites) { writer, suite in
                writer.object {
                    $0.field("name", suite.name)
                    $0.counts(suite.total, suite.failed, suite.skipped, suite.milliseconds)
                }
            }
        }
        if !failures.isEmpty {
            writer.key("failures")
            writer.array(failures) { writer, test in
                writer.object {
                    $0.field("name", test.name)
                    $0.field("message", test.message)
                    $0.field("file", test.file)
                    $0.field("line", test.line)
                }
            }
        }
    }

    init(_ fields: Fields) throws(FieldProblem) {
        self.init()
        total = try fields.required("total")
        failed = try fields.required("failed")
        skipped = try fields.required("skipped")
        milliseconds = try fields.required("duration_ms")
        suites = try fields.optional("suites") ?? []
        failures = try fields.optional("failures") ?? []
    }
}

extension JSONWriter {
    fileprivate mutating func counts(_ total: Int, _ failed: Int, _ skipped: Int, _ milliseconds: Int64) {
        field("total", total)
        field("failed", failed)
        field("skipped", skipped)
        field("duration_ms", Duration.milliseconds(milliseconds))
    }
}

extension TestResults: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) { try self.init(field.fields()) }
}

extension TestResults.Suite: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(name: try fields.required("name"))
        total = try fields.required("total")
        failed = try fields.required("failed")
        skipped = try fields.required("skipped")
        milliseconds = try fields.required("duration_ms")
    }
}

extension FailedTest: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            name: try fields.required("name"),
            message: try fields.optional("message"),
            file: try fields.optional("file"),
            line: try fields.optional("line")
        )
    }
}
