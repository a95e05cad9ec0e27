// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// A parameter that a project declares: what a build may be asked for with.
package struct ParameterRule: Hashable, Sendable {
    package var name: String
    /// For people.
    package var description: String?
    /// What it is where a build says nothing; nil = a build must say it.
    package var standard: String?
    /// All it can be; nil = any text.
    package var values: [String]?

    /// Reads the table `params`, whose keys are the names.
    static func list(_ field: Field) throws(FieldProblem) -> [ParameterRule] {
        let fields = try field.fields().all
        if fields.count > BuildParameters.most {
            throw field.problem("has \(fields.count) parameters; there may be \(BuildParameters.most)")
        }
        var rules: [ParameterRule] = []
        for (name, field) in fields {
            let rule = try ParameterRule(name, field)
            let variable = BuildParameters.variable(name)
            if let other = rules.first(where: { BuildParameters.variable($0.name) == variable }) {
                throw field.problem(
                    "and 'params.\(other.name)' are both the variable \(variable)",
                    hint: "give one of them another name"
                )
            }
            rules.append(rule)
        }
        return rules
    }

    private init(_ name: String, _ field: Field) throws(FieldProblem) {
        guard BuildParameters.isName(name) else {
            throw field.problem("can not be a parameter's name", hint: BuildParameters.rule)
        }
        let fields = try field.fields(["default", "description", "values"])
        self.name = name
        description = try fields["description"]?.text(limit: 1_024)
        standard = try fields["default"]?.text(limit: BuildParameters.longestValue)
        values = try fields["values"]?.list { value throws(FieldProblem) in
            try value.text(limit: BuildParameters.longestValue)
        }
        if let values, let standard, !values.contains(standard), let field = fields["default"] {
            throw field.problem("is none of its values", hint: Self.listed(values))
        }
        if let values, values.isEmpty, let field = fields["values"] { throw field.problem("is empty") }
    }

    /// What steps get: the variable of every parameter in `rules`, given in `asked` or by default.
    static func variables(
        _ rules: [ParameterRule],
        for asked: BuildParameters
    ) throws(FieldProblem) -> [String: String] {
        let names = rules.map(\.name)
        if let stranger = asked.values.keys.sorted().first(where: { !names.contains($0) }) {
            throw FieldProblem(
                "the project has no parameter '\(stranger)'",
                hint: Spelling.hint(stranger, among: names)
                    ?? (names.isEmpty
                        ? "declare it under 'params', or leave it out"
                        : "it has \(names.joined(separator: ", "))")
            )
        }
        var variables: [String: String] = [:]
        for rule in rules {
            variables[BuildParameters.variable(rule.name)] = try rule.value(asked.values[rule.name])
        }
        return variables
    }

    private func value(_ given: String?) throws(FieldProblem) -> String {
        guard let value = given ?? standard else {
            throw FieldProblem(
                "the parameter '\(name)' has no default, and the build names no value",
                hint: "add --param \(name)=VALUE, or \"params\" to the request"
            )
        }
        guard let values, !values.contains(value) else { return value }
        throw FieldProblem(
            "the parameter '\(name)' can not be '\(value.prefix(64))'",
            hint: Spelling.hint(value, among: values) ?? Self.listed(values)
        )
    }

    private static func listed(_ values: [String]) -> String {
        "one of " + values.prefix(20).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
    }
}
