// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension FailureDetails {
    func write(to writer: inout JSONWriter) {
        writer.field("step", step?.rawValue)
        writer.field("stage", stage?.rawValue)
        writer.field("command", command)
        writer.field("status", status)
        if let cause {
            writer.key("cause")
            writer.object { cause.write(to: &$0) }
        }
        if let source {
            writer.key("source")
            writer.object { source.write(to: &$0) }
        }
        if !output.isEmpty {
            writer.key("output")
            writer.array(output) { writer, line in writer.string(line) }
        }
        if !blocked.isEmpty {
            writer.key("blocked")
            writer.array(blocked) { writer, access in writer.object { access.write(to: &$0) } }
        }
        if let tests {
            writer.key("tests")
            writer.object { tests.write(to: &$0) }
        }
        if let changes {
            writer.key("changes")
            writer.object { changes.write(to: &$0) }
        }
    }
}

extension SourceExcerpt {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("file", file)
        writer.field("first", first)
        writer.field("line", line)
        writer.key("lines")
        writer.array(lines) { writer, line in writer.string(line) }
    }
}

extension BlockedAccess {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("what", what)
        writer.field("why", why)
        writer.field("allow", allow)
    }
}

extension FailureDetails: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init()
        step = try fields.optional("step")
        stage = try fields["stage"].map { field throws(FieldProblem) in StageID(rawValue: try field.text()) }
        command = try fields.optional("command")
        status = try fields.optional("status")
        cause = try fields.optional("cause")
        source = try fields.optional("source")
        output = try fields.optional("output") ?? []
        blocked = try fields.optional("blocked") ?? []
        tests = try fields.optional("tests")
        changes = try fields.optional("changes")
    }
}

extension SourceExcerpt: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            file: try fields.required("file"),
            first: try fields.required("first"),
            lines: try fields.required("lines"),
            line: try fields.required("line")
        )
    }
}

extension BlockedAccess: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(
            what: try fields.required("what"),
            why: try fields.required("why"),
            allow: try fields.optional("allow")
        )
    }
}
