// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension SourceChanges {
    func write(to writer: inout JSONWriter) {
        writer.field("since", since.rawValue)
        writer.key("at")
        writer.thousandths(at.milliseconds)
        let lists: [(StaticString, [String])] = [
            ("commits", commits), ("changed", changed), ("added", added), ("removed", removed),
            ("others", others),
        ]
        for (name, list) in lists where !list.isEmpty { writer.field(name, list) }
        if more > 0 { writer.field("more", more) }
        if isPartial { writer.field("partial", true) }
    }
}

extension SourceChanges: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        self.init(since: BuildID(rawValue: try fields.required("since")), at: try fields.required("at"))
        commits = try fields.optional("commits") ?? []
        changed = try fields.optional("changed") ?? []
        added = try fields.optional("added") ?? []
        removed = try fields.optional("removed") ?? []
        others = try fields.optional("others") ?? []
        more = try fields.optional("more") ?? 0
        isPartial = try fields.optional("partial") ?? false
    }
}
