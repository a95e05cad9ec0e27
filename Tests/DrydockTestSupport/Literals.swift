// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

// Tests write names and paths as they are; a wrong one stops the test.

extension StringIdentifier {
    fileprivate init(literal text: String) {
        guard let value = Self(rawValue: text) else { preconditionFailure("'\(text)' is no \(Self.self)") }
        self = value
    }
}

extension StepID: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(literal: text) }
}

extension PluginName: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(literal: text) }
}

extension RelativePath: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(literal: text) }
}
