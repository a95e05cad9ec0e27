// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockCommands

@Suite("A command's bytes on their way to a terminal")
struct TerminalFilterTests {
    private func shown(_ parts: [String], _ colours: TerminalFilter.Colours = .kept) -> String {
        let filter = TerminalFilter(colours)
        var bytes: [UInt8] = []
        for part in parts { bytes += Array(part.utf8).withUnsafeBytes { filter.filter($0) } }
        return String(decoding: bytes + filter.rest(), as: UTF8.self)
    }

    @Test(
        "what hides text is dropped, colours that have an 8 in their number are not",
        arguments: [
            ("\u{1B}[8mhid", "hid"),
            ("\u{1B}[08mhid", "hid"),
            ("\u{1B}[0;8mhid", "\u{1B}[0mhid"),
            ("\u{1B}[31;8;1mhid\u{1B}[m", "\u{1B}[31;1mhid\u{1B}[m"),
            ("\u{1B}[8:1mhid", "hid"),
            ("\u{1B}[99999999999999999999mhid", "hid"),
            ("\u{1B}[38;5;8mgrey\u{1B}[0m", "\u{1B}[38;5;8mgrey\u{1B}[0m"),
            ("\u{1B}[48;2;8;8;8mdark\u{1B}[0m", "\u{1B}[48;2;8;8;8mdark\u{1B}[0m"),
            ("\u{1B}[38:5:8mgrey\u{1B}[39;0m", "\u{1B}[38:5:8mgrey\u{1B}[39;0m"),
            ("\u{1B}[38;5;8;8mgrey\u{1B}[0m", "\u{1B}[38;5;8mgrey\u{1B}[0m"),
        ]
    )
    func conceal(text: String, expected: String) {
        #expect(shown([text]) == expected)
    }

    @Test("colours that are left on are ended behind the last byte")
    func reset() {
        #expect(shown(["\u{1B}[30;40mdark", "\nmore"]) == "\u{1B}[30;40mdark\nmore\u{1B}[0m")
        #expect(shown(["\u{1B}[0;31", "mred"]) == "\u{1B}[0;31mred\u{1B}[0m")
        #expect(shown(["\u{1B}[31mred\u{1B}[0m"]) == "\u{1B}[31mred\u{1B}[0m")
        #expect(shown(["plain"]) == "plain")
    }

    @Test("where no colours are wanted none is passed on")
    func dropped() {
        #expect(shown(["\u{1B}[31;8", "mred\u{1B}[0m\n\u{1B}[1mx"], .dropped) == "red\nx")
    }
}
