// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockEgress

@Suite("Questions for names")
struct NameQuestionTests {
    private static func packet(
        _ name: String,
        type: UInt8 = 1,
        flags: [UInt8] = [1, 0],
        counts: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0],
        more: [UInt8] = []
    ) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [0xAB, 0xCD] + flags + counts + labels + [0, 0, type, 0, 1] + more
    }

    @Test("a question for an address is answered with one, under its number and with its own spelling")
    func address() throws {
        let asked = Self.packet("PyPI.org")
        let question = try #require(NameQuestion(asked))
        #expect(question.host?.text == "pypi.org" && question.wantsAddress)
        let answer = question.answered(.address(0x7F40_0001))
        #expect(answer.prefix(12).elementsEqual([0xAB, 0xCD, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]))
        #expect(answer[12..<asked.count].elementsEqual(asked[12...]))
        #expect(answer.suffix(16).prefix(6).elementsEqual([0xC0, 12, 0, 1, 0, 1]))
        #expect(answer.suffix(6).elementsEqual([0, 4, 127, 64, 0, 1]))
    }

    @Test("other types of a name that is there have nothing, and a name that is not there is not there")
    func nothing() throws {
        let other = try #require(NameQuestion(Self.packet("pypi.org", type: 28)))
        #expect(!other.wantsAddress)
        #expect(other.answered(.nothing)[2...7].elementsEqual([0x85, 0x80, 0, 1, 0, 0]))
        #expect(other.answered(.noSuchName)[2...7].elementsEqual([0x85, 0x83, 0, 1, 0, 0]))
        // With EDNS behind it.
        let extended = Self.packet(
            "pypi.org",
            counts: [0, 1, 0, 0, 0, 0, 0, 1],
            more: [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0]
        )
        #expect(NameQuestion(extended)?.host?.text == "pypi.org")
    }

    @Test("what is no host's name can be asked for, and is none")
    func strange() throws {
        for name in ["_x@y.org", "a b.org", "1.2.3.4"] {
            let question = try #require(NameQuestion(Self.packet(name)))
            #expect(question.host == nil, "\(name)")
        }
        let hidden: [UInt8] =
            [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8] + Array("pypi.org".utf8) + [0, 0, 1, 0, 1]
        #expect(NameQuestion(hidden)?.host == nil)
        #expect(NameQuestion([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1])?.host == nil)
    }

    @Test("what is no question is not answered")
    func broken() {
        let good = Self.packet("pypi.org")
        for count in 0..<good.count { #expect(NameQuestion(Array(good.prefix(count))) == nil, "\(count)") }
        #expect(NameQuestion(Self.packet("pypi.org", flags: [0x81, 0])) == nil)  // an answer
        #expect(NameQuestion(Self.packet("pypi.org", flags: [0x28, 0])) == nil)  // an update
        #expect(NameQuestion(Self.packet("pypi.org", counts: [0, 2, 0, 0, 0, 0, 0, 0])) == nil)
        #expect(NameQuestion(Self.packet("pypi.org", counts: [0, 1, 0, 1, 0, 0, 0, 0])) == nil)
        let pointer: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1]
        #expect(NameQuestion(pointer) == nil)
        let long: [UInt8] =
            [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Array(repeating: [1, 0x61], count: 200).flatMap { $0 }
        #expect(NameQuestion(long + [0, 0, 1, 0, 1]) == nil)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let noise = (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = NameQuestion(noise)?.answered(.noSuchName)
        }
    }

    @Test("a name keeps its address, and there is an end to them")
    func table() throws {
        let table = NameTable()
        var addresses: Set<UInt32> = []
        for number in 0..<NameTable.most {
            addresses.insert(try #require(table.address(of: try HostName("h\(number).test"))))
        }
        #expect(addresses.count == NameTable.most && addresses.allSatisfy { $0 >> 22 == 0x7F40_0000 >> 22 })
        #expect(table.address(of: try HostName("more.test")) == nil)
        let known = try #require(table.address(of: try HostName("h17.test")))
        #expect(table.name(of: known)?.text == "h17.test")
        for address: UInt32 in [0, 0x7F00_0001, 0x7F40_0000, 0x7F40_0001 + 4_096, .max] {
            #expect(table.name(of: address) == nil)
        }
    }
}
